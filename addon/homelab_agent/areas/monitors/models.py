"""Monitors, as the API and the stream show them.

What changes at different rates is of different kinds: `monitor` when it is changed or goes down or
up, `monitor_result` with every check, `monitor_report` once a minute.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from homelab_agent.areas.certificates.models import StartTls
from homelab_agent.areas.monitors.check_settings import CheckSettings, CheckType
from homelab_agent.platform.model import Model

MONITOR_KIND = "monitor"
MONITOR_RESULT_KIND = "monitor_result"
MONITOR_REPORT_KIND = "monitor_report"
MONITOR_EVENT_KIND = "monitor_event"
MAINTENANCE_KIND = "maintenance_window"

type MonitorKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,127}$")]
type MonitorName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class MonitorTier(StrEnum):
    """How much depends on it."""

    CRITICAL = "critical"
    OPTIONAL = "optional"


class MonitorSource(StrEnum):
    """Who made it: a person, or a label of a container."""

    PERSON = "person"
    LABEL = "label"


class MonitorState(StrEnum):
    """How the watched service is. PENDING: not known yet. FAILING: down, but not confirmed yet.

    MAINTENANCE: a window is open, it is checked but not counted or told. UNKNOWN: it could not be
    checked, as when Docker is away for a container's health.
    """

    UP = "up"
    DOWN = "down"
    FAILING = "failing"
    PENDING = "pending"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"
    UNKNOWN = "unknown"


class Slo(Model):
    """What is promised of a service, per month of 30 days."""

    uptime_percent: float = Field(default=99.9, gt=0, lt=100)
    error_percent: float = Field(default=1, gt=0, lt=100)
    response_ms: float = Field(default=500, gt=0, le=600_000)


class MonitorSettings(Model):
    """How a service is watched. `retries` follow at once; `confirm_down` checks in a row make DOWN.

    `container` is the key of the container that it belongs to; a container check has it by itself.
    `allow_guarded` (admin): also addresses that are refused otherwise, like cloud metadata.
    """

    name: MonitorName
    check: CheckSettings
    tier: MonitorTier = MonitorTier.OPTIONAL
    interval_s: float = Field(default=60, ge=5, le=86400)
    timeout_s: float = Field(default=10, ge=0.5, le=120)
    retries: int = Field(default=1, ge=0, le=10)
    confirm_down: int = Field(default=2, ge=1, le=100)
    container: str | None = Field(default=None, max_length=512)
    slo: Slo = Slo()
    allow_guarded: bool = False


class Monitor(Model):
    """A monitor and how its service is. `target` is what is checked, as a person would write it.

    `reason` says why it is not up; `warning` what is wrong although it is up, like a VNC server
    that asks for no password. `since` is when `state` began; None until the first check.
    `server_name` and `start_tls` are those of a TLS check.
    """

    key: str
    name: str
    type: CheckType
    target: str
    tier: MonitorTier
    source: MonitorSource
    interval_s: float
    container: str | None = None
    state: MonitorState
    since: datetime | None = None
    reason: str | None = None
    warning: str | None = None
    slo: Slo
    server_name: str | None = None
    start_tls: StartTls | None = None


class MonitorDetail(Model):
    """Something more that a check learnt, as "version": "1.41"."""

    name: str
    value: str | float | int | bool


class MonitorResult(Model):
    """The last check of a monitor. `code` says in a word what was wrong: refused, timed_out, ..."""

    key: str
    at: datetime
    ok: bool
    response_ms: float | None = None
    code: str | None = None
    reason: str | None = None
    status: int | None = None
    certificate_days_left: int | None = None
    details: tuple[MonitorDetail, ...] = ()


class Span(Model):
    """What was measured over a time. Only what was watched counts: gaps, pauses, windows do not.

    `uptime_percent` is by time, `error_percent` by checks. None where nothing was watched.
    """

    uptime_percent: float | None = None
    error_percent: float | None = None
    response_p50_ms: float | None = None
    response_p95_ms: float | None = None
    up_s: float = 0
    down_s: float = 0
    checks: int = 0


class Budget(Model):
    """How much of what may go wrong in 30 days is left. Negative: overdrawn.

    `burn_rate` 1 uses exactly all of it in 30 days; it is measured over the last hour and 6 hours.
    """

    uptime_left_percent: float | None = None
    uptime_left_s: float | None = None
    error_left_percent: float | None = None
    burn_rate_1h: float | None = None
    burn_rate_6h: float | None = None
    met: bool | None = None


class MonitorReport(Model):
    """What is known of a monitor over time."""

    key: str
    day: Span
    week: Span
    month: Span
    year: Span
    budget: Budget


class MonitorEventType(StrEnum):
    """What happened to a service."""

    DOWN = "down"
    UP = "up"


class MonitorEvent(Model):
    """The newest thing that happened to a monitored service, told once: see `ContainerEvent`.

    `duration_s` is how long it was down, for UP.
    """

    key: str
    name: str
    tier: MonitorTier
    type: MonitorEventType
    number: int
    at: datetime
    reason: str | None = None
    code: str | None = None
    duration_s: float | None = None


class MonitorList(Model):
    """All monitors, by name."""

    monitors: tuple[Monitor, ...]


class MonitorDescription(Model):
    """Everything about one monitor. Secrets in `settings` are shown as stars."""

    monitor: Monitor
    settings: MonitorSettings
    result: MonitorResult | None = None
    report: MonitorReport | None = None


class AddMonitorBody(MonitorSettings):
    """A new monitor. `key` is made of its name where none is given."""

    key: MonitorKey | None = None


class UpdateMonitorBody(MonitorSettings):
    """The settings that replace the old ones. A secret given as stars stays as it is."""


class Proposal(Model):
    """A monitor that could be made, for a port that a container publishes."""

    container: str
    container_name: str
    settings: MonitorSettings
    why: str


class ProposalList(Model):
    """What is not watched yet."""

    proposals: tuple[Proposal, ...]


class HistoryQuery(Model):
    """What to read of the past of one monitor. `until` is now where none is given."""

    since: datetime
    until: datetime | None = None
    limit: int = Field(default=500, ge=1, le=5000)


class HistoryBucket(Model):
    """A piece of the past."""

    start: datetime
    length_s: float
    span: Span


class History(Model):
    """The past of one monitor, oldest first, in pieces as fine as is still known."""

    buckets: tuple[HistoryBucket, ...]


class PastCheck(Model):
    """One check of the past. `code` says in a word what was wrong."""

    at: datetime
    ok: bool
    response_ms: float | None = None
    code: str | None = None


class PastChecks(Model):
    """Single checks, oldest first; they are known for some hours."""

    checks: tuple[PastCheck, ...]


class ReportFormat(StrEnum):
    """How the service health table is written."""

    JSON = "json"
    MARKDOWN = "markdown"
    CSV = "csv"


class ReportRow(Model):
    """One line of the service health table."""

    name: str
    key: str
    tier: MonitorTier
    endpoint: str
    state: MonitorState
    since: datetime | None = None
    reason: str | None = None
    last_check_at: datetime | None = None
    response_ms: float | None = None
    uptime_day_percent: float | None = None
    uptime_week_percent: float | None = None
    uptime_month_percent: float | None = None
    uptime_year_percent: float | None = None


class HealthReport(Model):
    """The service health table: critical services first, what is down first among those."""

    at: datetime
    critical: tuple[ReportRow, ...]
    optional: tuple[ReportRow, ...]
    down: int
    total: int


class ReportQuery(Model):
    """How to write the report. `name`: names or keys of monitors; all where none is given."""

    format: ReportFormat = ReportFormat.JSON
    name: tuple[str, ...] = Field(default=(), max_length=1000)


class Repeat(StrEnum):
    """When a maintenance window comes again, at the same local time."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"


