"""The agent's own routes."""

from homelab_agent.areas.agent.models import AgentDetails, Health
from homelab_agent.areas.agent.service import AgentService
from homelab_agent.platform.commands import query


class AgentRoutes:
    """What the agent says of itself."""

    def __init__(self, service: AgentService) -> None:
        self._service = service

    @query("agent.health", "/health", scope=None)
    async def health(self) -> Health:
        """Tell whether the agent works; no token is needed."""
        return await self._service.health()

    @query("agent.info", "/info")
    async def info(self) -> AgentDetails:
        """Describe the agent, its engine and its settings."""
        return self._service.details()
