"""The invented homelab is one host: it is in no swarm."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import override

from homelab_agent.platform.engine.swarm import (
    EngineNode,
    EngineService,
    EngineSwarm,
    NodeAvailability,
    SwarmEngine,
    SwarmRole,
)
from homelab_agent.platform.errors import Conflict


class DemoSwarm(SwarmEngine):
    """Implements `SwarmEngine` as an engine outside of every swarm does."""

    @override
    async def swarm(self) -> EngineSwarm:
        return EngineSwarm(role=SwarmRole.INACTIVE)

    @override
    async def services(self) -> tuple[EngineService, ...]:
        raise _outside()

    @override
    async def nodes(self) -> tuple[EngineNode, ...]:
        raise _outside()

    @override
    async def service(self, name_or_id: str) -> EngineService:
        raise _outside()

    @override
    async def node(self, node_id: str) -> EngineNode:
        raise _outside()

    @override
    async def services_on(self, node_id: str) -> frozenset[str]:
        raise _outside()

    @override
    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[None]]:
        yield _silence()

    @override
    async def scale(self, service_id: str, replicas: int) -> None:
        raise _outside()

    @override
    async def force_update(self, service_id: str) -> None:
        raise _outside()

    @override
    async def roll_back(self, service_id: str) -> None:
        raise _outside()

    @override
    async def set_availability(self, node_id: str, availability: NodeAvailability) -> None:
        raise _outside()


async def _silence() -> AsyncIterator[None]:
    await asyncio.Event().wait()
    yield


def _outside() -> Conflict:
    return Conflict("The demo's host is in no swarm.")
