"""Asks each provider now and then how it is: seldom, and more seldom while it fails."""

import asyncio
from dataclasses import dataclass

from homelab_agent.areas.dns.book import ProviderBook
from homelab_agent.areas.dns.entries import Entry
from homelab_agent.areas.dns.models import ProviderState
from homelab_agent.platform.errors import NotFound
from homelab_agent.platform.surviving import surviving


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often. A wrong key is tried seldom: some providers lock the account then."""

    usually_s: float = 6 * 3600.0
    failed_s: float = 60.0
    refused_s: float = 1800.0
    look_s: float = 15.0


class ProviderWatch:
    """Takes the providers up at the start, and looks after them."""

    def __init__(self, book: ProviderBook, rhythm: Rhythm | None = None) -> None:
        self._book = book
        self._rhythm = rhythm or Rhythm()
        self._asked_at: dict[str, float] = {}
        self._pause_s: dict[str, float] = {}

    async def run(self) -> None:
        """Run until cancelled."""
        await self._book.load()
        while True:
            entries = self._book.entries()
            # One after the other: it is in no hurry.
            for entry in entries:
                if entry.opened is not None and self._is_due(entry):
                    await self._ask(entry.key)
            known = {entry.key for entry in entries}
            self._asked_at = {key: at for key, at in self._asked_at.items() if key in known}
            self._pause_s = {key: each for key, each in self._pause_s.items() if key in known}
            await asyncio.sleep(self._rhythm.look_s)

    def _is_due(self, entry: Entry) -> bool:
        asked_at = self._asked_at.get(entry.key)
        if asked_at is None:
            return True
        # By how it is now: it may have failed since, when somebody wanted something of it.
        wait_s = self._rhythm.usually_s
        if entry.kept.state is not ProviderState.OK:
            wait_s = self._pause_s.get(entry.key, self._first_pause_s(entry.kept.state))
        return asyncio.get_running_loop().time() >= max(asked_at + wait_s, entry.free_s)

    async def _ask(self, key: str) -> None:
        state = ProviderState.UNREACHABLE
        with surviving("dns_provider_check", provider=key):
            try:
                state = (await self._book.check(key)).state
            except NotFound:  # it was removed in this moment
                return
        self._asked_at[key] = asyncio.get_running_loop().time()
        if state is ProviderState.OK:
            self._pause_s.pop(key, None)
        else:
            pause_s = self._pause_s.get(key)
            first_s = self._first_pause_s(state)
            longer_s = first_s if pause_s is None else max(pause_s * 2, first_s)
            self._pause_s[key] = min(longer_s, self._rhythm.usually_s)

    def _first_pause_s(self, state: ProviderState) -> float:
        refused = state is ProviderState.REFUSED
        return self._rhythm.refused_s if refused else self._rhythm.failed_s
