"""The jobs' routes."""

from homelab_agent.areas.jobs.models import JobPage, JobsQuery
from homelab_agent.areas.jobs.service import JobsService
from homelab_agent.platform.commands import query as declare_query
from homelab_agent.platform.jobs.models import Job


class JobRoutes:
    """What the agent works on, and what it worked on."""

    def __init__(self, service: JobsService) -> None:
        self._service = service

    @declare_query("jobs.list", "/jobs")
    async def list(self, query: JobsQuery) -> JobPage:
        """List jobs, the newest first; filter and page through them."""
        return await self._service.page(query)

    @declare_query("jobs.get", "/jobs/{id}")
    async def get(self, id: str) -> Job:  # noqa: A002  # the name in the path
        """Return one job."""
        return await self._service.get(id)
