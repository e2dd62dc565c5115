"""DNS, as the API and the stream show it.

Names are lower case, in ASCII (an international name as its A-label) and without the final dot.
Values are as in a zone file, their names written likewise; a TXT value is its bare text, without
quotes and in one piece: "10 mail.example.org", '0 issue "letsencrypt.org"'.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from homelab_agent.platform.model import Model

DNS_PROVIDER_KIND = "dns_provider"
MOST_RECORDS_A_PLAN = 500

type GivenName = Annotated[str, StringConstraints(min_length=1, max_length=300)]
"""A name as a person writes it: any case, final dot, international; the agent makes it uniform."""
type RecordValue = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
type TtlS = Annotated[int, Field(ge=1, le=2_147_483_647)]
type HttpBase = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@]+(/\S*)?$")]
type ServerAddress = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=300)]
"""A server of DNS: "192.0.2.1", "ns1.example.org", "[2001:db8::1]:5353"."""
type Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]


class RecordType(StrEnum):
    """The types of records that can be managed."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    TXT = "TXT"
    MX = "MX"
    SRV = "SRV"
    CAA = "CAA"
    NS = "NS"


class RecordSet(Model):
    """All records of one type at one name. `ttl_s` None: it is not known, or the provider's."""

    name: str
    type: RecordType
    values: tuple[str, ...]
    ttl_s: int | None = None


class WantedRecords(Model):
    """What all records of one type at one name are to be; no values: there are to be none.

    `ttl_s` None: as it is, and the provider's own for new records.
    """

    name: GivenName
    type: RecordType
    values: tuple[RecordValue, ...] = Field(default=(), max_length=100)
    ttl_s: TtlS | None = None


class Capabilities(Model):
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


class ZoneHome(Model):
    """Where a name is managed: the zone that it is in, and the provider that manages that."""

    zone: str
    provider: str
    capabilities: Capabilities


class ProviderType(StrEnum):
    """The kinds of providers."""

    RFC2136 = "rfc2136"
    POWERDNS = "powerdns"
    CLOUDFLARE = "cloudflare"
    DUCKDNS = "duckdns"
    ZONEEDIT = "zoneedit"
    DESEC = "desec"
    LEXICON = "lexicon"
    DEMO = "demo"


class ProviderState(StrEnum):
    """How a provider was when it was last asked."""

    UNKNOWN = "unknown"
    OK = "ok"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - the name of a state


class DnsProvider(Model):
    """A provider of DNS. Its secrets are not in here, nor anywhere else to be read.

    `name_servers`: whom to ask what a zone really holds, instead of those that the zone names.
    `settings` are those that are no secret. `zones`: those that it manages, as far as known.
    """

    key: str
    name: str
    type: ProviderType
    zones: tuple[str, ...] = ()
    name_servers: tuple[str, ...] = ()
    settings: dict[str, str | int | bool | tuple[str, ...]]
    capabilities: Capabilities
    state: ProviderState
    reason: str | None = None
    checked_at: datetime | None = None


class DnsProviderList(Model):
    """All providers, by key."""

    providers: tuple[DnsProvider, ...]


class TsigAlgorithm(StrEnum):
    """How a key of RFC 2136 signs."""

    HMAC_SHA256 = "hmac-sha256"
    HMAC_SHA384 = "hmac-sha384"
    HMAC_SHA512 = "hmac-sha512"
    HMAC_SHA224 = "hmac-sha224"
    HMAC_SHA1 = "hmac-sha1"


class Rfc2136Settings(Model):
    """A name server that takes signed updates: BIND, Knot, PowerDNS, Windows."""

    type: Literal[ProviderType.RFC2136]
    server: ServerAddress
    key_name: GivenName
    key_algorithm: TsigAlgorithm = TsigAlgorithm.HMAC_SHA256
    key_secret: SecretStr = Field(min_length=8, max_length=1024)
    zones: tuple[GivenName, ...] = Field(min_length=1, max_length=100)


class PowerDnsSettings(Model):
    """The HTTP API of a PowerDNS authoritative server."""

    type: Literal[ProviderType.POWERDNS]
    url: HttpBase
    api_key: SecretStr = Field(min_length=1, max_length=1024)
    server_id: str = Field(default="localhost", pattern=r"^[\w.-]+$", max_length=64)
    verify_tls: bool = True


class CloudflareSettings(Model):
    """Cloudflare, by an API token that may edit DNS."""

    type: Literal[ProviderType.CLOUDFLARE]
    api_token: SecretStr = Field(min_length=8, max_length=1024)
    url: HttpBase = "https://api.cloudflare.com/client/v4"


