"""What was measured: written in batches, and summed up for the reports as time goes on."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping

from homelab_agent.areas.monitors.history_store import (
    BucketId,
    HistoryStore,
    PastCheckRow,
    add_row,
)
from homelab_agent.areas.monitors.tally import LENGTHS_S, MINUTE_S, Tally, pieces, response_slot
from homelab_agent.areas.monitors.windows import Part, Window, edge_s, parts, start_s

MOST_PENDING_CHECKS = 20_000
MOST_PENDING_BUCKETS = 50_000
"""So much is held while the store cannot be written; then the oldest goes, and is a gap."""

_RELOAD_S = 3600
"""A window that has to move by more than this is read anew."""

type Tallies = Mapping[Window, Tally]


class History:
    """Adds up what is measured.

    For each monitor and window there is a sum in memory, always that of the store's buckets and
    of what is not written yet. It grows with every result, and shrinks once a minute by the
    buckets that leave its window: that costs the same after a year as after a day.

    `write`, `move` and `load` are for one task alone.
    """

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._pending: dict[BucketId, Tally] = {}
        self._checks: deque[PastCheckRow] = deque(maxlen=MOST_PENDING_CHECKS)
        self._statuses: dict[int, Mapping[str, object]] = {}
        self._sums: dict[int, dict[Window, Tally]] = {}
        self._starts: dict[Window, int] = {}
        self._forgotten: set[int] = set()
        self.urgent = asyncio.Event()
        """Set where what is to be written should not wait for its turn."""

    @property
    def is_loaded(self) -> bool:
        """Whether the sums are known."""
        return bool(self._starts)

    def spend(self, monitor_id: int, start_ms: int, duration_ms: int, *, up: bool) -> None:
        """Add a time that was watched, at its place on the wall's clock."""
        end_ms = start_ms + duration_ms
        for length_s in LENGTHS_S:
            for begin_s, part_ms in pieces(start_ms, end_ms, length_s):
                self._bucket(length_s, begin_s, monitor_id).spend(part_ms, up=up)
        for window, tally in self._sums_of(monitor_id):
            inside_ms = end_ms - max(start_ms, self._starts[window] * 1000)
            if inside_ms > 0:
                tally.spend(inside_ms, up=up)

    def count(
        self, monitor_id: int, at_ms: int, *, ok: bool, response_ms: float | None, code: str | None
    ) -> None:
        """Add a check."""
        slot = response_slot(ok=ok, response_ms=response_ms)
        for length_s in LENGTHS_S:
            begin_s = at_ms // 1000 // length_s * length_s
            self._bucket(length_s, begin_s, monitor_id).count(ok=ok, slot=slot)
        for window, tally in self._sums_of(monitor_id):
            if at_ms >= self._starts[window] * 1000:
                tally.count(ok=ok, slot=slot)
        self._checks.append(PastCheckRow(monitor_id, at_ms, ok, response_ms, code))

    def keep_status(
        self, monitor_id: int, status: Mapping[str, object], *, urgent: bool = False
    ) -> None:
        """Have it written with the next batch how a monitor is; `urgent`: that is at once."""
        self._statuses[monitor_id] = status
        if urgent:
            self.urgent.set()

    def tallies(self, monitor_id: int) -> Tallies | None:
        """Return the sums of a monitor; None until they are known."""
        if not self.is_loaded:
            return None
        return dict(self._sums_of(monitor_id))

    async def buckets(
        self, monitor_id: int, length_s: int, starts_s: Iterable[int]
    ) -> Mapping[int, Tally]:
        """Return what is known of the buckets that begin at these times, in order of time."""
        starts = set(starts_s)
        found: dict[int, Tally] = {}
        for row in await self._store.of_monitor(monitor_id, length_s, starts):
            add_row(found.setdefault(row[1], Tally()), row)
        for (length, start, owner), tally in self._pending.items():
            if owner == monitor_id and length == length_s and start in starts:
                found.setdefault(start, Tally()).add(tally)
        return dict(sorted(found.items()))

    async def checks(
        self, monitor_id: int, since_ms: int, until_ms: int, limit: int
    ) -> tuple[PastCheckRow, ...]:
        """Return the newest checks within a time, oldest first."""
        stored = await self._store.checks(monitor_id, since_ms, until_ms, limit)
        waiting = tuple(
            check
            for check in self._checks
            if check.monitor_id == monitor_id and since_ms <= check.at_ms < until_ms
        )
        return (*stored, *waiting)[-limit:]

    async def write(self) -> None:
        """Write what is not written yet; what cannot be written now is kept for the next time.

        Raises:
            Unavailable: the store cannot be written.
        """
        self.urgent.clear()
        pending, self._pending = self._pending, {}
        checks, statuses = tuple(self._checks), self._statuses
        self._checks.clear()
        self._statuses = {}
        if pending or checks or statuses:
            try:
                await self._store.add(pending, checks, statuses)
            except BaseException:
                self._take_back(pending, checks, statuses)
                raise
        for monitor_id in tuple(self._forgotten):
            await self._store.forget(monitor_id)
            self._forgotten.discard(monitor_id)

    async def load(self, now_ms: int) -> None:
        """Sum up everything anew, from what is written and what is not."""
        starts = {window: start_s(window, now_ms) for window in Window}
        sums: dict[int, dict[Window, Tally]] = {}
        for window, begin_s in starts.items():
            for part in parts(window, begin_s):
                await self._sum(sums, window, part)
        for (length_s, begin_s, monitor_id), tally in self._pending.items():
            for window, edge in starts.items():
                if any(part.has(length_s, begin_s) for part in parts(window, edge)):
                    _of(sums, monitor_id)[window].add(tally)
        self._sums, self._starts = sums, starts

    async def move(self, now_ms: int) -> None:
        """Move all windows on to now; where the clock was set they are read anew."""
        starts = {window: start_s(window, now_ms) for window in Window}
        moves = {window: starts[window] - self._starts.get(window, 0) for window in Window}
        if any(
            moved < 0 or moved > max(_RELOAD_S, edge_s(window)) for window, moved in moves.items()
        ):
            await self.load(now_ms)
            return
        for window, moved in moves.items():
            if moved:
                await self._leave(window, starts[window])

    def forget(self, monitor_id: int) -> None:
        """Have all removed that is known of a monitor, with the next batch."""
        self._sums.pop(monitor_id, None)
        self._statuses.pop(monitor_id, None)
        for bucket in [each for each in self._pending if each[2] == monitor_id]:
            del self._pending[bucket]
        self._forgotten.add(monitor_id)

    async def _leave(self, window: Window, begin_s: int) -> None:
        leaving = Part(edge_s(window), self._starts[window], begin_s)
        rows = [row async for some in self._store.rows(leaving) for row in some]
        for row in rows:
            add_row(_of(self._sums, row[2])[window], row, -1)
        for (length_s, start, monitor_id), tally in self._pending.items():
            if leaving.has(length_s, start):
                _of(self._sums, monitor_id)[window].add(tally, -1)
        self._starts[window] = begin_s

    async def _sum(self, sums: dict[int, dict[Window, Tally]], window: Window, part: Part) -> None:
        async for rows in self._store.rows(part):
            for row in rows:
                add_row(_of(sums, row[2])[window], row)
            await asyncio.sleep(0)

    def _sums_of(self, monitor_id: int) -> list[tuple[Window, Tally]]:
        return list(_of(self._sums, monitor_id).items()) if self._starts else []

    def _bucket(self, length_s: int, begin_s: int, monitor_id: int) -> Tally:
        known = self._pending.get((length_s, begin_s, monitor_id))
        if known is None:
            known = self._pending[length_s, begin_s, monitor_id] = Tally()
        return known

    def _take_back(
        self,
        pending: dict[BucketId, Tally],
        checks: tuple[PastCheckRow, ...],
        statuses: dict[int, Mapping[str, object]],
    ) -> None:
        for bucket, tally in self._pending.items():
            pending.setdefault(bucket, Tally()).add(tally)
        self._pending = pending
        self._checks = deque((*checks, *self._checks), maxlen=MOST_PENDING_CHECKS)
        self._statuses = statuses | self._statuses
        for bucket in [each for each in pending if each[0] == MINUTE_S][:-MOST_PENDING_BUCKETS]:
            del pending[bucket]


def _of(sums: dict[int, dict[Window, Tally]], monitor_id: int) -> dict[Window, Tally]:
    known = sums.get(monitor_id)
    if known is None:
        known = sums[monitor_id] = {window: Tally() for window in Window}
    return known
