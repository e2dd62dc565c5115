"""Findings across restarts: since when something is so does not change with the agent."""

from collections.abc import Collection, Sequence

from pydantic import ValidationError
from sqlalchemy import delete, insert, select

from homelab_agent.areas.insight.models import Finding
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import finding

_log = get_logger(__name__)


class FindingMemory:
    """Findings by key; as many as there are right now."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self) -> dict[str, Finding]:
        """Return those that were there when the agent ended."""
        async with self._store.read() as connection:
            rows = (await connection.execute(select(finding.c.key, finding.c.record))).all()
        found: dict[str, Finding] = {}
        for key, record in rows:
            try:
                found[key] = Finding.model_validate(record)
            except ValidationError as error:
                _log.warning("finding_not_understood", key=key, why=str(error))
        return found

    async def write(self, findings: Sequence[Finding], ended: Collection[str]) -> None:
        """Keep findings in place of those before, and let go of those that ended."""
        gone = sorted({*ended, *(each.key for each in findings)})
        rows = [
            {"key": each.key, "at": each.since, "record": each.model_dump(mode="json")}
            for each in findings
        ]
        async with self._store.write() as connection:
            await connection.execute(delete(finding).where(finding.c.key.in_(gone)))
            if rows:
                await connection.execute(insert(finding), rows)
