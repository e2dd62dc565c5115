"""Keeps what monitors measure, and tells once a minute how it adds up."""

import asyncio
from collections.abc import Awaitable, Callable

from homelab_agent.areas.monitors.board import Board
from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.history_store import HistoryStore
from homelab_agent.areas.monitors.service import MonitorService
from homelab_agent.areas.monitors.timeline import Timeline
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

WRITE_S = 5.0
"""A crash loses what was measured since the last batch, and no more."""

_SOONEST_S = 0.2
PRUNE_S = 3600.0
_AT_ONCE = 20
"""So many reports are made before others have their turn."""

_log = get_logger(__name__)


class Keeper:
    """The one that writes the history."""

    def __init__(
        self,
        service: MonitorService,
        history: History,
        store: HistoryStore,
        board: Board,
        timeline: Timeline,
        *,
        begin: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._service = service
        self._history = history
        self._store = store
        self._board = board
        self._timeline = timeline
        self._begin = begin
        self._minute = -1

    async def run(self) -> None:
        """Write every few seconds and sum up every minute, until cancelled; `begin` comes first."""
        if self._begin is not None:
            await self._begin()
        while True:
            if await self.write():
                await self._sum_up()
            self._board.remove_due_events()
            await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(_SOONEST_S)
        try:
            async with asyncio.timeout(WRITE_S - _SOONEST_S):
                await self._history.urgent.wait()
        except TimeoutError:
            return

    async def write(self) -> bool:
        """Write what is not written yet; return whether that could be done."""
        try:
            await self._history.write()
        except AgentError as error:
            _log.warning("monitor_history_not_written", why=error.message)
            return False
        return True

    async def _sum_up(self) -> None:
        """Once a minute: move on what the reports are about, and publish them."""
        now_ms = self._timeline.now().wall_ms
        minute = now_ms // 60_000
        if minute == self._minute:
            return
        try:
            await self._history.move(now_ms)
        except AgentError as error:
            _log.warning("monitor_history_not_read", why=error.message)
            return
        self._minute = minute
        for number, report in enumerate(self._service.reports()):
            self._board.show_report(report)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    async def prune(self) -> None:
        """Remove every hour what is too old, until cancelled."""
        while True:
            await asyncio.sleep(PRUNE_S)
            try:
                await self._store.prune(self._timeline.now().wall_ms)
            except AgentError as error:
                _log.warning("monitor_history_not_pruned", why=error.message)
