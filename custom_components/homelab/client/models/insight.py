"""What is about to go wrong, each with what it rests on, as the API and the stream show it."""

from dataclasses import dataclass, field
from datetime import datetime

from .base import EACH_BY_ITSELF, OpenEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskForecast:
    """When a file system will be full. `key` is the file system's.

    `days_until_full` is None where it cannot be known or will not happen: `reason` says which. It
    is never negative, and never further than the history allows to look.
    """

    key: str
    days_until_full: float | None = None
    full_at: datetime | None = None
    reason: str | None = None
    growth_bytes_per_day: float | None = None
    observed_from: datetime | None = None
    observed_until: datetime | None = None
    samples: int = 0


class FindingType(OpenEnum):
    """What was noticed."""

    DISK_FILLING = "disk_filling"
    DISK_FULL = "disk_full"
    FILESYSTEM_LOST = "filesystem_lost"
    FILESYSTEM_READ_ONLY = "filesystem_read_only"
    DISK_FAILING = "disk_failing"
    MEMORY_LEAK = "memory_leak"
    TEMPERATURE_UNUSUAL = "temperature_unusual"
    TRAFFIC_UNUSUAL = "traffic_unusual"
    CLOCK_WRONG = "clock_wrong"
    UNKNOWN = "unknown"


class FindingSeverity(OpenEnum):
    """How soon somebody should look."""

    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing a finding rests on, for a person: what, and how much of which unit."""

    name: str
    value: float | str
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is so right now. `key` is `type:subject`, with `subject` the thing's own key.

    `subject_kind` is the kind of resource that it is about.
    """

    key: str
    type: FindingType
    severity: FindingSeverity
    subject_kind: str
    subject: str
    message: str
    since: datetime
    evidence: tuple[Fact, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightReport:
    """All forecasts, and all findings, the worst first."""

    forecasts: tuple[DiskForecast, ...] = field(metadata=EACH_BY_ITSELF)
    findings: tuple[Finding, ...] = field(metadata=EACH_BY_ITSELF)
