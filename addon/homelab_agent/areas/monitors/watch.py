"""Runs the monitors."""

import asyncio
from collections.abc import Awaitable, Callable

from homelab_agent.areas.monitors.board import Board
from homelab_agent.areas.monitors.desk import Desk
from homelab_agent.areas.monitors.keeper import Keeper
from homelab_agent.areas.monitors.label_monitors import LabelMonitors
from homelab_agent.areas.monitors.maintenance_book import MaintenanceBook
from homelab_agent.areas.monitors.service import MonitorService


class MonitorWatch:
    """The loop of the monitors."""

    def __init__(
        self,
        desk: Desk,
        service: MonitorService,
        book: MaintenanceBook,
        labels: LabelMonitors,
        keeper: Keeper,
        board: Board,
        *,
        begin: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._desk = desk
        self._service = service
        self._book = book
        self._labels = labels
        self._keeper = keeper
        self._board = board
        self._begin = begin

    async def run(self) -> None:
        """Watch until cancelled; what was measured until then is written. `begin` comes first."""
        if self._begin is not None:
            await self._begin()
        await self._book.load()
        await self._desk.load()
        self._service.ready.set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._desk.schedule.run())
                group.create_task(self._book.run())
                group.create_task(self._labels.run())
                group.create_task(self._board.follow_results(self._desk.watched))
                group.create_task(self._keeper.run())
                group.create_task(self._keeper.prune())
        finally:
            await self._keeper.write()
