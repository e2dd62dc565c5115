"""The agent's memory of numbers: many series, each bounded, written in batches by one writer.

Its clock is its own. It begins with the wall clock, but never before the newest point that is
known, and goes on with a clock that nobody sets. So whatever the wall clock does, the points of a
series are in order and as far apart as they really were; only how long the agent was away is what
the wall clock said of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, tuple_

from homelab_agent.platform.clock import Clock, Steady, steady_s
from homelab_agent.platform.history.series import Closing, Plan, Point, Series
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import sample

MOST_SERIES = 2000
"""All together: hosts on which things with ever new names come and go exist."""

_BATCH_ROWS = 500
_SEPARATOR = ":"

type Row = tuple[str, int]

_log = get_logger(__name__)


class History:
    """Series by kind and the thing that they are about. `plans`: how each kind is kept."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        plans: Mapping[str, Plan],
        *,
        steady: Steady = steady_s,
        most_series: int = MOST_SERIES,
    ) -> None:
        self._store = store
        self._clock = clock
        self._steady = steady
        self._plans = plans
        self._most_series = most_series
        self._series: dict[str, Series] = {}
        self._anchor_s = clock().timestamp()
        self._anchor_steady_s = steady()
        self._unsaved: dict[Row, float] = {}
        self._removed: set[Row] = set()
        self._forgotten: set[str] = set()

    async def load(self) -> None:
        """Read what was known before the agent's restart; points of unknown kinds are removed."""
        async with self._store.read() as connection:
            names = (await connection.scalars(select(sample.c.series).distinct())).all()
            newest_ms = await connection.scalar(select(func.max(sample.c.at_ms)))
        if newest_ms is not None:
            self._begin_at(max(self._clock().timestamp(), newest_ms / 1000))
        for name in names:
            plan = self._plans.get(name.partition(_SEPARATOR)[0])
            if plan is None:
                self._forgotten.add(name)
            else:
                self._series[name] = Series(plan, await self._read(name))

    def now_s(self) -> float:
        """Return the time of the history's own clock, in seconds."""
        return self._anchor_s + self._steady() - self._anchor_steady_s

    def wall(self, at_s: float) -> datetime:
        """Return the wall clock's time for one of the history's: as long ago as that was."""
        return self._clock() - timedelta(seconds=self.now_s() - at_s)

    def record(self, kind: str, thing: str, value: float) -> None:
        """Note how something is now."""
        name = _name(kind, thing)
        now_s = self.now_s()
        series = self._series.get(name)
        if series is None:
            if not self._make_room(now_s):
                return
            series = self._series[name] = Series(self._plans[kind])
        # Whole milliseconds, as they are stored: a restart changes no point.
        self._note(name, series.add(Point(int(now_s * 1000) / 1000, value)))

    def replace(self, kind: str, thing: str, points: Sequence[Point]) -> None:
        """Put points in place of what is known, oldest first and none in the future."""
        name = _name(kind, thing)
        self._drop(name)
        series = self._series[name] = Series(self._plans[kind])
        for point in points:
            self._note(name, series.add(point))

    def points(self, kind: str, thing: str, *, since_s: float = 0.0) -> list[Point]:
        """Return what is known since a time, oldest first."""
        series = self._series.get(_name(kind, thing))
        return series.points(since_s) if series else []

    def closed(self, kind: str, thing: str, *, since_s: float = 0.0) -> list[Point]:
        """Return the same without the newest bucket, to which more may come."""
        series = self._series.get(_name(kind, thing))
        return series.closed(since_s) if series else []

    def closed_until_s(self, kind: str, thing: str) -> float | None:
        """Return the time of the newest of those; None where there is none."""
        series = self._series.get(_name(kind, thing))
        return series.closed_until_s if series else None

    def things(self, kind: str) -> tuple[str, ...]:
        """Return what there are series of a kind about."""
        prefix = _name(kind, "")
        return tuple(name.removeprefix(prefix) for name in self._series if name.startswith(prefix))

    def forget(self, kind: str, thing: str) -> None:
        """Remove a series: what it was about begins anew."""
        self._drop(_name(kind, thing))

    async def save(self) -> None:
        """Remove the series of what is gone, and write down what changed since the last time."""
        self._forget_old(self.now_s())
        unsaved, removed, forgotten = self._unsaved, self._removed, self._forgotten
        if not (unsaved or removed or forgotten):
            return
        self._unsaved, self._removed, self._forgotten = {}, set(), set()
        try:
            await self._write(unsaved, removed, forgotten)
        except BaseException:
            self._take_back(unsaved, removed, forgotten)
            raise

    def _take_back(self, unsaved: dict[Row, float], removed: set[Row], forgotten: set[str]) -> None:
        """Have what could not be written down written the next time, as far as it still counts."""
        gone = self._forgotten
        kept = {row: value for row, value in unsaved.items() if row[0] not in gone}
        self._unsaved = {**kept, **self._unsaved}
        for row in self._removed & self._unsaved.keys():
            del self._unsaved[row]
        self._removed |= removed
        self._forgotten |= forgotten

    async def _read(self, name: str) -> list[Point]:
        query = select(sample.c.at_ms, sample.c.value).where(sample.c.series == name)
        async with self._store.read() as connection:
            rows = (await connection.execute(query.order_by(sample.c.at_ms))).all()
        return [Point(row.at_ms / 1000, row.value) for row in rows]

    async def _write(
        self, unsaved: Mapping[Row, float], removed: set[Row], forgotten: set[str]
    ) -> None:
        key = tuple_(sample.c.series, sample.c.at_ms)
        rows = sorted(unsaved.items())
        async with self._store.write() as connection:
            for names in _batches(sorted(forgotten)):
                await connection.execute(delete(sample).where(sample.c.series.in_(names)))
            for keys in _batches(sorted(removed)):
                await connection.execute(delete(sample).where(key.in_(keys)))
            for batch in _batches(rows):
                values = [
                    {"series": name, "at_ms": at_ms, "value": value}
                    for (name, at_ms), value in batch
                ]
                await connection.execute(insert(sample), values)

    def _begin_at(self, now_s: float) -> None:
        self._anchor_s, self._anchor_steady_s = now_s, self._steady()

    def _note(self, name: str, closing: Closing) -> None:
        for point in closing.added:
            self._unsaved[_row(name, point)] = point.value
        for point in closing.removed:
            row = _row(name, point)
            if self._unsaved.pop(row, None) is None:
                self._removed.add(row)

    def _forget_old(self, now_s: float) -> None:
        for name, series in tuple(self._series.items()):
            plan = self._plans[name.partition(_SEPARATOR)[0]]
            if now_s - (series.newest_s or 0.0) > plan.forget_after_s:
                self._drop(name)

    def _make_room(self, now_s: float) -> bool:
        """Return whether one more series may begin; the one that rested longest makes way."""
        if len(self._series) < self._most_series:
            return True
        oldest = min(self._series, key=lambda name: self._series[name].newest_s or 0.0)
        series = self._series[oldest]
        finest_s = self._plans[oldest.partition(_SEPARATOR)[0]].tiers[0].every_s
        if now_s - (series.newest_s or 0.0) < finest_s:
            _log.debug("history_full", series=len(self._series))
            return False
        self._drop(oldest)
        return True

    def _drop(self, name: str) -> None:
        if self._series.pop(name, None) is None:
            return
        self._forgotten.add(name)
        for row in [row for row in self._unsaved if row[0] == name]:
            del self._unsaved[row]


def _name(kind: str, thing: str) -> str:
    return f"{kind}{_SEPARATOR}{thing}"


def _row(name: str, point: Point) -> Row:
    return name, round(point.at_s * 1000)


def _batches[Item](items: list[Item]) -> list[list[Item]]:
    return [items[start : start + _BATCH_ROWS] for start in range(0, len(items), _BATCH_ROWS)]
