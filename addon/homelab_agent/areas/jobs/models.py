"""Pages of jobs."""

from pydantic import Field

from homelab_agent.platform.jobs.models import Job, JobState
from homelab_agent.platform.model import Model

MAX_PAGE_JOBS = 200


class JobsQuery(Model):
    """Which jobs to list, the newest first; all where nothing is given.

    `before` is the id of the job after which to go on.
    """

    before: str | None = Field(default=None, max_length=64)
    limit: int = Field(default=50, ge=1, le=MAX_PAGE_JOBS)
    target: str | None = Field(default=None, max_length=300)
    state: JobState | None = None


class JobPage(Model):
    """Jobs, the newest first. `next_before` is the `before` of the next page, None at the end."""

    jobs: tuple[Job, ...]
    next_before: str | None
