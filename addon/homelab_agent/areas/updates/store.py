"""What is remembered across restarts, so that a restart asks no registry anything."""

from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Table, delete, insert, select

from homelab_agent.areas.updates.lookup import Lookup
from homelab_agent.areas.updates.verdict import Attempt
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import image_lookup, update_attempt

_log = get_logger(__name__)


class UpdateMemory:
    """Lookups by what is followed; failed automatic updates by the container's key."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def lookups(self) -> dict[str, Lookup]:
        """Return what registries said."""
        return await self._read(image_lookup, Lookup)

    async def attempts(self) -> dict[str, Attempt]:
        """Return the automatic updates that were not kept."""
        return await self._read(update_attempt, Attempt)

    async def remember_lookup(self, key: str, lookup: Lookup) -> None:
        """Keep an answer in place of the one before."""
        await self._write(image_lookup, key, lookup.checked_at, lookup)

    async def remember_attempt(self, key: str, attempt: Attempt) -> None:
        """Keep an automatic update that was not kept."""
        await self._write(update_attempt, key, attempt.at, attempt)

    async def _read[Record: Model](self, table: Table, record: type[Record]) -> dict[str, Record]:
        async with self._store.read() as connection:
            rows = (await connection.execute(select(table.c.key, table.c.record))).all()
        found: dict[str, Record] = {}
        for key, value in rows:
            try:
                found[key] = record.model_validate(value)
            except ValidationError as error:
                _log.warning("update_record_not_understood", key=key, why=str(error))
        return found

    async def _write(self, table: Table, key: str, at: datetime, record: Model) -> None:
        values = {"key": key, "at": at, "record": record.model_dump(mode="json")}
        async with self._store.write() as connection:
            await connection.execute(delete(table).where(table.c.key == key))
            await connection.execute(insert(table).values(**values))
