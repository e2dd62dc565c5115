"""Follows the swarm, where there is one: its events at once, a full look behind them.

Outside of a swarm one cheap question now and then is all that it costs.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable

from homelab_agent.areas.swarm.models import (
    SWARM_KEY,
    SWARM_KIND,
    SWARM_NODE_KIND,
    SWARM_SERVICE_KIND,
    Swarm,
    SwarmNode,
    SwarmService,
)
from homelab_agent.platform.engine.swarm import (
    EngineNode,
    EngineService,
    EngineSwarm,
    SwarmEngine,
    SwarmRole,
)
from homelab_agent.platform.errors import AgentError, Conflict, Denied
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources

GATHER_S = 0.2
"""Changes come in bursts: what comes within this time is answered by one look."""

_SETTLING_S = 2.0
"""After a change tasks start and end, and no event tells of those."""

_RETRY_S = 5.0
"""How soon to look again after the engine or its events were lost."""

_STACK = "com.docker.stack.namespace"
_UPDATING = frozenset({"updating", "rollback_started"})

_log = get_logger(__name__)


class SwarmWatch:
    """Keeps the swarm's resources true."""

    def __init__(
        self,
        engine: SwarmEngine,
        resources: Resources,
        *,
        interval_s: float,
        settling_s: float = _SETTLING_S,
    ) -> None:
        self._engine = engine
        self._resources = resources
        self._interval_s = interval_s
        self._settling_s = settling_s
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Follow the swarm until cancelled."""
        while True:
            pause_s = min(_RETRY_S, self._interval_s)
            try:
                if (await self.look()).role is SwarmRole.MANAGER:
                    await self._follow()
                else:
                    pause_s = self._interval_s
            except AgentError as error:
                _log.debug("swarm_not_seen", why=error.message)
            await self._pause(pause_s)

    async def look(self) -> Swarm:
        """Look at everything now, publish and return this host's place."""
        place = await self._engine.swarm()
        services: tuple[EngineService, ...] = ()
        nodes: tuple[EngineNode, ...] = ()
        known = place.role is SwarmRole.MANAGER
        if known:
            try:
                services, nodes = await self._engine.services(), await self._engine.nodes()
            except (Conflict, Denied) as error:
                # A manager no longer, or one that a proxy hides; the place itself is true.
                _log.info("swarm_not_readable", why=error.message)
                known = False
        shown = _swarm(place, services, nodes, known=known)
        self._publish(SWARM_SERVICE_KIND, ((each.name, _service(each)) for each in services))
        self._publish(SWARM_NODE_KIND, ((each.id, _node(each)) for each in nodes))
        self._resources.publish(SWARM_KIND, SWARM_KEY, shown)
        return shown

    async def _follow(self) -> None:
        """Follow a manager until it is none any more, or its events are lost."""
        async with self._engine.changes() as changes:
            reading = asyncio.create_task(self._read(changes))
            try:
                while (await self.look()).role is SwarmRole.MANAGER and not reading.done():
                    if await self._pause(self._interval_s):
                        await asyncio.sleep(GATHER_S)
                        await self.look()
                        await asyncio.sleep(self._settling_s)
                    self._wake.clear()
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                # Its end is no news: a proxy that cuts every stream is not asked without a pause.
                self._wake.clear()

    async def _read(self, changes: AsyncIterator[None]) -> None:
        try:
            async for _ in changes:
                self._wake.set()
        finally:
            self._wake.set()

    async def _pause(self, seconds: float) -> bool:
        """Wait; return whether something happened meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    def _publish(self, kind: str, rows: Iterable[tuple[str, Model]]) -> None:
        now = dict(rows)
        for gone in set(self._resources.keys(kind)) - now.keys():
            self._resources.remove(kind, gone)
        for key, row in now.items():
            self._resources.publish(kind, key, row)


def _swarm(
    place: EngineSwarm,
    services: tuple[EngineService, ...],
    nodes: tuple[EngineNode, ...],
    *,
    known: bool,
) -> Swarm:
    if not known:
        return Swarm(role=place.role, nodes=place.nodes, managers=place.managers)
    return Swarm(
        role=place.role,
        nodes=len(nodes),
        managers=sum(each.role == "manager" for each in nodes),
        nodes_ready=sum(each.state == "ready" for each in nodes),
        services=len(services),
        services_degraded=sum(_is_degraded(each) for each in services),
    )


def _is_degraded(service: EngineService) -> bool:
    if service.running is None or service.desired is None:
        return False
    return service.running < service.desired


def _service(service: EngineService) -> SwarmService:
    return SwarmService(
        key=service.name,
        id=service.id,
        name=service.name,
        image=service.image,
        mode=service.mode,
        running=service.running,
        desired=service.desired,
        stack=service.labels.get(_STACK),
        updating=service.update_state in _UPDATING,
        update_message=service.update_message,
    )


def _node(node: EngineNode) -> SwarmNode:
    return SwarmNode(
        key=node.id,
        id=node.id,
        name=node.name,
        role=node.role,
        state=node.state,
        availability=node.availability,
        leader=node.leader,
        address=node.address,
        engine_version=node.engine_version,
    )
