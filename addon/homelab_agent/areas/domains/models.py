"""Domains, as the API and the stream show them.

A domain is a name with all that it is to be: its records, what is behind it, how it is served.
Its id is the name as the DNS writes it: see `areas.dns.models`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from homelab_agent.areas.dns.models import (
    GivenName,
    Key,
    RecordSet,
    RecordType,
    RecordValue,
    ServerAnswer,
    TtlS,
)
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.model import Model

DOMAIN_KIND = "domain"
DOMAIN_EVENT_KIND = "domain_event"
MOST_DOMAINS = 2000
MOST_PAGE = 500

type Note = Annotated[str, StringConstraints(max_length=500)]


class ServiceType(StrEnum):
    """What a domain is for. WEB: HTTPS is expected to work there."""

    WEB = "web"
    MAIL = "mail"
    NAME_SERVER = "name_server"
    VERIFICATION = "verification"
    OTHER = "other"


class DomainStatus(StrEnum):
    """How it is with a domain.

    PENDING: not looked at yet, or its records were not made yet. CHANGING: it is being provisioned
    or taken back. DEGRADED: it can be used, but something is not as it should be. UNKNOWN: it could
    not be looked at.
    """

    PENDING = "pending"
    CHANGING = "changing"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"
    PAUSED = "paused"


class CheckName(StrEnum):
    """What is looked at. Each is only looked at where it makes sense for the domain."""

    RECORDS = "records"
    REACHABLE = "reachable"
    HTTPS = "https"
    CERTIFICATE = "certificate"
    PROXY = "proxy"


class CheckResult(StrEnum):
    """How it was. SKIPPED: it makes no sense here, or what it needs had failed."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class DomainCheck(Model):
    """One thing that was looked at. `reason` says what is wrong and what to do; None when ok."""

    name: CheckName
    result: CheckResult
    reason: str | None = None


class DomainHealth(Model):
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


class ProxyState(StrEnum):
    """How the domain's route in the reverse proxy is. NONE: it is to have none."""

    NONE = "none"
    OK = "ok"
    DRIFTED = "drifted"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Domain(Model):
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


class DomainEventType(StrEnum):
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


class DomainEvent(Model):
    """The newest thing that happened to a domain, told once: see `ContainerEvent`."""

    key: str
    name: str
    type: DomainEventType
    number: int
    at: datetime
    status: DomainStatus
    reason: str | None = None


class HistoryEntry(Model):
    """One line of a domain's history: who did what, how it was before and after, how it ended."""

    id: int
    at: datetime
    caller: str
    type: DomainEventType
    step: str | None = None
    outcome: Outcome | None = None
    message: str | None = None
    before: JsonValue = None
    after: JsonValue = None
    job_id: str | None = None


class DomainHistoryQuery(Model):
    """Which lines, the newest first. `before` is the id below which to go on."""

    before: int | None = Field(default=None, ge=1, le=2**63 - 1)
    limit: int = Field(default=50, ge=1, le=MOST_PAGE)


class HistoryPage(Model):
    """Lines of a domain's history, the newest first. `next_before` None: there are no more."""

    events: tuple[HistoryEntry, ...]
    next_before: int | None = None


class DomainQuery(Model):
    """Which domains, by name. `text` is looked for in names, values, notes and containers.

    `after` is the id after which to go on.
    """

    service_type: ServiceType | None = None
    status: DomainStatus | None = None
    text: str | None = Field(default=None, min_length=1, max_length=200)
    after: str | None = Field(default=None, max_length=300)
    limit: int = Field(default=100, ge=1, le=MOST_PAGE)


class DomainPage(Model):
    """Domains by name. `total` matched; `next_after` None: there are no more."""

    domains: tuple[Domain, ...]
    total: int
    next_after: str | None = None


class WantedRecordSet(Model):
    """The records of one type that a domain is to have, all at the domain's own name."""

    type: RecordType
    values: tuple[RecordValue, ...] = Field(min_length=1, max_length=100)
    ttl_s: TtlS | None = None


class DomainSettings(Model):
    """What is wanted of a domain: all of it, as PUT takes it."""

    service_type: ServiceType = ServiceType.WEB
    records: tuple[WantedRecordSet, ...] = Field(default=(), max_length=8)
    container: str | None = Field(default=None, max_length=512)
    note: Note | None = None
    provider: Key | None = None
    paused: bool = False


class DomainBody(DomainSettings):
    """A domain to be looked after from now on."""

    name: GivenName


