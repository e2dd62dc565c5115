"""The kept versions of managed stacks, in the store."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.model import Model
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.retention import Rule
from homelab_agent.platform.store.tables import stack_version

KEEP = timedelta(days=730)
MOST_VERSIONS = 2000


class VersionRow(Model):
    """One version. `source` is where its files are; `directory` is None for the stack's own."""

    version: int
    at: datetime
    caller: str
    source: str
    directory: str | None
    profiles: tuple[str, ...]


def history_rule() -> Rule:
    """Return the bound of the history; the current version of a stack is never removed."""
    current = select(func.max(stack_version.c.id)).group_by(stack_version.c.name)
    return Rule(
        table=stack_version,
        at=stack_version.c.at,
        keep=KEEP,
        most_rows=MOST_VERSIONS,
        removable=stack_version.c.id.not_in(current),
    )


class History:
    """Reads and writes the versions. The newest one of a stack is its current one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def current_versions(self) -> Mapping[str, int]:
        """Return every managed stack with its current version."""
        query = select(stack_version.c.name, func.max(stack_version.c.version)).group_by(
            stack_version.c.name
        )
        async with self._store.read() as connection:
            return {str(row[0]): int(row[1]) for row in await connection.execute(query)}

    async def versions(self, name: str) -> tuple[VersionRow, ...]:
        """Return the versions of a stack, the newest first."""
        query = (
            select(stack_version)
            .where(stack_version.c.name == name)
            .order_by(stack_version.c.version.desc())
        )
        async with self._store.read() as connection:
            return tuple(_row(row) for row in await connection.execute(query))

    async def add(
        self,
        name: str,
        *,
        caller: str,
        source: str,
        directory: str | None,
        profiles: tuple[str, ...],
    ) -> int:
        """Add a version, once for each source; return its number."""
        async with self._store.write() as connection:
            same = select(stack_version.c.version).where(
                stack_version.c.name == name, stack_version.c.source == source
            )
            known = await connection.scalar(same)
            if known is not None:
                return int(known)
            newest = select(func.max(stack_version.c.version)).where(stack_version.c.name == name)
            version = (await connection.scalar(newest) or 0) + 1
            await connection.execute(
                insert(stack_version).values(
                    name=name,
                    version=version,
                    at=self._clock(),
                    caller=caller,
                    source=source,
                    directory=directory,
                    profiles=list(profiles),
                )
            )
        return version

    async def forget(self, name: str) -> None:
        """Remove all versions of a stack."""
        async with self._store.write() as connection:
            await connection.execute(delete(stack_version).where(stack_version.c.name == name))


def _row(row: Row[Any]) -> VersionRow:
    return VersionRow(
        version=row.version,
        at=row.at,
        caller=row.caller,
        source=row.source,
        directory=row.directory,
        profiles=tuple(row.profiles),
    )
