"""What was last done to each container, and which image is kept to go back to."""

from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Row, delete, insert, select

from homelab_agent.areas.recreate.models import RECREATE_KIND, RecreateResult, RecreateStatus
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import container_recreate

_log = get_logger(__name__)


class Kept(Model):
    """An image to go back to: what the container was made from, and which image that was."""

    image: str
    image_id: str
    version: str | None = None


class Record(Model):
    """All that is remembered of one container. `pending`: how a job that still runs fails."""

    kept: Kept | None = None
    last: RecreateResult | None = None
    pending: RecreateResult | None = None


class RecreateBook:
    """Remembers across restarts, and publishes what everyone may know of it."""

    def __init__(self, store: Store, resources: Resources, clock: Clock) -> None:
        self._store = store
        self._resources = resources
        self._clock = clock

    def now(self) -> datetime:
        """Return the time."""
        return self._clock()

    async def publish_all(self) -> None:
        """Publish what is remembered of every container."""
        for key, record in (await self.records()).items():
            self._publish(key, record)

    async def records(self) -> dict[str, Record]:
        """Return what is remembered, by container."""
        async with self._store.read() as connection:
            rows = (await connection.execute(select(container_recreate))).all()
        return {row.key: _record(row) for row in rows}

    async def read(self, key: str) -> Record:
        """Return what is remembered of a container: nothing where nothing was done."""
        query = select(container_recreate).where(container_recreate.c.key == key)
        async with self._store.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Record() if row is None else _record(row)

    async def status(self, key: str) -> RecreateStatus:
        """Return what everyone may know of a container."""
        return _status(key, await self.read(key))

    async def write(self, key: str, record: Record) -> None:
        """Remember this of a container from now on."""
        async with self._store.write() as connection:
            await connection.execute(
                delete(container_recreate).where(container_recreate.c.key == key)
            )
            await connection.execute(
                insert(container_recreate).values(
                    key=key, at=self._clock(), record=record.model_dump(mode="json")
                )
            )
        self._publish(key, record)

    async def forget(self, key: str) -> None:
        """Remember nothing of a container any more."""
        async with self._store.write() as connection:
            await connection.execute(
                delete(container_recreate).where(container_recreate.c.key == key)
            )
        self._resources.remove(RECREATE_KIND, key)

    def _publish(self, key: str, record: Record) -> None:
        self._resources.publish(RECREATE_KIND, key, _status(key, record))


def _status(key: str, record: Record) -> RecreateStatus:
    return RecreateStatus(
        key=key,
        rollback_image=record.kept.image if record.kept else None,
        rollback_version=record.kept.version if record.kept else None,
        last=record.last,
    )


def _record(row: Row[tuple[object, ...]]) -> Record:
    try:
        return Record.model_validate(row.record)
    except ValidationError as error:
        _log.warning("recreate_record_not_understood", key=row.key, why=str(error))
        return Record()
