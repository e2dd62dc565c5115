"""All names that follow an address: added, changed, removed, and worked at in time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from homelab_agent.areas.ddns.board import Board
from homelab_agent.areas.ddns.followed import Followed
from homelab_agent.areas.ddns.kept import KeptAddress
from homelab_agent.areas.ddns.models import DynamicState
from homelab_agent.areas.ddns.sources import Sources
from homelab_agent.areas.ddns.updater import FIRST_RETRY_S, Updater
from homelab_agent.platform.clock import Steady
from homelab_agent.platform.errors import AgentError, Conflict
from homelab_agent.platform.surviving import surviving

MOST_NAMES = 200


class Desk:
    """Holds all names by key. Each is worked at by one task at a time, and delays no other."""

    def __init__(self, board: Board, updater: Updater, sources: Sources, steady: Steady) -> None:
        self.names: dict[str, Followed] = {}
        self.wake = asyncio.Event()
        """Set when something is to be looked at before its time."""
        self._board = board
        self._updater = updater
        self._sources = sources
        self._steady = steady
        self._group: asyncio.TaskGroup | None = None
        self.working: dict[str, asyncio.Task[None]] = {}
        """What is worked at just now, by key."""
        # What is kept and what is worked at change together, one change after the other.
        self._changing = asyncio.Lock()
        self._changed: str | None = None

    def open(self, group: asyncio.TaskGroup) -> None:
        """Work from now on, as tasks of this group."""
        self._group = group

    async def load(self) -> None:
        """Take up all names as they were left."""
        for key, kept in (await self._board.load()).items():
            one = Followed(key, kept)
            self._updater.resume_after_restart(one)
            self.names[key] = one
            self._board.show(one)
            self._board.tell_again(one)

    def look(self) -> float:
        """Begin what is due, and return in how many seconds something is due next."""
        self._board.remove_due_events()
        now_s = self._steady()
        for one in tuple(self.names.values()):
            self._look_at(one, now_s)
        waiting = [each for each in self.names.values() if each.key not in self.working]
        return min((each.next_s(now_s) - now_s for each in waiting), default=float("inf"))

    async def put(self, key: str, make: Callable[[KeptAddress | None], KeptAddress]) -> Followed:
        """Have a name follow in the way that `make` returns for what is known of it.

        Raises:
            Conflict: there are too many.
        """
        async with self._alone(key) as known:
            if known is None and len(self.names) >= MOST_NAMES:
                raise Conflict(
                    f"There are {MOST_NAMES} names that follow an address, and no more fit in.",
                    hint="Remove some that nobody needs",
                )
            one = Followed(key, make(known.kept if known is not None else None))
            one.seen_s = self._steady()
            # The provider's pause counts for the name, however it is to follow.
            one.paced_s = known.paced_s if known is not None else 0.0
            await self._keep(one, known)
            return one

    async def remove(self, key: str) -> None:
        """Have a name follow no more, as often as one likes; what it leads to stays."""
        async with self._alone(key):
            await self._board.forget(key)
            self.names.pop(key, None)

    async def pause(self, key: str, *, paused: bool) -> None:
        """Leave a name alone, or go on with it; one that was removed meanwhile stays so."""
        async with self._alone(key) as known:
            if known is None:
                return
            kept = known.kept.model_copy(update={"paused": paused})
            await self._keep(replace(known, kept=kept, check_s=self._steady()), known)

    def now(self, one: Followed) -> asyncio.Task[None] | None:
        """Look and write now, as a person wants it; the provider's pauses still count."""
        if one.key not in self.working:
            update: dict[str, object] = {"rewritten_at": None}
            if one.kept.state is DynamicState.REFUSED:
                update["state"] = DynamicState.FAILED
            one.kept = one.kept.model_copy(update=update)
            # Pauses after failures are ours, and a person knows better.
            one.retry_s = one.check_s = self._steady()
            self._look_at(one, one.check_s)
        return self.working.get(one.key)

    async def _keep(self, one: Followed, known: Followed | None) -> None:
        """Have a name be so from now on; where that cannot be kept it stays as it was."""
        try:
            await self._board.keep(one)
        except AgentError:
            if known is None:
                self._board.hide(one.key)
            else:
                self._board.show(known)
            raise
        self.names[one.key] = one

    def _look_at(self, one: Followed, now_s: float) -> None:
        if one.key in self.working or one.key == self._changed or self._group is None:
            return
        was_uncertain = one.uncertain
        if one.notice(self._sources.seen(one.kept), now_s) or one.uncertain != was_uncertain:
            self._board.show(one)
        if one.kept.state is DynamicState.REFUSED:
            self._look_whether_set_up_anew(one)
        if one.next_s(now_s) <= now_s:
            task = self._group.create_task(self._work(one))
            self.working[one.key] = task
            task.add_done_callback(lambda _: self._done(one.key))

    def _done(self, key: str) -> None:
        del self.working[key]
        self.wake.set()

    def _look_whether_set_up_anew(self, one: Followed) -> None:
        """Try a name again that was refused, as soon as its provider was set up in another way."""
        if self._updater.set_up(one) != one.kept.refused_by:
            one.kept = one.kept.model_copy(update={"state": DynamicState.FAILED, "failures": 0})
            one.retry_s = one.check_s = self._steady()

    async def _work(self, one: Followed) -> None:
        with surviving("dynamic_address", name=one.key) as went:
            await self._updater.work(one)
        if went.failed:
            one.retry_s = one.check_s = self._steady() + FIRST_RETRY_S

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[Followed | None]:
        """Give a name while nobody works at it, and nobody else changes it; None: there is none."""
        async with self._changing:
            self._changed = key
            try:
                await self._stop(key)
                yield self.names.get(key)
            finally:
                self._changed = None
                self.wake.set()

    async def _stop(self, key: str) -> None:
        task = self.working.get(key)
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))
