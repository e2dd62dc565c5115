"""A swarm is followed without wearing out its manager."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import override

from homelab_agent.areas.swarm.watch import SwarmWatch
from homelab_agent.platform.engine.demo.swarm import DemoSwarm
from homelab_agent.platform.engine.swarm import (
    EngineNode,
    EngineService,
    EngineSwarm,
    SwarmRole,
)
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.resources import Resources
from tests.harness.waiting import wait_until


class ManagerBehindCuttingProxy(DemoSwarm):
    """Answers, but every stream of events is cut as soon as it is there."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.attached = 0

    @override
    async def swarm(self) -> EngineSwarm:
        self.looks += 1
        for _ in range(10):  # as long as an answer takes, the stream ends
            await asyncio.sleep(0)
        return EngineSwarm(role=SwarmRole.MANAGER, nodes=1, managers=1)

    @override
    async def services(self) -> tuple[EngineService, ...]:
        return ()

    @override
    async def nodes(self) -> tuple[EngineNode, ...]:
        return ()

    @override
    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[None]]:
        self.attached += 1

        async def cut() -> AsyncIterator[None]:
            for nothing in ():
                yield nothing
            raise Unavailable("The stream was cut.")

        yield cut()


async def test_a_manager_whose_events_are_cut_is_not_asked_without_a_pause() -> None:
    engine = ManagerBehindCuttingProxy()
    watch = asyncio.create_task(SwarmWatch(engine, Resources(), interval_s=60).run())

    async def lost() -> bool:
        return engine.attached > 0

    await wait_until(lost, what="the first stream")
    for _ in range(2000):
        await asyncio.sleep(0)
    assert engine.attached == 1
    assert engine.looks <= 3
    watch.cancel()
    await asyncio.wait((watch,))
