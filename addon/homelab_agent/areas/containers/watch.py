"""Follows the engine: its events at once, a full list as the watchdog behind them.

After every loss it attaches again from the last event on, and lists everything anew.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from homelab_agent.areas.containers.chronicle import Chronicle
from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.looks import Looks
from homelab_agent.areas.containers.refresher import Refresher
from homelab_agent.areas.containers.status import EngineState
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.models import EngineEvent, EngineInfo, EngineRight
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

DELAYS_S = (0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15)
"""How long to wait before each new attempt; the last one from then on."""

STEADY_S = 5.0
"""A connection that held this long was a good one: the next attempt is at once again."""

_MOST_AFTER_LOSS = 5
"""Which of the delays is the longest while the engine does answer, but its stream is cut."""

PING_S = 30.0
"""How often to make sure that an engine that tells of nothing is there at all."""

POLL_S = 10.0
"""How often to list where a proxy forbids the events."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to look, and how long to wait before each new attempt."""

    resync_interval_s: float
    delays_s: Sequence[float] = DELAYS_S
    ping_s: float = PING_S


class _AttachAgain(Exception):
    """The connection works, but has to be made anew."""


class ContainerWatch:
    """Keeps the inventory and the engine's status true."""

    def __init__(
        self,
        engine: Engine,
        inventory: Inventory,
        state: EngineState,
        refresher: Refresher,
        chronicle: Chronicle,
        pace: Pace,
    ) -> None:
        self._engine = engine
        self._inventory = inventory
        self._state = state
        self._refresher = refresher
        self._chronicle = chronicle
        self._pace = pace
        self._looks = Looks()
        self._last_ns: int | None = None

    async def run(self) -> None:
        """Follow the engine until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._chronicle.run())
            group.create_task(self._keep_following())

    async def look(self) -> None:
        """Look at the engine and its rights at once; what there is, is then published."""
        await self._looks.now()

    async def _keep_following(self) -> None:
        loop = asyncio.get_running_loop()
        attempt, at_once = 0, False
        while True:
            began = loop.time()
            reached = await self._follow()
            attempt = 0 if loop.time() - began > STEADY_S else attempt + 1
            if reached:
                attempt = min(attempt, _MOST_AFTER_LOSS)
            # Only an attempt tells whether the engine is gone, or its stream alone was cut. Once:
            # a proxy that cuts every stream is not to be asked without a pause.
            at_once = reached and not at_once
            if at_once:
                continue
            delays_s = self._pace.delays_s
            await self._looks.pause(delays_s[min(attempt, len(delays_s) - 1)])

    async def _follow(self) -> bool:
        """Follow the engine for as long as the connection holds; return whether there was one."""
        reached = False
        try:
            info, missing = await self._look()
            async with self._attached(missing) as events:
                reached = True
                await self._live(info, missing, events)
        except _AttachAgain:
            _log.info("engine_attaching_again")
        except AgentError as error:
            # A lost stream alone is no absence: the next attempt tells, and follows at once.
            if not reached:
                self._say_unavailable(error)
            else:
                _log.info("engine_connection_lost", why=error.message)
        return reached

    async def _look(self) -> tuple[EngineInfo, frozenset[EngineRight]]:
        info = await self._engine.connect()
        return info, await self._engine.missing_rights()

    @asynccontextmanager
    async def _attached(
        self, missing: frozenset[EngineRight]
    ) -> AsyncIterator[AsyncIterator[EngineEvent] | None]:
        if EngineRight.EVENTS in missing:
            yield None
            return
        since_ns = None if self._last_ns is None else self._last_ns + 1
        async with self._engine.events(since_ns) as events:
            yield events

    async def _live(
        self,
        info: EngineInfo,
        missing: frozenset[EngineRight],
        events: AsyncIterator[EngineEvent] | None,
    ) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._refresher.run())
                group.create_task(self._keep_in_sync(info, missing))
                group.create_task(self._ping())
                if events is not None:
                    group.create_task(self._read(events))
        except BaseExceptionGroup as errors:
            raise _first(errors) from None

    async def _read(self, events: AsyncIterator[EngineEvent]) -> None:
        async for event in events:
            self._last_ns = event.time_ns
            before = self._inventory.row(event.container_id)
            if self._inventory.apply(event):
                self._refresher.request(event.container_id)
            self._chronicle.follow(event, before)
            self._state.count()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._pace.ping_s)
            await self._engine.connect()

    async def _keep_in_sync(self, info: EngineInfo, missing: frozenset[EngineRight]) -> None:
        silent = EngineRight.EVENTS in missing
        pause_s = (
            min(self._pace.resync_interval_s, POLL_S) if silent else self._pace.resync_interval_s
        )
        first = True
        while True:
            missed = await self._resync(missing)
            self._say_connected(info, missing)
            if missed and not first and not silent:
                _log.warning("events_were_missing", containers=missed)
                raise _AttachAgain
            first = False
            await self._looks.pause(pause_s)
            info, missing = await self._look()
            if silent is not (EngineRight.EVENTS in missing):
                raise _AttachAgain

    async def _resync(self, missing: frozenset[EngineRight]) -> int:
        if EngineRight.CONTAINERS_READ in missing:
            return 0
        self._inventory.begin_resync()
        result = self._inventory.end_resync(await self._engine.list_containers())
        self._chronicle.compare(result)
        for container_id in result.touched:
            self._refresher.request(container_id)
        return result.missed

    def _say_connected(self, info: EngineInfo, missing: frozenset[EngineRight]) -> None:
        before = self._state.status
        self._state.connected(info, missing)
        after = self._state.status
        if before.since != after.since or before.missing_rights != after.missing_rights:
            _log.info("engine_connected", version=info.version, api=info.api_version)
            if missing:
                _log.warning("engine_rights_missing", rights=sorted(missing))
        self._looks.done()

    def _say_unavailable(self, error: AgentError) -> None:
        known = self._state.status.reason == error.message
        self._state.unavailable(error)
        (_log.debug if known else _log.warning)(
            "engine_unavailable", why=error.message, hint=error.hint
        )
        self._looks.done()


def _first(errors: BaseExceptionGroup) -> BaseException:
    """Return the error to act on: a mistake of our own rather than the engine's absence."""
    flat = [
        _first(error) if isinstance(error, BaseExceptionGroup) else error
        for error in errors.exceptions
    ]
    return next((error for error in flat if not isinstance(error, AgentError)), flat[0])
