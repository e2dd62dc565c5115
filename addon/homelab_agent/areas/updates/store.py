"""What is remembered across restarts, so that a restart asks no registry anything."""

from homelab_agent.areas.updates.lookup import Lookup
from homelab_agent.areas.updates.verdict import Attempt
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import image_lookup, update_attempt


class UpdateMemory:
    """Lookups by what is followed; failed automatic updates by the container's key."""

    def __init__(self, store: Store) -> None:
        self._lookups = Records(store, image_lookup, Lookup)
        self._attempts = Records(store, update_attempt, Attempt)

    async def lookups(self) -> dict[str, Lookup]:
        """Return what registries said."""
        return await self._lookups.all()

    async def attempts(self) -> dict[str, Attempt]:
        """Return the automatic updates that were not kept."""
        return await self._attempts.all()

    async def remember_lookup(self, key: str, lookup: Lookup) -> None:
        """Keep an answer in place of the one before."""
        await self._lookups.put({key: (lookup.checked_at, lookup)})

    async def remember_attempt(self, key: str, attempt: Attempt) -> None:
        """Keep an automatic update that was not kept."""
        await self._attempts.put({key: (attempt.at, attempt)})
