"""Asks the engine about single containers: after an event, and after a command."""

import asyncio

from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.status import EngineState
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.models import EngineContainer
from homelab_agent.platform.errors import Failed, NotFound, TimedOut
from homelab_agent.platform.logging import get_logger

_AT_ONCE = 4
_TRIES = 3

_log = get_logger(__name__)


class Refresher:
    """Several requests for the same container are answered by one question."""

    def __init__(self, engine: Engine, inventory: Inventory, state: EngineState) -> None:
        self._engine = engine
        self._inventory = inventory
        self._state = state
        self._waiting: dict[str, None] = {}
        self._wake = asyncio.Semaphore(0)

    def request(self, container_id: str) -> None:
        """Have a container looked at soon."""
        if container_id not in self._waiting:
            self._waiting[container_id] = None
            self._wake.release()

    async def run(self) -> None:
        """Look at what is requested, a few containers at once; ends with the engine's error."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(self._work())

    async def refresh(self, container_id: str) -> EngineContainer | None:
        """Look at a container now and return it; None when it is gone.

        What is published afterwards is at least as new as this call.
        """
        row: EngineContainer | None = None
        for _ in range(_TRIES):
            version = self._inventory.version(container_id)
            try:
                row = await self._engine.inspect(container_id)
            except NotFound:
                self._inventory.drop(container_id)
                row = None
                break
            if self._inventory.version(container_id) == version:
                self._inventory.put(row)
                break
            # An event came in between: the answer may be from before it.
        self._state.count()
        return row

    async def _work(self) -> None:
        while True:
            await self._wake.acquire()
            container_id = next(iter(self._waiting))
            del self._waiting[container_id]
            try:
                await self.refresh(container_id)
            except (TimedOut, Failed) as error:
                # The others go on; the next full list tries this one again.
                _log.warning("container_not_readable", id=container_id[:12], why=error.message)
