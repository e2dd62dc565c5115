"""Records by key that outlive a restart: a table of `key`, `at` and `record`."""

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Table, delete, insert, select

from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model
from homelab_agent.platform.store.async_core import AsyncConnection
from homelab_agent.platform.store.database import Store

_log = get_logger(__name__)


class Records[Record: Model]:
    """What is kept of many things, one record each."""

    def __init__(self, store: Store, table: Table, model: type[Record]) -> None:
        self._store = store
        self._table = table
        self._model = model

    async def all(self) -> dict[str, Record]:
        """Return all by key, those first that were not touched for longest.

        One that is not understood, as of a newer agent, is passed over and stays.
        """
        columns = self._table.c
        query = select(columns.key, columns.record).order_by(columns.id)
        async with self._store.read() as connection:
            rows = (await connection.execute(query)).all()
        found: dict[str, Record] = {}
        for key, record in rows:
            try:
                found[key] = self._model.model_validate(record)
            except ValidationError as error:
                _log.warning(
                    "record_not_understood", table=self._table.name, key=key, why=_why(error)
                )
        return found

    async def put(
        self,
        records: Mapping[str, tuple[datetime, Record]],
        *,
        gone: Collection[str] = (),
        within: AsyncConnection | None = None,
    ) -> None:
        """Keep records, each of a moment, in place of those before, and forget what is gone.

        All in one transaction: one of its own, or `within` another.
        """
        keys = {*records, *gone}
        if not keys:
            return
        rows = [
            {"key": key, "at": at, "record": record.model_dump(mode="json")}
            for key, (at, record) in records.items()
        ]
        async with nullcontext(within) if within else self._store.write() as connection:
            await connection.execute(delete(self._table).where(self._table.c.key.in_(sorted(keys))))
            if rows:
                await connection.execute(insert(self._table), rows)


def _why(error: ValidationError) -> str:
    """Return which fields are wrong, without what is in them: that may be a secret."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[:3]
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in first)
