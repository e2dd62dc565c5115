"""Reads jobs: the running ones as they are now, the ended ones from the journal."""

from homelab_agent.areas.jobs.models import JobPage, JobsQuery
from homelab_agent.platform.jobs.models import Job
from homelab_agent.platform.jobs.runner import JobRunner


class JobsService:
    """What the agent works on, and what it worked on."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    async def page(self, query: JobsQuery) -> JobPage:
        """Return the newest jobs that match, or those before `query.before`."""
        # One more than asked for tells whether there is a next page.
        jobs = await self._runner.page(
            limit=query.limit + 1, before=query.before, target=query.target, state=query.state
        )
        page = jobs[: query.limit]
        return JobPage(jobs=page, next_before=page[-1].id if len(jobs) > query.limit else None)

    async def get(self, job_id: str) -> Job:
        """Return one job; raise `NotFound` where there is none."""
        return await self._runner.get(job_id)
