"""Domains, as the API and the stream show them.

A domain is a name with all that it is to be: its records, what is behind it, how it is served.
Its id is the name as the DNS writes it: see `areas.dns.models`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .base import EACH_BY_ITSELF, OpenEnum
from .dns import RecordSet, RecordType, ServerAnswer
from .jobs import Outcome


class ServiceType(OpenEnum):
    """What a domain is for. WEB: HTTPS is expected to work there."""

    WEB = "web"
    MAIL = "mail"
    NAME_SERVER = "name_server"
    VERIFICATION = "verification"
    OTHER = "other"
    UNKNOWN = "unknown"


class DomainStatus(OpenEnum):
    """How it is with a domain.

    PENDING: not looked at yet. CHANGING: it is being provisioned or taken back. DEGRADED: it can
    be used, but something is not as it should be. UNKNOWN: it could not be looked at.
    """

    PENDING = "pending"
    CHANGING = "changing"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"
    PAUSED = "paused"


class CheckName(OpenEnum):
    """What is looked at. Each is only looked at where it makes sense for the domain."""

    RECORDS = "records"
    REACHABLE = "reachable"
    HTTPS = "https"
    CERTIFICATE = "certificate"
    PROXY = "proxy"
    UNKNOWN = "unknown"


class CheckResult(OpenEnum):
    """How it was. SKIPPED: it makes no sense here, or what it needs had failed."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainCheck:
    """One thing that was looked at. `reason` says what is wrong and what to do; None when ok."""

    name: CheckName
    result: CheckResult
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainHealth:
    """What was found when a domain was last looked at. `servers`: the authoritative ones' answers.

    `reason` is that of the first check that is not ok.
    """

    id: str
    status: DomainStatus
    reason: str | None = None
    checks: tuple[DomainCheck, ...] = ()
    servers: tuple[ServerAnswer, ...] = ()
    addresses: tuple[str, ...] = ()
    https_status: int | None = None
    response_ms: float | None = None
    certificate_expires_at: datetime | None = None
    certificate_days_left: int | None = None
    checked_at: datetime | None = None


