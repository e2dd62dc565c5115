"""DNS, as the API and the stream show it.

Names are lower case, in ASCII (an international name as its A-label) and without the final dot.
Values are as in a zone file, their names written likewise; a TXT value is its bare text, without
quotes and in one piece: "10 mail.example.org", '0 issue "letsencrypt.org"'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .base import EACH_BY_ITSELF, OpenEnum


class RecordType(OpenEnum):
    """The types of records that can be managed."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    TXT = "TXT"
    MX = "MX"
    SRV = "SRV"
    CAA = "CAA"
    NS = "NS"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """All records of one type at one name. `ttl_s` None: it is not known, or the provider's."""

    name: str
    type: RecordType
    values: tuple[str, ...]
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRecords:
    """What all records of one type at one name are to be; no values: there are to be none.

    `ttl_s` None: as it is, and the provider's own for new records.
    """

    name: str
    type: RecordType
    values: tuple[str, ...] = ()
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do. The agent refuses the rest before anything is sent.

    `lists`: it can tell everything that a zone holds. `types`: what it can create, change and
    delete. `creates_addresses` False: only the addresses of names that are there already can be
    changed (dynamic DNS). `atomic`: all changes of a plan or none, and only where everything still
    is as the plan saw it. `limits` explains to a person what cannot be done and why.
    """

    lists: bool
    types: tuple[RecordType, ...]
    creates_addresses: bool = True
    several_values: bool = True
    sets_ttl: bool = True
    smallest_ttl_s: int | None = None
    atomic: bool = False
    address_interval_s: int = 0
    txt_interval_s: int = 0
    limits: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneHome:
    """Where a name is managed: the zone that it is in, and the provider that manages that."""

    zone: str
    provider: str
    capabilities: Capabilities


class ProviderType(OpenEnum):
    """The kinds of providers."""

    RFC2136 = "rfc2136"
    POWERDNS = "powerdns"
    CLOUDFLARE = "cloudflare"
    DUCKDNS = "duckdns"
    ZONEEDIT = "zoneedit"
    DESEC = "desec"
    LEXICON = "lexicon"
    DEMO = "demo"
    UNKNOWN = "unknown"


class ProviderState(OpenEnum):
    """How a provider was when it was last asked."""

    UNKNOWN = "unknown"
    OK = "ok"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - the name of a state


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsProvider:
    """A provider of DNS. Its secrets are not in here, nor anywhere else to be read.

    `name_servers`: whom to ask what a zone really holds, instead of those that the zone names.
    `settings` are those that are no secret. `zones`: those that it manages, as far as known.
    """

    key: str
    name: str
    type: ProviderType
    zones: tuple[str, ...] = ()
    name_servers: tuple[str, ...] = ()
    settings: Mapping[str, Any]
    capabilities: Capabilities
    state: ProviderState
    reason: str | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsProviderList:
    """All providers, by key."""

    providers: tuple[DnsProvider, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBody:
    """A provider to be added. `key` None: made from its name.

    It has to answer first, or nothing is kept; `verify` False keeps it as it is given, as where it
    is away just now.
    """

    key: str | None = None
    name: str
    name_servers: tuple[str, ...] = ()
    settings: Mapping[str, Any]
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderChange:
    """What to change of a provider; what is not given stays. A secret of ten stars stays, too.

    With other settings it has to answer first, or all stays as it was; see `ProviderBody.verify`.
    """

    name: str | None = None
    name_servers: tuple[str, ...] | None = None
    settings: Mapping[str, Any] | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone and what it holds. `lists` False: only what the agent knows of was asked for.

    `version` changes with every change of the zone, where the provider has such a thing.
    """

    zone: str
    provider: str
    version: str | None = None
    lists: bool
    records: tuple[RecordSet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneQuery:
    """Which zones, or which records of one: of a provider, with a text in name or value."""

    provider: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneList:
    """All zones that are managed, by name."""

    zones: tuple[ZoneHome, ...] = field(metadata=EACH_BY_ITSELF)


class ChangeAction(OpenEnum):
    """What is done to a record set."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a plan. `before` and `after` are whole record sets; None: there is none."""

    action: ChangeAction
    name: str
    type: RecordType
    before: RecordSet | None = None
    after: RecordSet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBody:
    """What is wanted. `zone` and `provider` None: found by the names.

    All names of a plan are in one zone of one provider.
    """

    wanted: tuple[WantedRecords, ...]
    zone: str | None = None
    provider: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsPlan:
    """Exactly what would change, and nothing is changed yet. `hash` is what `apply` wants to see.

    `needs_admin`: why an admin must say it, as where more than a third of a zone would change,
    or was within a day. `zone_size`: how many record sets it had before that; None: not known.
    `text`: the same for a person, a line each.
    """

    zone: str
    provider: str
    changes: tuple[Change, ...]
    hash: str
    zone_size: int | None = None
    needs_admin: str | None = None
    warnings: tuple[str, ...] = ()
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyBody(PlanBody):
    """A plan to be applied: the same wants, and the hash that the plan had.

    It is refused (409) when the plan would be another one by now.
    """

    plan_hash: str
    wait_s: float | None = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAnswer:
    """What one authoritative server says. `values` None: it gave no answer, `reason` says why."""

    server: str
    address: str
    values: tuple[str, ...] | None = None
    ttl_s: int | None = None
    serial: int | None = None
    response_ms: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoritativeQuery:
    """What to ask every authoritative server of a name for."""

    name: str
    type: RecordType = RecordType.A


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoritativeAnswers:
    """What the authoritative servers of a name say. `agree`: all answered, and the same."""

    name: str
    type: RecordType
    zone: str
    agree: bool
    servers: tuple[ServerAnswer, ...]
