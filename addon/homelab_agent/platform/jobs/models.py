"""A job as everyone sees it: id, steps, progress, outcome, who asked."""

from datetime import datetime
from enum import StrEnum

from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.model import Model

JOB_KIND = "job"
"""The resource kind under which jobs are published."""


class JobState(StrEnum):
    """Where a job is. FINISHED is the only end; `outcome` then says which."""

    RUNNING = "running"
    UNDOING = "undoing"
    FINISHED = "finished"


class StepState(StrEnum):
    """Where one step of a job is. DOING and UNDOING are written before the work begins."""

    PENDING = "pending"
    DOING = "doing"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"


class JobStep(Model):
    """One step of a job."""

    name: str
    state: StepState


class JobError(Model):
    """Why a job did not end well, in the words of `platform.errors`."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None
    extra: dict[str, str | int | float | bool | None] | None = None


class Job(Model):
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


class CommandResult(Model):
    """What a command answers. `outcome` is None while the job still runs (HTTP 202)."""

    outcome: Outcome | None
    message: str
    job: Job | None = None