class DomainReplaceBody(DomainSettings):
    """All that is wanted of a domain, in place of what was.

    `unchanged_since` is the `changed_at` that the caller saw: where somebody else changed the
    domain since, nothing is done (409). None: whatever it is by now.
    """

    unchanged_since: datetime | None = None


class DomainChange(Model):
    """What to change of a domain; what is not given stays. null empties a text.

    `unchanged_since`: see `DomainReplaceBody`.
    """

    service_type: ServiceType | None = None
    records: tuple[WantedRecordSet, ...] | None = Field(default=None, max_length=8)
    container: str | None = Field(default=None, max_length=512)
    note: Note | None = None
    provider: Key | None = None
    paused: bool | None = None
    unchanged_since: datetime | None = None


class DomainDeleteQuery(Model):
    """How to delete a domain. `plan_hash`: its DNS records are removed as that plan says, too.

    The plan is that of `DomainPlanBody` with `remove`. Without it only the agent forgets.
    """

    plan_hash: str | None = Field(default=None, min_length=16, max_length=128)
    wait_s: float | None = Field(default=30, ge=0, le=600)


class FoundRecords(Model):
    """What led somewhere at a name before it was provisioned: its addresses, or its alias.

    `same`: the types of those that were as wanted already. `replaced`: what others were before.
    `followed`: the name followed this network's address already.
    """

    same: tuple[RecordType, ...] = ()
    replaced: tuple[RecordSet, ...] = ()
    followed: bool = False


class KeptDomain(Model):
    """A domain as the agent keeps it: what is wanted of it, and how it was found to be.

    What the API shows is a `Domain`; this is what comes back when a change is undone. `found`: what
    is left, or put back, when it is taken back.
    """

    id: str
    settings: DomainSettings
    provisioned: bool = False
    found: FoundRecords = FoundRecords()
    status: DomainStatus = DomainStatus.PENDING
    reason: str | None = None
    told_unhealthy: bool = False
    created_at: datetime
    changed_at: datetime


class DomainPlanBody(Model):
    """What to plan: to make the DNS as the domain wants it, or to remove its records."""

    remove: bool = False


class DomainApplyBody(DomainPlanBody):
    """A plan to be applied, by its hash. It is refused when it would be another one by now."""

    plan_hash: str = Field(min_length=16, max_length=128)
    wait_s: float | None = Field(default=30, ge=0, le=600)


class DomainProblem(Model):
    """A domain that is not as it should be, and why."""

    id: str
    name: str
    status: DomainStatus
    reason: str | None = None


class DomainSummary(Model):
    """How many domains there are, of what kind and how they are."""

    total: int
    by_status: dict[DomainStatus, int]
    by_service_type: dict[ServiceType, int]
    providers: int
    next_certificate: str | None = None
    next_certificate_days_left: int | None = None
    problems: tuple[DomainProblem, ...] = ()


class DomainHealthReport(Model):
    """The health of all domains, worst first."""

    domains: tuple[DomainHealth, ...]
    checked_at: datetime | None = None


class ExportFormat(StrEnum):
    """How domains are written down."""

    JSON = "json"
    CSV = "csv"


class ExportQuery(Model):
    """In what form."""

    format: ExportFormat = ExportFormat.JSON


class ExportedDomain(Model):
    """One domain as it is exported: what is wanted of it."""

    name: str
    service_type: ServiceType = ServiceType.WEB
    records: tuple[WantedRecordSet, ...] = Field(default=(), max_length=8)
    container: str | None = Field(default=None, max_length=512)
    note: Note | None = None
    provider: Key | None = None
    paused: bool = False


class DomainExport(Model):
    """All domains, as they can be imported again."""

    version: Literal[1] = 1
    domains: tuple[ExportedDomain, ...]


class ImportBody(Model):
    """What to import: the text of an export. `replace`: domains that are not in it are forgotten.

    Without `plan_hash` only the plan is made; with it everything is imported, or nothing.
    """

    format: ExportFormat = ExportFormat.JSON
    text: str = Field(min_length=1, max_length=900_000)
    replace: bool = False
    plan_hash: str | None = Field(default=None, min_length=16, max_length=128)


class ImportedChange(Model):
    """What an import does to one domain."""

    id: str
    action: Literal["create", "update", "delete", "keep"]
    before: ExportedDomain | None = None
    after: ExportedDomain | None = None


class ImportPlan(Model):
    """What an import would do, or did. The DNS itself is not changed by it."""

    hash: str
    changes: tuple[ImportedChange, ...]
    applied: bool = False
