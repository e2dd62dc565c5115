"""The swarm's routes."""

from homelab_agent.areas.swarm.models import (
    SWARM_SERVICE_KIND,
    NodeBody,
    ScaleBody,
    Swarm,
    SwarmBody,
    SwarmNodeList,
    SwarmServiceList,
)
from homelab_agent.areas.swarm.service import SwarmArea
from homelab_agent.platform.commands import Caller, Scope, command
from homelab_agent.platform.commands import query as declare_query
from homelab_agent.platform.jobs.models import CommandResult


class SwarmRoutes:
    """Services and nodes of a swarm: look at them, scale, update, drain."""

    def __init__(self, area: SwarmArea) -> None:
        self._area = area

    @declare_query("swarm.get", "/swarm")
    async def swarm(self) -> Swarm:
        """Return what this host is in a swarm."""
        return await self._area.swarm()

    @declare_query("swarm.services", "/swarm/services")
    async def services(self) -> SwarmServiceList:
        """List the services of the swarm, by name."""
        return await self._area.services()

    @declare_query("swarm.nodes", "/swarm/nodes")
    async def nodes(self) -> SwarmNodeList:
        """List the nodes of the swarm, by name."""
        return await self._area.nodes()

    @command(
        "swarm.scale",
        "POST",
        "/swarm/services/{name}/scale",
        scope=Scope.OPERATE,
        idempotent=True,
        target=SWARM_SERVICE_KIND,
    )
    async def scale(self, name: str, body: ScaleBody, caller: Caller) -> CommandResult:
        """Want another number of tasks of a replicated service."""
        return await self._area.command_service(
            "scale", name, caller, wait_s=body.wait_s, replicas=body.replicas
        )

    @command(
        "swarm.force_update",
        "POST",
        "/swarm/services/{name}/force_update",
        scope=Scope.OPERATE,
        target=SWARM_SERVICE_KIND,
    )
    async def force_update(self, name: str, body: SwarmBody, caller: Caller) -> CommandResult:
        """Start all tasks of a service anew, as its update settings say."""
        return await self._area.command_service("force_update", name, caller, wait_s=body.wait_s)

    @command(
        "swarm.roll_back",
        "POST",
        "/swarm/services/{name}/rollback",
        scope=Scope.OPERATE,
        target=SWARM_SERVICE_KIND,
    )
    async def roll_back(self, name: str, body: SwarmBody, caller: Caller) -> CommandResult:
        """Return a service to its previous description."""
        return await self._area.command_service("roll_back", name, caller, wait_s=body.wait_s)

    @command(
        "swarm.set_availability",
        "POST",
        "/swarm/nodes/{name}/availability",
        scope=Scope.ADMIN,
        idempotent=True,
        dangerous=False,
    )
    async def set_availability(self, name: str, body: NodeBody, caller: Caller) -> CommandResult:
        """Say what work a node takes."""
        return await self._area.set_availability(
            name, body.availability, caller, wait_s=body.wait_s
        )