class DuckDnsSettings(Model):
    """DuckDNS: names below duckdns.org, each with addresses and one TXT."""

    type: Literal[ProviderType.DUCKDNS]
    token: SecretStr = Field(min_length=8, max_length=1024)
    domains: tuple[GivenName, ...] = Field(min_length=1, max_length=50)
    url: HttpBase = "https://www.duckdns.org"


class ZoneEditSettings(Model):
    """ZoneEdit: addresses of hosts that are dynamic records there, and TXT. No more is offered."""

    type: Literal[ProviderType.ZONEEDIT]
    user: str = Field(min_length=1, max_length=255)
    token: SecretStr = Field(min_length=1, max_length=1024)
    zones: tuple[GivenName, ...] = Field(min_length=1, max_length=50)
    url: HttpBase = "https://dynamic.zoneedit.com"


class DesecSettings(Model):
    """deSEC, by an API token."""

    type: Literal[ProviderType.DESEC]
    token: SecretStr = Field(min_length=8, max_length=1024)
    url: HttpBase = "https://desec.io/api/v1"


class LexiconSettings(Model):
    """Any provider that dns-lexicon knows, where that library is installed.

    `options` are that provider's own, as its documentation names them; all are kept secret.
    """

    type: Literal[ProviderType.LEXICON]
    provider: str = Field(pattern=r"^[a-z0-9_]{2,40}$")
    zones: tuple[GivenName, ...] = Field(min_length=1, max_length=50)
    options: dict[str, SecretStr] = Field(default_factory=dict, max_length=30)


type ProviderSettings = Annotated[
    Rfc2136Settings
    | PowerDnsSettings
    | CloudflareSettings
    | DuckDnsSettings
    | ZoneEditSettings
    | DesecSettings
    | LexiconSettings,
    Field(discriminator="type"),
]


class ProviderBody(Model):
    """A provider to be added. `key` None: made from its name.

    It has to answer first, or nothing is kept; `verify` False keeps it as it is given, as where it
    is away just now.
    """

    key: Key | None = None
    name: str = Field(min_length=1, max_length=64)
    name_servers: tuple[ServerAddress, ...] = Field(default=(), max_length=20)
    settings: ProviderSettings
    verify: bool = True


class ProviderChange(Model):
    """What to change of a provider; what is not given stays. A secret of ten stars stays, too.

    With other settings it has to answer first, or all stays as it was; see `ProviderBody.verify`.
    """

    name: str | None = Field(default=None, min_length=1, max_length=64)
    name_servers: tuple[ServerAddress, ...] | None = Field(default=None, max_length=20)
    settings: ProviderSettings | None = None
    verify: bool = True


class Zone(Model):
    """A zone and what it holds. `lists` False: only what the agent knows of was asked for.

    `version` changes with every change of the zone, where the provider has such a thing.
    """

    zone: str
    provider: str
    version: str | None = None
    lists: bool
    records: tuple[RecordSet, ...]


class ZoneQuery(Model):
    """Which zones, or which records of one: of a provider, with a text in name or value."""

    provider: Key | None = None
    text: str | None = Field(default=None, min_length=1, max_length=300)


class ZoneList(Model):
    """All zones that are managed, by name."""

    zones: tuple[ZoneHome, ...]


class ChangeAction(StrEnum):
    """What is done to a record set."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Change(Model):
    """One change of a plan. `before` and `after` are whole record sets; None: there is none."""

    action: ChangeAction
    name: str
    type: RecordType
    before: RecordSet | None = None
    after: RecordSet | None = None


class PlanBody(Model):
    """What is wanted. `zone` and `provider` None: found by the names.

    All names of a plan are in one zone of one provider.
    """

    wanted: tuple[WantedRecords, ...] = Field(min_length=1, max_length=MOST_RECORDS_A_PLAN)
    zone: GivenName | None = None
    provider: Key | None = None


class DnsPlan(Model):
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


class ApplyBody(PlanBody):
    """A plan to be applied: the same wants, and the hash that the plan had.

    It is refused (409) when the plan would be another one by now.
    """

    plan_hash: str = Field(min_length=16, max_length=128)
    wait_s: float | None = Field(default=30, ge=0, le=600)


class ServerAnswer(Model):
    """What one authoritative server says. `values` None: it gave no answer, `reason` says why."""

    server: str
    address: str
    values: tuple[str, ...] | None = None
    ttl_s: int | None = None
    serial: int | None = None
    response_ms: float | None = None
    reason: str | None = None


class AuthoritativeQuery(Model):
    """What to ask every authoritative server of a name for."""

    name: GivenName
    type: RecordType = RecordType.A


class AuthoritativeAnswers(Model):
    """What the authoritative servers of a name say. `agree`: all answered, and the same."""

    name: str
    type: RecordType
    zone: str
    agree: bool
    servers: tuple[ServerAnswer, ...]
