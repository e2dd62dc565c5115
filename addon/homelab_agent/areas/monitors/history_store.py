"""The buckets and single checks in the store. What grows here is bounded here."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from homelab_agent.areas.monitors.responses import add_encoded
from homelab_agent.areas.monitors.tally import DAY_S, HOUR_S, MINUTE_S, Tally
from homelab_agent.areas.monitors.windows import Part
from homelab_agent.platform.store.async_core import AsyncConnection
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import monitor, monitor_bucket, monitor_check

KEEP_S = {MINUTE_S: 3 * DAY_S, HOUR_S: 35 * DAY_S, DAY_S: 400 * DAY_S}
"""Minutes for longer than a day: also after the clock was a day ahead for a while, they are there
to be taken off the last 24 hours."""

MOST_CHECK_ROWS = 2_000_000
_AT_ONCE = 500
_IN_ONE_TURN = 50
"""So many buckets are added up before others have their turn: checks are to begin in time."""

_PRUNED_AT_ONCE = 20_000
"""So many buckets go in one transaction: nobody waits long for the one writer."""

type BucketId = tuple[int, int, int]
"""Length and start in seconds, and the monitor's id."""

type Stored = Row[int, int, int, int, int, int, int, bytes]


@dataclass(frozen=True, slots=True)
class PastCheckRow:
    """One check, as it is kept."""

    monitor_id: int
    at_ms: int
    ok: bool
    response_ms: float | None
    code: str | None


_bucket = monitor_bucket.c
_COLUMNS = (
    _bucket.length_s,
    _bucket.start_s,
    _bucket.monitor_id,
    _bucket.up_ms,
    _bucket.down_ms,
    _bucket.checks,
    _bucket.errors,
    _bucket.responses,
)
_UPDATE = (
    update(monitor_bucket)
    .where(
        _bucket.length_s == bindparam("of_length_s"),
        _bucket.start_s == bindparam("of_start_s"),
        _bucket.monitor_id == bindparam("of_monitor_id"),
    )
    .values(
        {
            column.name: bindparam(column.name)
            for column in (
                _bucket.up_ms,
                _bucket.down_ms,
                _bucket.checks,
                _bucket.errors,
                _bucket.responses,
            )
        }
    )
)
_STATUS = update(monitor).where(monitor.c.id == bindparam("of_id")).values(status=bindparam("now"))


def add_row(tally: Tally, row: Stored, sign: int = 1) -> None:
    """Add a stored bucket; with `sign` -1 take it away."""
    tally.up_ms += sign * row[3]
    tally.down_ms += sign * row[4]
    tally.checks += sign * row[5]
    tally.errors += sign * row[6]
    add_encoded(tally.responses, row[7], sign)


