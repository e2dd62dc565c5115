"""Asks each provider now and then how it is: seldom, and more seldom while it fails."""

import asyncio

from homelab_agent.areas.dns.book import ProviderBook
from homelab_agent.areas.dns.models import ProviderState

USUALLY_S = 6 * 3600.0
FIRST_AGAIN_S = 60.0
REFUSED_AGAIN_S = 1800.0
"""A wrong key is not tried often: some providers lock the account then."""

_LOOK_S = 15.0


class ProviderWatch:
    """Takes the providers up at the start, and looks after them."""

    def __init__(self, book: ProviderBook) -> None:
        self._book = book
        self._due: dict[str, float] = {}
        self._pause: dict[str, float] = {}

    async def run(self) -> None:
        """Run until cancelled."""
        await self._book.load()
        loop = asyncio.get_running_loop()
        while True:
            # One after the other: it is in no hurry.
            for entry in self._book.entries():
                if entry.opened is not None and loop.time() >= self._due.get(entry.key, 0.0):
                    await self._book.check(entry.key)
                    self._due[entry.key] = loop.time() + self._next_s(entry.key)
            known = {entry.key for entry in self._book.entries()}
            self._due = {key: at for key, at in self._due.items() if key in known}
            self._pause = {key: each for key, each in self._pause.items() if key in known}
            await asyncio.sleep(_LOOK_S)

    def _next_s(self, key: str) -> float:
        state = self._book.entry(key).kept.state
        if state is ProviderState.OK:
            self._pause.pop(key, None)
            return USUALLY_S
        first = REFUSED_AGAIN_S if state is ProviderState.REFUSED else FIRST_AGAIN_S
        pause_s = max(first, self._pause.get(key, first))
        self._pause[key] = min(pause_s * 2, USUALLY_S)
        return pause_s
