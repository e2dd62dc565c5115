"""What only PostgreSQL needs: migrating in one transaction, and being the only server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, func, select

from homelab_agent.platform.errors import StoreError
from homelab_agent.platform.store.async_core import AsyncEngine
from homelab_agent.platform.store.schema import Schema, create, revision_of

# Any two numbers do, as long as everyone uses the same.
_MIGRATING = 4_711_001
_SERVING = 4_711_002


async def prepare(engine: AsyncEngine, schema: Schema) -> None:
    """Make or migrate the tables where needed, in one transaction."""
    async with engine.begin() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
        await connection.run_sync(_prepare, schema)


@asynccontextmanager
async def claim(engine: AsyncEngine) -> AsyncIterator[None]:
    """Be the one agent that serves with this database.

    Raises:
        StoreError: another one does.
    """
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        if not await connection.scalar(select(func.pg_try_advisory_lock(_SERVING))):
            raise StoreError(
                "Another homelab-agent is running with this database",
                hint="Stop it, or give this one a database of its own",
            )
        yield


def _prepare(connection: Connection, schema: Schema) -> None:
    revision = revision_of(connection)
    if revision is None:
        create(connection, schema)
    elif revision != schema.head:
        from homelab_agent.platform.store.migrate import migrate  # noqa: PLC0415  # heavy

        migrate(connection, schema, revision)
