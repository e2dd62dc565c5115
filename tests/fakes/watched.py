"""The containers area on some engine, without the rest of the agent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from homelab_agent.areas.containers.chronicle import Chronicle
from homelab_agent.areas.containers.event_resources import EventResources
from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.models import (
    CONTAINER_KIND,
    ENGINE_KEY,
    ENGINE_KIND,
    Container,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.areas.containers.protection import Protection
from homelab_agent.areas.containers.refresher import Refresher
from homelab_agent.areas.containers.status import EngineState
from homelab_agent.areas.containers.watch import ContainerWatch, Pace
from homelab_agent.platform.clock import Clock, utc_now
from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.resources import Change, Resources

DELAYS_S = (0, 0.02, 0.05)


@dataclass
class Watched:
    """The parts, and the task that follows the engine."""

    engine: Engine
    resources: Resources
    inventory: Inventory
    state: EngineState
    refresher: Refresher
    watch: ContainerWatch
    task: asyncio.Task[None]

    def container(self, key: str) -> Container | None:
        found = self.resources.get(CONTAINER_KIND, key)
        return found if isinstance(found, Container) else None

    def shown(self, key: str) -> Container:
        found = self.container(key)
        assert found is not None, key
        return found

    @property
    def status(self) -> EngineStatus:
        found = self.resources.get(ENGINE_KIND, ENGINE_KEY)
        assert isinstance(found, EngineStatus)
        return found

    async def until(self, holds: Callable[[], object], *, within_s: float = 60) -> None:
        """Wait until a condition on what is published holds."""
        with self.resources.subscribe() as changes:
            if holds():
                return
            async with asyncio.timeout(within_s):
                async for _ in changes.batches():
                    if holds():
                        return

    async def connected(self) -> None:
        await self.until(lambda: self.status.connection is EngineConnection.CONNECTED)

    @asynccontextmanager
    async def recorded(self) -> AsyncIterator[list[Change]]:
        """Give a list that fills with every change published meanwhile."""
        seen: list[Change] = []
        with self.resources.subscribe() as changes:

            async def record() -> None:
                async for batch in changes.batches():
                    seen.extend(batch)

            task = asyncio.create_task(record())
            try:
                yield seen
            finally:
                changes.close()
                await task


@asynccontextmanager
async def watched(
    url: str,
    *,
    resync_interval_s: float = 300,
    deadline_s: float = 5,
    ping_s: float = 30,
    delays_s: Sequence[float] = DELAYS_S,
    engine: Engine | None = None,
    protection: Protection | None = None,
    clock: Clock = utc_now,
) -> AsyncIterator[Watched]:
    """Give the area, following the engine at `url`."""
    used = engine or DockerEngine(Transport(url, deadline_s=deadline_s))
    resources = Resources()
    inventory = Inventory(resources, protection or Protection(own_id=None, listed=()))
    state = EngineState(resources, inventory, utc_now)
    refresher = Refresher(used, inventory, state)
    watch = ContainerWatch(
        used,
        inventory,
        state,
        refresher,
        Chronicle(EventResources(resources, clock), inventory, clock),
        Pace(resync_interval_s=resync_interval_s, delays_s=delays_s, ping_s=ping_s),
    )
    task = asyncio.create_task(watch.run())
    made = Watched(used, resources, inventory, state, refresher, watch, task)
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await used.close()
        if not task.cancelled():
            task.result()
