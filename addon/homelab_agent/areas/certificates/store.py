"""What is watched, across restarts."""

from homelab_agent.areas.certificates.watched import Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import watched_certificate


class CertificateStore:
    """One row for each place; how many there are is bounded by the board."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._records = Records(store, watched_certificate, Watched)
        self._clock = clock

    async def load(self) -> tuple[Watched, ...]:
        """Return all, those first that were not touched for longest."""
        return tuple((await self._records.all()).values())

    async def save(self, watched: Watched) -> None:
        """Keep it in place of what was known before."""
        await self._records.put({watched.place.key: (self._clock(), watched)})

    async def remove(self, key: str) -> None:
        """Forget it."""
        await self._records.put({}, gone=(key,))
