"""Findings across restarts: since when something is so does not change with the agent."""

from collections.abc import Collection, Sequence

from homelab_agent.areas.insight.models import Finding
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import finding


class FindingMemory:
    """Findings by key; as many as there are right now."""

    def __init__(self, store: Store) -> None:
        self._records = Records(store, finding, Finding)

    async def load(self) -> dict[str, Finding]:
        """Return those that were there when the agent ended."""
        return await self._records.all()

    async def write(self, findings: Sequence[Finding], ended: Collection[str]) -> None:
        """Keep findings in place of those before, and let go of those that ended."""
        await self._records.put({each.key: (each.since, each) for each in findings}, gone=ended)
