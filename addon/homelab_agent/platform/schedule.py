"""When each of many things is looked at: evenly spread, without drift, none because of another."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from zlib import crc32

LATE_S = 5.0
"""What should have begun longer ago than this is skipped: the loop stood still meanwhile."""

SOON_S = 30.0
"""How long the first check may be away, however seldom it is done later."""

HOLD_S = 1.0
"""After so long a check only waits for the other side, and keeps no other from beginning."""


@dataclass(slots=True)
class _Entry:
    key: str
    interval_s: float
    due_s: float = 0.0
    timer: asyncio.TimerHandle | None = None
    task: asyncio.Task[None] | None = None
    looks: bool = False
    """Its check is at work, and not only waiting for its turn."""
    following: asyncio.Task[None] | None = None

    @property
    def phase(self) -> float:
        """Where in the interval it has its place, 0..1; the same after every restart."""
        return crc32(self.key.encode()) / 2**32


class Schedule:
    """Calls `check` with a key whenever that is due, at most `most_at_once` begin together.

    `observe` is told how much later than planned each check began, in seconds.
    """

    def __init__(
        self,
        check: Callable[[str], Awaitable[None]],
        *,
        most_at_once: int,
        observe: Callable[[float], None] = lambda _late_s: None,
    ) -> None:
        self._check = check
        self._lane = asyncio.Semaphore(most_at_once)
        self._observe = observe
        self._entries: dict[str, _Entry] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Keep time until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for entry in self._entries.values():
                    self._plan_first(entry)
                await asyncio.Event().wait()
        finally:
            self._group = None
            for entry in self._entries.values():
                _stop_timer(entry)

    def put(self, key: str, interval_s: float) -> None:
        """Check from now on; what was planned for this key before is forgotten."""
        self.drop(key)
        entry = self._entries[key] = _Entry(key, interval_s)
        if self._group is not None:
            self._plan_first(entry)

    def drop(self, key: str) -> None:
        """Check no more; a check that runs is given up."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            _stop_timer(entry)
            for task in (entry.task, entry.following):
                if task is not None:
                    task.cancel()

    def now(self, key: str) -> asyncio.Task[None] | None:
        """Check at once, beside what is planned; return that check, None if none can begin.

        One that is at work may have looked before what this call is about: another follows it.
        """
        entry = self._entries.get(key)
        if entry is None or self._group is None:
            return None
        if entry.task is None:
            entry.task = self._group.create_task(self._work(entry))
        elif entry.looks and entry.following is None:
            entry.following = self._group.create_task(self._follow(entry, entry.task))
        return entry.following or entry.task

    def _plan_first(self, entry: _Entry) -> None:
        loop = asyncio.get_running_loop()
        self._plan(entry, loop.time() + entry.phase * min(entry.interval_s, SOON_S))

    def _plan(self, entry: _Entry, due_s: float) -> None:
        entry.due_s = due_s
        entry.timer = asyncio.get_running_loop().call_at(due_s, self._due, entry)

    def _due(self, entry: _Entry) -> None:
        now_s = asyncio.get_running_loop().time()
        late = now_s - entry.due_s > LATE_S
        # What still runs is not begun a second time.
        if not late and entry.task is None and self._group is not None:
            entry.task = self._group.create_task(self._work(entry, entry.due_s))
        self._plan_next(entry, now_s, late=late)

    def _plan_next(self, entry: _Entry, now_s: float, *, late: bool) -> None:
        """Plan from the plan, and not from when it was done: nothing drifts."""
        missed = max(1, ceil((now_s - entry.due_s) / entry.interval_s))
        due_s = entry.due_s + missed * entry.interval_s
        if late:
            due_s = min(due_s, now_s + entry.phase * SOON_S)
        self._plan(entry, due_s)

    async def _follow(self, entry: _Entry, running: asyncio.Task[None]) -> None:
        await asyncio.wait((running,))
        await self._work(entry)

    async def _work(self, entry: _Entry, due_s: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self._lane.acquire()
            entry.looks = True
            hold = loop.call_later(HOLD_S, self._lane.release)
            if due_s is not None:
                self._observe(loop.time() - due_s)
            try:
                await self._check(entry.key)
            finally:
                if hold.when() > loop.time():
                    hold.cancel()
                    self._lane.release()
        finally:
            entry.looks = False
            entry.task, entry.following = entry.following, None


def _stop_timer(entry: _Entry) -> None:
    if entry.timer is not None:
        entry.timer.cancel()
        entry.timer = None
