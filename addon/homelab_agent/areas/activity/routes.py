"""The activity's route."""

from homelab_agent.areas.activity.models import ActivityPage, ActivityQuery
from homelab_agent.areas.activity.service import ActivityService
from homelab_agent.platform.commands import query as declare_query


class ActivityRoutes:
    """What happened, by whom, with what result."""

    def __init__(self, service: ActivityService) -> None:
        self._service = service

    @declare_query("activity.list", "/activity")
    async def list(self, query: ActivityQuery) -> ActivityPage:
        """List what happened, the newest first; filter, search and page through it."""
        return await self._service.page(query)
