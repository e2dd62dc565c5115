"""The ports that are known, so that a restart tells nothing twice and forgets no `since`."""

from collections.abc import Collection, Mapping
from datetime import datetime

from homelab_agent.areas.network.models import Reach
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.host.network import Transport
from homelab_agent.platform.model import Model
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import known_port


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
        self._records = Records(store, known_port, PortRecord)
        self._clock = clock

    async def load(self) -> dict[str, PortRecord]:
        """Return what was known; nothing where nobody ever looked."""
        return await self._records.all()

    async def save(self, changed: Mapping[str, PortRecord], gone: Collection[str]) -> None:
        """Write what changed, and drop what is gone, in one transaction."""
        now = self._clock()
        await self._records.put({key: (now, each) for key, each in changed.items()}, gone=gone)
