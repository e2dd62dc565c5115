"""The ports that are known, so that a restart tells nothing twice and forgets no `since`."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import delete, insert, select

from homelab_agent.areas.network.models import Reach
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.host.network import Transport
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import known_port

_log = get_logger(__name__)


class PortRecord(Model):
    """A port as it was last seen. `view`: whose network it was seen in."""

    transport: Transport
    address: str
    port: int
    reach: Reach
    process: str | None
    container: str | None
    since: datetime
    view: str


class KnownPorts:
    """A row for each port that is open: as many as are shown, so the table is bounded by that."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def load(self) -> dict[str, PortRecord]:
        """Return what was known; nothing where nobody ever looked."""
        async with self._store.read() as connection:
            rows = (await connection.execute(select(known_port.c.key, known_port.c.record))).all()
        found: dict[str, PortRecord] = {}
        for key, value in rows:
            try:
                found[key] = PortRecord.model_validate(value)
            except ValidationError as error:
                _log.warning("known_port_not_understood", key=key, why=str(error))
        return found

    async def save(self, changed: Mapping[str, PortRecord], gone: Iterable[str]) -> None:
        """Write what changed, and drop what is gone, in one transaction."""
        now = self._clock()
        rows = [
            {"key": key, "at": now, "record": record.model_dump(mode="json")}
            for key, record in changed.items()
        ]
        keys = [*changed, *gone]
        if not keys:
            return
        async with self._store.write() as connection:
            await connection.execute(delete(known_port).where(known_port.c.key.in_(keys)))
            if rows:
                await connection.execute(insert(known_port), rows)
