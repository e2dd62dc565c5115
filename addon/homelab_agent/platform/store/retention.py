"""Keeping the tables that grow within bounds."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Table, delete, false, func, select, true

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.jobs.models import JobState
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import (
    activity,
    container_recreate,
    counter,
    image_lookup,
    job,
    update_attempt,
)

SWEEP_S = 3600.0
MOST_ACTIVITY_ROWS = 200_000
MOST_REFUSED_ROWS = 20_000
"""Apart from the rest: what was done is not pushed out by somebody who is refused all the time."""
MOST_JOB_ROWS = 20_000
MOST_RECREATE_ROWS = 2000
KEEP_RECREATES = timedelta(days=366)
MOST_COUNTER_ROWS = 5000
KEEP_COUNTERS = timedelta(days=366)
MOST_UPDATE_ROWS = 4000
KEEP_UPDATES = timedelta(days=90)
BATCH_ROWS = 1000
LONG_AWAY = timedelta(days=14)
"""A clock that is so far ahead of all that was written is wrong, or the agent was off so long."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How much is kept of the `removable` rows: those younger than `keep`, at most `most_rows`.

    The table's primary key is one column that grows with time.
    """

    table: Table
    at: Column[datetime]
    keep: timedelta
    most_rows: int
    removable: ColumnElement[bool] = field(default_factory=true)


def activity_rules(days: int) -> tuple[Rule, ...]:
    """Return the bounds of the activity: of what was refused, and of all else."""
    refused, keep = Outcome.REFUSED.value, timedelta(days=days)
    return (
        Rule(
            table=activity,
            at=activity.c.at,
            keep=keep,
            most_rows=MOST_ACTIVITY_ROWS,
            # What was only noted has no outcome.
            removable=activity.c.outcome.is_distinct_from(refused),
        ),
        Rule(
            table=activity,
            at=activity.c.at,
            keep=keep,
            most_rows=MOST_REFUSED_ROWS,
            removable=activity.c.outcome == refused,
        ),
    )


def job_rule(days: int) -> Rule:
    """Return the bound of the jobs; one that has not ended is never removed."""
    return Rule(
        table=job,
        at=job.c.created_at,
        keep=timedelta(days=days),
        most_rows=MOST_JOB_ROWS,
        removable=job.c.state == JobState.FINISHED.value,
    )


def recreate_rule() -> Rule:
    """Return the bound of what is remembered of containers that were made anew."""
    return Rule(
        table=container_recreate,
        at=container_recreate.c.at,
        keep=KEEP_RECREATES,
        most_rows=MOST_RECREATE_ROWS,
    )


def counter_rule() -> Rule:
    """Return the bound of the counters; those in use are written anew every day."""
    return Rule(
        table=counter,
        at=counter.c.at,
        keep=KEEP_COUNTERS,
        most_rows=MOST_COUNTER_ROWS,
    )


def update_rules() -> tuple[Rule, ...]:
    """Return the bounds of what registries said, and of the automatic updates that failed."""
    return tuple(
        Rule(table=table, at=table.c.at, keep=KEEP_UPDATES, most_rows=MOST_UPDATE_ROWS)
        for table in (image_lookup, update_attempt)
    )


class Retention:
    """Removes what the rules do not keep.

    Nothing is too old by a clock that may be wrong: one that is `LONG_AWAY` ahead of all that was
    written before the start, until `is_clock_right` says that somebody else told the time.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rules: Sequence[Rule],
        is_clock_right: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._clock = clock
        self._rules = tuple(rules)
        self._is_clock_right = is_clock_right
        self._newest_at_start: datetime | None = None

    async def run(self, every_s: float = SWEEP_S) -> None:
        """Sweep now and then, until cancelled."""
        while True:
            try:
                await self.sweep()
            except AgentError as error:
                _log.warning("old entries were not removed; trying again later", reason=str(error))
            await asyncio.sleep(every_s)

    async def prepare(self) -> None:
        """Note when something was written last, before the agent writes anything itself."""
        async with self._store.read() as connection:
            found = [await connection.scalar(select(func.max(rule.at))) for rule in self._rules]
        self._newest_at_start = max((at for at in found if at is not None), default=None)

    async def sweep(self) -> int:
        """Remove what is too old or too much; return how many rows that were."""
        by_age = self._is_clock_trusted()
        return sum([await self._sweep(rule, by_age=by_age) for rule in self._rules])

    def _is_clock_trusted(self) -> bool:
        newest = self._newest_at_start
        if newest is None or self._clock() - newest <= LONG_AWAY or self._is_clock_right():
            return True
        _log.info("old_entries_kept", why="The clock may be ahead", newest=newest.isoformat())
        return False

    async def _sweep(self, rule: Rule, *, by_age: bool) -> int:
        (key,) = rule.table.primary_key.columns
        newest_first = select(key).where(rule.removable).order_by(key.desc())
        async with self._store.read() as connection:
            first_too_many = await connection.scalar(newest_first.offset(rule.most_rows).limit(1))
        unwanted = rule.at < self._clock() - rule.keep if by_age else false()
        if first_too_many is not None:
            unwanted |= key <= first_too_many
        chosen = select(key).where(unwanted, rule.removable).order_by(key).limit(BATCH_ROWS)
        statement = delete(rule.table).where(key.in_(chosen))
        removed = 0
        while True:
            # In small parts: nobody waits long for the one writer.
            async with self._store.write() as connection:
                count = (await connection.execute(statement)).rowcount
            removed += count
            if count < BATCH_ROWS:
                break
        if removed:
            _log.info("old entries removed", table=rule.table.name, rows=removed)
        return removed
