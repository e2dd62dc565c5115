"""Work that takes its time, and what a command answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .base import OpenEnum


class Outcome(OpenEnum):
    """How something that changes something ended."""

    DONE = "done"
    NOT_NEEDED = "not_needed"
    REFUSED = "refused"
    FAILED = "failed"
    UNDONE = "undone"
    UNKNOWN = "unknown"


class JobState(OpenEnum):
    """Where a job is."""

    RUNNING = "running"
    UNDOING = "undoing"
    FINISHED = "finished"
    UNKNOWN = "unknown"


class StepState(OpenEnum):
    """Where one step of a job is."""

    PENDING = "pending"
    DOING = "doing"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStep:
    """One step of a job."""

    name: str
    state: StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job did not end well."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None
    extra: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work. `progress` is 0..1, None where it cannot be known."""

    id: str
    kind: str
    target: str
    caller: str
    state: JobState
    outcome: Outcome | None = None
    steps: tuple[JobStep, ...]
    progress: float | None = None
    message: str | None = None
    error: JobError | None = None
    created_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a command answers. `outcome` is None while the job still runs."""

    outcome: Outcome | None
    message: str
    job: Job | None = None
