"""Domains and their history in the store. What changes together is one transaction."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from itertools import batched

from sqlalchemy import insert, select

from homelab_agent.areas.domains.history import (
    LONGEST_MESSAGE,
    LONGEST_STEP,
    Line,
    shortened,
)
from homelab_agent.areas.domains.models import (
    DomainHistoryQuery,
    HistoryEntry,
    HistoryPage,
    KeptDomain,
)
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.store.async_core import AsyncConnection
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.retention import Rule
from homelab_agent.platform.store.tables import domain, domain_event

MOST_EVENT_ROWS = 100_000

_AT_ONCE = 1000


def history_rule(days: int) -> Rule:
    """Return the bound of the history of domains."""
    return Rule(
        table=domain_event,
        at=domain_event.c.at,
        keep=timedelta(days=days),
        most_rows=MOST_EVENT_ROWS,
    )


class DomainStore:
    """What is wanted of each domain, and what was done to it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._records = Records(store, domain, KeptDomain)

    async def load(self) -> dict[str, KeptDomain]:
        """Return all domains by id."""
        return await self._records.all()

    async def save(
        self,
        kept: Iterable[KeptDomain] = (),
        *,
        gone: Collection[str] = (),
        lines: Iterable[Line] = (),
    ) -> None:
        """Keep domains, forget others, and add lines to the histories: all of it or nothing."""
        now = self._clock()
        records = {each.id: (now, each) for each in kept}
        async with self._store.write() as connection:
            await self._records.put(records, gone=gone, within=connection)
            await _append(connection, lines)

    async def page(self, domain_id: str, query: DomainHistoryQuery) -> HistoryPage:
        """Return the newest lines of a domain's history, or those before `query.before`."""
        columns = domain_event.c
        wanted = [columns[field] for field in HistoryEntry.model_fields]
        statement = select(*wanted).where(columns.domain == domain_id)
        if query.before is not None:
            statement = statement.where(columns.id < query.before)
        # One more than asked for tells whether there is a next page.
        statement = statement.order_by(columns.id.desc()).limit(query.limit + 1)
        async with self._store.read() as connection:
            rows = (await connection.execute(statement)).all()
        events = tuple(HistoryEntry.model_validate(row._asdict()) for row in rows[: query.limit])
        more = len(rows) > query.limit
        return HistoryPage(events=events, next_before=events[-1].id if more else None)


async def _append(connection: AsyncConnection, lines: Iterable[Line]) -> None:
    for some in batched(map(_row, lines), _AT_ONCE, strict=False):
        await connection.execute(insert(domain_event), some)


def _row(line: Line) -> dict[str, object]:
    return {
        **line.model_dump(),
        "type": line.type.value,
        "step": line.step and line.step[:LONGEST_STEP],
        "outcome": line.outcome and line.outcome.value,
        "message": line.message and line.message[:LONGEST_MESSAGE],
        "before": shortened(line.before),
        "after": shortened(line.after),
    }
