"""What can be asked of the swarm, and told to it."""

from homelab_agent.areas.swarm.jobs import SwarmCommand
from homelab_agent.areas.swarm.models import (
    SWARM_NODE_KIND,
    SWARM_SERVICE_KIND,
    Swarm,
    SwarmNode,
    SwarmNodeList,
    SwarmService,
    SwarmServiceList,
)
from homelab_agent.areas.swarm.protection import SwarmProtection
from homelab_agent.areas.swarm.watch import SwarmWatch
from homelab_agent.platform.commands import Caller
from homelab_agent.platform.engine.swarm import NodeAvailability, SwarmRole
from homelab_agent.platform.errors import Conflict, NotFound, Protected
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.resources import Resources


class SwarmArea:
    """The swarm as this host knows it: services and nodes are known to managers only."""

    def __init__(
        self,
        watch: SwarmWatch,
        protection: SwarmProtection,
        resources: Resources,
        runner: JobRunner,
    ) -> None:
        self._watch = watch
        self._protection = protection
        self._resources = resources
        self._runner = runner

    async def swarm(self) -> Swarm:
        """Return this host's place in a swarm, as it is now."""
        return await self._watch.look()

    async def services(self) -> SwarmServiceList:
        """Return all services, by name; `Conflict` where this host is no manager."""
        await self._require_manager()
        found = self._resources.every(SWARM_SERVICE_KIND, SwarmService)
        return SwarmServiceList(services=found)

    async def nodes(self) -> SwarmNodeList:
        """Return all nodes, by name; `Conflict` where this host is no manager."""
        await self._require_manager()
        nodes = self._resources.every(SWARM_NODE_KIND, SwarmNode)
        return SwarmNodeList(nodes=tuple(sorted(nodes, key=lambda node: (node.name, node.id))))

    async def command_service(
        self,
        verb: str,
        name: str,
        caller: Caller,
        *,
        wait_s: float,
        replicas: int | None = None,
    ) -> CommandResult:
        """Start a job on a service, by name or id; `Busy` while another one runs on it."""
        services = (await self.services()).services
        service = next((each for each in services if name in {each.name, each.id}), None)
        if service is None:
            raise NotFound(f"There is no service {name[:200]!r} in the swarm.", field="name")
        if replicas is not None and service.mode != "replicated":
            raise Conflict(
                f"{service.name} is a {service.mode} service: only a replicated one has a number "
                "of tasks that can be chosen.",
                field="replicas",
            )
        command = SwarmCommand(id=service.id, name=service.name, replicas=replicas)
        return await self._run(f"swarm.{verb}", service.key, command, caller, wait_s)

    async def set_availability(
        self, name: str, availability: str, caller: Caller, *, wait_s: float
    ) -> CommandResult:
        """Start a job that says what work a node takes; the node by id, or by name if unique.

        Raises:
            Protected: draining it would end a task that is protected.
        """
        nodes = [each for each in (await self.nodes()).nodes if name in {each.name, each.id}]
        if not nodes:
            raise NotFound(f"There is no node {name[:200]!r} in the swarm.", field="name")
        if len(nodes) > 1:
            raise Conflict(f"Several nodes are called {name}: use the id.", field="name")
        if availability == NodeAvailability.DRAIN and (
            reason := await self._protection.node_reason(nodes[0].id)
        ):
            raise Protected(f"{nodes[0].name} cannot be drained: {reason}", field="availability")
        command = SwarmCommand(id=nodes[0].id, name=nodes[0].name, availability=availability)
        return await self._run("swarm.set_availability", nodes[0].key, command, caller, wait_s)

    async def _run(
        self, kind: str, key: str, command: SwarmCommand, caller: Caller, wait_s: float
    ) -> CommandResult:
        job = await self._runner.start(kind, f"swarm:{key}", command, caller)
        ended = await self._runner.wait(job.id, wait_s)
        return answer(ended, meanwhile=f"{command.name} is still being changed.")

    async def _require_manager(self) -> None:
        match (await self.swarm()).role:
            case SwarmRole.MANAGER:
                return
            case SwarmRole.WORKER:
                raise Conflict(
                    "This host is a worker: only a manager knows services and nodes.",
                    hint="Run the agent on a manager of the swarm.",
                )
            case SwarmRole.INACTIVE:
                raise Conflict("This host is in no swarm.", hint="docker swarm init makes one.")
