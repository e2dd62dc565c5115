"""The routes of what is about to go wrong."""

from homelab_agent.areas.insight.models import InsightReport
from homelab_agent.areas.insight.service import InsightService
from homelab_agent.platform.commands import query


class InsightRoutes:
    """Forecasts and findings."""

    def __init__(self, service: InsightService) -> None:
        self._service = service

    @query("insight.report", "/insight")
    async def report(self) -> InsightReport:
        """Return when file systems will be full, and what is wrong or about to be, with why."""
        return self._service.report()