class MaintenanceBody(Model):
    """A time in which failures are expected. `monitors` are keys; none means all.

    `starts_at` with its zone; `time_zone` (IANA) keeps a window that repeats at its local time.
    """

    name: MonitorName
    starts_at: datetime
    duration_s: float = Field(ge=60, le=7 * 86400)
    repeat: Repeat = Repeat.NEVER
    time_zone: str = Field(default="UTC", max_length=64)
    monitors: tuple[MonitorKey, ...] = Field(default=(), max_length=1000)


class MaintenanceWindow(Model):
    """A maintenance window; `active` right now, or next from `next_from` to `next_until`."""

    key: str
    name: str
    starts_at: datetime
    duration_s: float
    repeat: Repeat
    time_zone: str
    monitors: tuple[str, ...]
    active: bool
    next_from: datetime | None = None
    next_until: datetime | None = None


class MaintenanceList(Model):
    """All maintenance windows."""

    windows: tuple[MaintenanceWindow, ...]


class OccurrenceQuery(Model):
    """Between which moments to look for windows."""

    since: datetime
    until: datetime


class Occurrence(Model):
    """One time that a window is open."""

    key: str
    name: str
    starts_at: datetime
    ends_at: datetime


class OccurrenceList(Model):
    """When windows are open, in order of time."""

    occurrences: tuple[Occurrence, ...]


class CheckNowBody(Model):
    """`wait_s`: how long to wait for the answer."""

    wait_s: float = Field(default=30, ge=0, le=120)
