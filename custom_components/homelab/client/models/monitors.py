"""Monitors, as the API and the stream show them.

What changes at different rates is of different kinds: `monitor` when it is changed or goes down or
up, `monitor_result` with every check, `monitor_report` once a minute.
"""

from dataclasses import dataclass, field
from datetime import datetime

from .base import EACH_BY_ITSELF, OpenEnum
from .certificates import StartTls


class CheckType(OpenEnum):
    """What a monitor does."""

    HTTP = "http"
    TCP = "tcp"
    DNS = "dns"
    PING = "ping"
    TLS = "tls"
    CONTAINER = "container"
    PLEX = "plex"
    VNC = "vnc"
    SUNSHINE = "sunshine"
    HOME_ASSISTANT = "home_assistant"
    UNKNOWN = "unknown"


class MonitorTier(OpenEnum):
    """How much depends on it."""

    CRITICAL = "critical"
    OPTIONAL = "optional"
    UNKNOWN = "unknown"


class MonitorSource(OpenEnum):
    """Who made it: a person, or a label of a container."""

    PERSON = "person"
    LABEL = "label"
    UNKNOWN = "unknown"


class MonitorState(OpenEnum):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """What is promised of a service, per month of 30 days."""

    uptime_percent: float = 99.9
    error_percent: float = 1
    response_ms: float = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorDetail:
    """Something more that a check learnt, as "version": "1.41"."""

    name: str
    value: str | float | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorResult:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much of what may go wrong in 30 days is left. Negative: overdrawn.

    `burn_rate` 1 uses exactly all of it in 30 days; it is measured over the last hour and 6 hours.
    """

    uptime_left_percent: float | None = None
    uptime_left_s: float | None = None
    error_left_percent: float | None = None
    burn_rate_1h: float | None = None
    burn_rate_6h: float | None = None
    met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorReport:
    """What is known of a monitor over time."""

    key: str
    day: Span
    week: Span
    month: Span
    year: Span
    budget: Budget


class MonitorEventType(OpenEnum):
    """What happened to a service."""

    DOWN = "down"
    UP = "up"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorEvent:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorList:
    """All monitors, by name."""

    monitors: tuple[Monitor, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """What to read of the past of one monitor. `until` is now where none is given."""

    since: datetime
    until: datetime | None = None
    limit: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryBucket:
    """A piece of the past."""

    start: datetime
    length_s: float
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The past of one monitor, oldest first, in pieces as fine as is still known."""

    buckets: tuple[HistoryBucket, ...] = field(metadata=EACH_BY_ITSELF)


class ReportFormat(OpenEnum):
    """How the service health table is written."""

    JSON = "json"
    MARKDOWN = "markdown"
    CSV = "csv"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """The service health table: critical services first, what is down first among those."""

    at: datetime
    critical: tuple[ReportRow, ...] = field(metadata=EACH_BY_ITSELF)
    optional: tuple[ReportRow, ...] = field(metadata=EACH_BY_ITSELF)
    down: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """How to write the report. `name`: names or keys of monitors; all where none is given."""

    format: ReportFormat = ReportFormat.JSON
    name: tuple[str, ...] = ()


class Repeat(OpenEnum):
    """When a maintenance window comes again, at the same local time."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceBody:
    """A time in which failures are expected. `monitors` are keys; none means all.

    `starts_at` with its zone; `time_zone` (IANA) keeps a window that repeats at its local time.
    """

    name: str
    starts_at: datetime
    duration_s: float
    repeat: Repeat = Repeat.NEVER
    time_zone: str = "UTC"
    monitors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceList:
    """All maintenance windows."""

    windows: tuple[MaintenanceWindow, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceQuery:
    """Between which moments to look for windows."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One time that a window is open."""

    key: str
    name: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceList:
    """When windows are open, in order of time."""

    occurrences: tuple[Occurrence, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckNowBody:
    """`wait_s`: how long to wait for the answer."""

    wait_s: float = 30
