"""What an agent can be asked and told about Docker Swarm."""

from .models import (
    CommandResult,
    NodeBody,
    ScaleBody,
    SwarmBody,
    SwarmNode,
    SwarmNodeList,
    SwarmService,
    SwarmServiceList,
)
from .parse import reader
from .requests import Requests

_NODES = reader(SwarmNodeList)
_SERVICES = reader(SwarmServiceList)


class SwarmApi:
    """The swarm that one agent's host manages."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def services(self) -> tuple[SwarmService, ...]:
        """Return all services, by name."""
        return (await self._requests.get(_SERVICES, "swarm", "services")).services

    async def nodes(self) -> tuple[SwarmNode, ...]:
        """Return all nodes, by name."""
        return (await self._requests.get(_NODES, "swarm", "nodes")).nodes

    async def scale(self, name: str, body: ScaleBody) -> CommandResult:
        """Say how many tasks of a service are wanted."""
        return await self._requests.command(
            "swarm", "services", name, "scale", body=body, wait_s=body.wait_s
        )

    async def force_update(self, name: str, body: SwarmBody) -> CommandResult:
        """Replace a service's tasks, though nothing about it changed."""
        return await self._requests.command(
            "swarm", "services", name, "force_update", body=body, wait_s=body.wait_s
        )

    async def set_availability(self, node_id: str, body: NodeBody) -> CommandResult:
        """Say whether a node takes work."""
        return await self._requests.command(
            "swarm", "nodes", node_id, "availability", body=body, wait_s=body.wait_s
        )