class HistoryStore:
    """Reads and writes what is known of the past."""

    def __init__(self, store: Store, *, keep_checks_h: int) -> None:
        self._store = store
        self._keep_checks_ms = keep_checks_h * HOUR_S * 1000

    async def add(
        self,
        buckets: Mapping[BucketId, Tally],
        checks: Sequence[PastCheckRow] = (),
        statuses: Mapping[int, Mapping[str, object]] | None = None,
    ) -> None:
        """Add to the buckets, append the checks, keep how monitors are; all of it or nothing."""
        async with self._store.write() as connection:
            await _add_buckets(connection, buckets)
            if checks:
                await connection.execute(
                    insert(monitor_check),
                    [
                        {
                            "monitor_id": check.monitor_id,
                            "at_ms": check.at_ms,
                            "ok": check.ok,
                            "response_ms": check.response_ms,
                            "code": check.code,
                        }
                        for check in checks
                    ],
                )
            if statuses:
                await connection.execute(
                    _STATUS, [{"of_id": key, "now": dict(now)} for key, now in statuses.items()]
                )

    async def rows(
        self, part: Part, monitor_ids: Sequence[int] | None = None
    ) -> AsyncIterator[Sequence[Stored]]:
        """Yield the buckets of a part, some at a time."""
        query = select(*_COLUMNS).where(
            _bucket.length_s == part.length_s, _bucket.start_s >= part.since_s
        )
        if part.until_s is not None:
            query = query.where(_bucket.start_s < part.until_s)
        if monitor_ids is not None:
            query = query.where(_bucket.monitor_id.in_(monitor_ids))
        async with self._store.read() as connection:
            result = await connection.stream(query)
            async for rows in result.partitions(_AT_ONCE):
                yield list(rows)

    async def of_monitor(
        self, monitor_id: int, length_s: int, starts_s: Iterable[int]
    ) -> tuple[Stored, ...]:
        """Return the buckets of one monitor that begin at these times, in order of time."""
        found: list[Stored] = []
        async with self._store.read() as connection:
            for some in batched(sorted(starts_s), _AT_ONCE, strict=False):
                query = select(*_COLUMNS).where(
                    _bucket.length_s == length_s,
                    _bucket.start_s.in_(some),
                    _bucket.monitor_id == monitor_id,
                )
                found += (await connection.execute(query)).all()
        return tuple(sorted(found, key=lambda row: row[1]))

    async def checks(
        self, monitor_id: int, since_ms: int, until_ms: int, limit: int
    ) -> tuple[PastCheckRow, ...]:
        """Return the newest checks of a monitor within a time, oldest first."""
        check = monitor_check.c
        query = (
            select(check.monitor_id, check.at_ms, check.ok, check.response_ms, check.code)
            .where(check.monitor_id == monitor_id, check.at_ms >= since_ms, check.at_ms < until_ms)
            .order_by(check.id.desc())
            .limit(limit)
        )
        async with self._store.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(PastCheckRow(*row) for row in reversed(rows))

    async def forget(self, monitor_id: int) -> None:
        """Remove all that is known of a monitor's past."""
        for table in (monitor_bucket, monitor_check):
            async with self._store.write() as connection:
                await connection.execute(delete(table).where(table.c.monitor_id == monitor_id))

    async def prune(self, now_ms: int) -> None:
        """Remove what is too old, or too much."""
        for length_s, keep_s in KEEP_S.items():
            await self._prune_buckets(length_s, now_ms // 1000 - keep_s)
        check = monitor_check.c
        async with self._store.read() as connection:
            newest = await connection.scalar(select(func.max(check.id))) or 0
        unwanted = (check.at_ms < now_ms - self._keep_checks_ms) | (
            check.id <= newest - MOST_CHECK_ROWS
        )
        chosen = select(check.id).where(unwanted).order_by(check.id).limit(_AT_ONCE * 10)
        removed = None
        while removed is None or removed >= _AT_ONCE * 10:
            async with self._store.write() as connection:
                result = await connection.execute(delete(monitor_check).where(check.id.in_(chosen)))
            removed = result.rowcount

    async def _prune_buckets(self, length_s: int, before_s: int) -> None:
        of_length = _bucket.length_s == length_s
        in_order = select(_bucket.start_s).where(of_length).order_by(_bucket.start_s)
        while True:
            async with self._store.read() as connection:
                oldest = await connection.scalar(in_order.limit(1))
                later = await connection.scalar(in_order.offset(_PRUNED_AT_ONCE).limit(1))
            if oldest is None or oldest >= before_s:
                return
            upto_s = before_s if later is None else min(before_s, max(later, oldest + length_s))
            async with self._store.write() as connection:
                await connection.execute(
                    delete(monitor_bucket).where(of_length, _bucket.start_s < upto_s)
                )


async def _add_buckets(connection: AsyncConnection, buckets: Mapping[BucketId, Tally]) -> None:
    stored = await _stored(connection, buckets)
    new: list[dict[str, object]] = []
    known: list[dict[str, object]] = []
    for number, (bucket, tally) in enumerate(buckets.items()):
        if number % _IN_ONE_TURN == 0:
            await asyncio.sleep(0)
        row = stored.get(bucket)
        if row is None:
            new.append(_named(bucket) | tally.values())
            continue
        whole = Tally()
        whole.add(tally)
        add_row(whole, row)
        known.append(_named(bucket, "of_") | whole.values())
    if new:
        await connection.execute(insert(monitor_bucket), new)
    if known:
        await connection.execute(_UPDATE, known)


async def _stored(
    connection: AsyncConnection, buckets: Iterable[BucketId]
) -> Mapping[BucketId, Stored]:
    """Return those of the buckets that there are; some others may be among them."""
    starts: dict[int, set[int]] = {}
    ids: dict[int, set[int]] = {}
    for length_s, start_s, monitor_id in buckets:
        starts.setdefault(length_s, set()).add(start_s)
        ids.setdefault(length_s, set()).add(monitor_id)
    found: dict[BucketId, Stored] = {}
    for length_s, of_length in starts.items():
        for some_starts in batched(sorted(of_length), _AT_ONCE, strict=False):
            for some_ids in batched(sorted(ids[length_s]), _AT_ONCE, strict=False):
                query = select(*_COLUMNS).where(
                    _bucket.length_s == length_s,
                    _bucket.start_s.in_(some_starts),
                    _bucket.monitor_id.in_(some_ids),
                )
                for row in await connection.execute(query):
                    found[row[0], row[1], row[2]] = row
    return found


def _named(bucket: BucketId, prefix: str = "") -> dict[str, object]:
    names = ("length_s", "start_s", "monitor_id")
    return {f"{prefix}{name}": value for name, value in zip(names, bucket, strict=True)}
