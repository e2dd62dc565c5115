"""Totals of counters that begin anew at every boot, or when they are full."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import counter

_NARROW = 2**32
"""Where the counters of some network drivers are full."""

_KEPT_ANEW_AFTER = timedelta(days=1)
"""Also a counter that stands still is written now and then: what is old is gone for good."""


MOST_KNOWN = 5000
"""A host on which networks with ever new names come and go is not to fill the memory."""


@dataclass(frozen=True, slots=True)
class Total:
    """How much a counter has counted since it is known to us."""

    amount: int
    since: datetime


@dataclass(frozen=True, slots=True)
class _Reading:
    epoch: str
    raw: int
    total: int
    since: datetime


class Counters:
    """Adds up what counters show. Nothing is counted twice, and never backwards.

    What a counter counted between the last `save` and a reboot is lost: nobody knows it.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, _Reading] = {}
        self._kept_at: dict[str, datetime] = {}
        self._changed: set[str] = set()

    async def load(self) -> None:
        """Read what was known before the agent's restart."""
        async with self._store.read() as connection:
            rows = (await connection.execute(select(counter))).all()
        for row in rows:
            self._known[row.key] = _Reading(row.epoch, row.raw, row.total, row.since)
            self._kept_at[row.key] = row.at

    def count(self, key: str, raw: int, *, epoch: str, full_at: int | None = None) -> Total:
        """Take a reading; return the total with it.

        `epoch` changes when the counter began anew, as the boot id does. `full_at` is the value at
        which it wraps, where that is known.
        """
        # Taken out and put in again: the first ones are those that were read longest ago.
        known = self._known.pop(key, None)
        if known is None:
            reading = _Reading(epoch, raw, 0, self._clock())
        else:
            grown = _grown(known.raw, raw, full_at) if epoch == known.epoch else raw
            reading = _Reading(epoch, raw, known.total + grown, known.since)
        self._known[key] = reading
        if reading != known or self._clock() - self._kept_at[key] >= _KEPT_ANEW_AFTER:
            self._kept_at.setdefault(key, self._clock())
            self._changed.add(key)
        return Total(reading.total, reading.since)

    async def save(self) -> None:
        """Write down what changed since the last time."""
        changed, self._changed = self._changed, set()
        if not changed:
            return
        now = self._clock()
        rows = [_row(key, self._known[key], now) for key in sorted(changed)]
        try:
            async with self._store.write() as connection:
                await connection.execute(delete(counter).where(counter.c.key.in_(changed)))
                await connection.execute(insert(counter), rows)
        except BaseException:
            self._changed |= changed
            raise
        self._kept_at.update(dict.fromkeys(changed, now))
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Forget what was read longest ago, where it is too much; its row goes in time too."""
        for key in [*self._known][:-MOST_KNOWN]:
            if key not in self._changed:
                del self._known[key], self._kept_at[key]


def _grown(before: int, now: int, full_at: int | None) -> int:
    """Return how much a counter grew. One that fell without being full began anew."""
    if now >= before:
        return now - before
    if full_at is not None:
        return now + full_at - before
    if _NARROW * 3 // 4 < before < _NARROW and now < _NARROW // 4:
        return now + _NARROW - before
    return now


def _row(key: str, reading: _Reading, at: datetime) -> dict[str, object]:
    return {
        "key": key,
        "at": at,
        "epoch": reading.epoch,
        "raw": reading.raw,
        "total": reading.total,
        "since": reading.since,
    }
