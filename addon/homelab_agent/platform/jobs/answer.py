"""What a command answers once its job has ended, or is still running."""

from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import AgentError, errors_by_code
from homelab_agent.platform.jobs.models import CommandResult, Job, JobError

_WELL = frozenset({Outcome.DONE, Outcome.NOT_NEEDED})


def answer(job: Job, *, meanwhile: str) -> CommandResult:
    """Return the result of a job that ended well, or `meanwhile` for one that runs.

    Raises the error of a job that did not end well, by its code; `extra` names the job.
    """
    if job.outcome is None:
        return CommandResult(outcome=None, message=meanwhile, job=job)
    if job.outcome in _WELL:
        return CommandResult(
            outcome=job.outcome, message=job.message or f"{job.kind}: {job.outcome}.", job=job
        )
    error = job.error or JobError(code=AgentError.code, message=f"{job.kind} ended {job.outcome}.")
    raise errors_by_code().get(error.code, AgentError)(
        error.message,
        field=error.field,
        hint=error.hint,
        extra={**(error.extra or {}), "job_id": job.id},
    )
