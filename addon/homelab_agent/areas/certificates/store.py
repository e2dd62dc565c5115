"""What is watched, across restarts."""

from pydantic import ValidationError
from sqlalchemy import delete, insert, select

from homelab_agent.areas.certificates.watched import Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import watched_certificate as table

_log = get_logger(__name__)


class CertificateStore:
    """One row for each place; how many there are is bounded by the board."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def load(self) -> tuple[Watched, ...]:
        """Return all, those first that were not touched for longest."""
        statement = select(table.c.key, table.c.record).order_by(table.c.id)
        async with self._store.read() as connection:
            rows = (await connection.execute(statement)).all()
        found = []
        for key, record in rows:
            try:
                found.append(Watched.model_validate(record))
            except ValidationError as error:
                _log.warning("certificate_record_not_understood", key=key, why=str(error))
        return tuple(found)

    async def save(self, watched: Watched) -> None:
        """Keep it in place of what was known before."""
        key = watched.place.key
        values = {"key": key, "at": self._clock(), "record": watched.model_dump(mode="json")}
        async with self._store.write() as connection:
            await connection.execute(delete(table).where(table.c.key == key))
            await connection.execute(insert(table).values(**values))

    async def remove(self, key: str) -> None:
        """Forget it."""
        async with self._store.write() as connection:
            await connection.execute(delete(table).where(table.c.key == key))