class ProxyState(OpenEnum):
    """How the domain's route in the reverse proxy is. NONE: it is to have none."""

    NONE = "none"
    OK = "ok"
    DRIFTED = "drifted"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain: what is wanted of it, and in short how it is.

    `records` are the wanted ones; none: the agent only looks after it. `container` is the key of
    the container that is behind it, where one is. `name` is for people: an international name in
    its own letters. `provider` and `zone` None: nobody that the agent knows manages its zone.
    `dynamic`: its addresses follow this network's. `job_id`: what is changing it just now.
    """

    id: str
    name: str
    service_type: ServiceType
    records: tuple[RecordSet, ...] = ()
    container: str | None = None
    note: str | None = None
    provider: str | None = None
    zone: str | None = None
    dynamic: bool = False
    provisioned: bool = False
    status: DomainStatus
    reason: str | None = None
    addresses: tuple[str, ...] = ()
    certificate_expires_at: datetime | None = None
    certificate_days_left: int | None = None
    proxy_state: ProxyState = ProxyState.NONE
    job_id: str | None = None
    checked_at: datetime | None = None
    changed_at: datetime
    created_at: datetime


class DomainEventType(OpenEnum):
    """What happened to a domain. STEP: one of the steps of provisioning, or back."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    IMPORTED = "imported"
    DNS_APPLIED = "dns_applied"
    STEP = "step"
    PROVISIONED = "provisioned"
    DEPROVISIONED = "deprovisioned"
    FAILED = "failed"
    UNHEALTHY = "unhealthy"
    RECOVERED = "recovered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """The newest thing that happened to a domain, told once: see `ContainerEvent`."""

    key: str
    name: str
    type: DomainEventType
    number: int
    at: datetime
    status: DomainStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of a domain's history: who did what, how it was before and after, how it ended."""

    id: int
    at: datetime
    caller: str
    type: DomainEventType
    step: str | None = None
    outcome: Outcome | None = None
    message: str | None = None
    before: object = None
    after: object = None
    job_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainHistoryQuery:
    """Which lines, the newest first. `before` is the id below which to go on."""

    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Lines of a domain's history, the newest first. `next_before` None: there are no more."""

    events: tuple[HistoryEntry, ...] = field(metadata=EACH_BY_ITSELF)
    next_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainQuery:
    """Which domains, by name. `text` is looked for in names, values, notes and containers.

    `after` is the id after which to go on.
    """

    service_type: ServiceType | None = None
    status: DomainStatus | None = None
    text: str | None = None
    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPage:
    """Domains by name. `total` matched; `next_after` None: there are no more."""

    domains: tuple[Domain, ...] = field(metadata=EACH_BY_ITSELF)
    total: int
    next_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRecordSet:
    """The records of one type that a domain is to have, all at the domain's own name."""

    type: RecordType
    values: tuple[str, ...]
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSettings:
    """What is wanted of a domain: all of it, as PUT takes it."""

    service_type: ServiceType = ServiceType.WEB
    records: tuple[WantedRecordSet, ...] = ()
    container: str | None = None
    note: str | None = None
    provider: str | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainBody(DomainSettings):
    """A domain to be looked after from now on."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainReplaceBody(DomainSettings):
    """All that is wanted of a domain, in place of what was.

    `unchanged_since` is the `changed_at` that the caller saw: where somebody else changed the
    domain since, nothing is done (409). None: whatever it is by now.
    """

    unchanged_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainChange:
    """What to change of a domain; what is not given stays. An empty text empties one.

    `unchanged_since`: see `DomainReplaceBody`.
    """

    service_type: ServiceType | None = None
    records: tuple[WantedRecordSet, ...] | None = None
    container: str | None = None
    note: str | None = None
    provider: str | None = None
    paused: bool | None = None
    unchanged_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainDeleteQuery:
    """How to delete a domain. `plan_hash`: its DNS records are removed as that plan says, too.

    The plan is that of `DomainPlanBody` with `remove`. Without it only the agent forgets.
    """

    plan_hash: str | None = None
    wait_s: float | None = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPlanBody:
    """What to plan: to make the DNS as the domain wants it, or to remove its records."""

    remove: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainApplyBody(DomainPlanBody):
    """A plan to be applied, by its hash. It is refused when it would be another one by now."""

    plan_hash: str
    wait_s: float | None = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainProblem:
    """A domain that is not as it should be, and why."""

    id: str
    name: str
    status: DomainStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSummary:
    """How many domains there are, of what kind and how they are."""

    total: int
    by_status: Mapping[str, Any]
    by_service_type: Mapping[str, Any]
    providers: int
    next_certificate: str | None = None
    next_certificate_days_left: int | None = None
    problems: tuple[DomainProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainHealthReport:
    """The health of all domains, worst first."""

    domains: tuple[DomainHealth, ...] = field(metadata=EACH_BY_ITSELF)
    checked_at: datetime | None = None


class ExportFormat(OpenEnum):
    """How domains are written down."""

    JSON = "json"
    CSV = "csv"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQuery:
    """In what form."""

    format: ExportFormat = ExportFormat.JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedDomain:
    """One domain as it is exported: what is wanted of it."""

    name: str
    service_type: ServiceType = ServiceType.WEB
    records: tuple[WantedRecordSet, ...] = ()
    container: str | None = None
    note: str | None = None
    provider: str | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainExport:
    """All domains, as they can be imported again."""

    version: int = 1
    domains: tuple[ExportedDomain, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportBody:
    """What to import: the text of an export. `replace`: domains that are not in it are forgotten.

    Without `plan_hash` only the plan is made; with it everything is imported, or nothing.
    """

    format: ExportFormat = ExportFormat.JSON
    text: str
    replace: bool = False
    plan_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedChange:
    """What an import does to one domain."""

    id: str
    action: str
    before: ExportedDomain | None = None
    after: ExportedDomain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What an import would do, or did. The DNS itself is not changed by it."""

    hash: str
    changes: tuple[ImportedChange, ...]
    applied: bool = False
