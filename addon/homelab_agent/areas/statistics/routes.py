"""The statistics' routes."""

from homelab_agent.areas.statistics.models import ContainerStats, StatisticsReport
from homelab_agent.areas.statistics.service import StatisticsService
from homelab_agent.platform.commands import query


class StatisticsRoutes:
    """What containers use."""

    def __init__(self, service: StatisticsService) -> None:
        self._service = service

    @query("statistics.report", "/stats")
    async def report(self) -> StatisticsReport:
        """Return what all running containers use; takes a second while nobody listens."""
        return await self._service.report()

    @query("statistics.container", "/containers/{name}/stats")
    async def container(self, name: str) -> ContainerStats:
        """Return what one running container uses, by its Docker name or its key."""
        return await self._service.container(name)
