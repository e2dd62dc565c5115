"""Reads what `platform.audit` wrote."""

from datetime import datetime
from operator import ge, lt

from sqlalchemy import ColumnElement, Select, or_, select

from homelab_agent.areas.activity.models import ActivityPage, ActivityQuery
from homelab_agent.platform.audit import ActivityEntry
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import activity


class ActivityService:
    """The feed of everything that happened."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, query: ActivityQuery) -> ActivityPage:
        """Return the newest entries that match, or those before `query.before`."""
        # One more than asked for tells whether there is a next page.
        statement = _matching(query).order_by(activity.c.id.desc()).limit(query.limit + 1)
        async with self._store.read() as connection:
            rows = (await connection.execute(statement)).all()
        entries = tuple(ActivityEntry.model_validate(row._asdict()) for row in rows[: query.limit])
        more = len(rows) > query.limit
        return ActivityPage(entries=entries, next_before=entries[-1].id if more else None)


type _Row = tuple[
    int, datetime, str, str, str | None, str | None, str | None, str | None, str | None
]


def _matching(query: ActivityQuery) -> Select[_Row]:
    columns = activity.c
    conditions: list[ColumnElement[bool]] = []
    exact = (
        (columns.caller, query.caller),
        (columns.action, query.action),
        (columns.target, query.target),
        (columns.outcome, query.outcome),
    )
    conditions += [column == value for column, value in exact if value is not None]
    bounds = (
        (columns.id, lt, query.before),
        (columns.at, ge, query.since),
        (columns.at, lt, query.until),
    )
    conditions += [fits(column, value) for column, fits, value in bounds if value is not None]
    if query.text is not None:
        searched = (columns.caller, columns.action, columns.target, columns.message)
        conditions.append(
            or_(*(column.icontains(query.text, autoescape=True) for column in searched))
        )
    return select(activity).where(*conditions)
