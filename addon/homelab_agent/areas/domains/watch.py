"""The loop of the domains."""

import asyncio
from collections.abc import Awaitable, Callable

from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.domains.board import Board
from homelab_agent.areas.domains.book import Book
from homelab_agent.areas.domains.following import Following

EVENTS_S = 30.0
"""How often it is seen whether events of domains that are gone are to go, too."""


class DomainWatch:
    """Looks after all domains."""

    def __init__(
        self,
        book: Book,
        board: Board,
        following: Following,
        dns: DnsService,
        *,
        begin: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._book = book
        self._board = board
        self._following = following
        self._dns = dns
        self._begin = begin

    async def run(self) -> None:
        """Watch until cancelled; `begin` comes first."""
        await self._dns.until_ready()
        if self._begin is not None:
            await self._begin()
        await self._book.load()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._book.schedule.run())
            group.create_task(self._following.run())
            group.create_task(self._remove_events())

    async def _remove_events(self) -> None:
        while True:
            await asyncio.sleep(EVENTS_S)
            self._board.remove_due_events()
