"""Which schema a database has, and making the one it should have."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select

from homelab_agent.platform.errors import StoreError
from homelab_agent.platform.store.tables import metadata

_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The tables as they should be, and the migrations that lead there."""

    head: str
    metadata: MetaData
    migrations: Path


SCHEMA = Schema(head="0008", metadata=metadata, migrations=Path(__file__).parent / "migrations")


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database, None for an empty one.

    Raises:
        StoreError: for a database that belongs to something else.
    """
    tables = set(inspect(connection).get_table_names())
    if _VERSION.name in tables:
        return connection.scalar(select(_VERSION.c.version_num))
    if tables:
        raise StoreError(
            f"The database holds tables that are not the agent's: {', '.join(sorted(tables)[:5])}",
            hint="Give the agent a database of its own",
        )
    return None


def create(connection: Connection, schema: Schema) -> None:
    """Make all tables in an empty database.

    Done without Alembic, which costs 18 MB of memory for as long as the agent runs. That both
    ways lead to the same tables is tested.
    """
    schema.metadata.create_all(connection)
    _VERSION.create(connection)
    connection.execute(insert(_VERSION).values(version_num=schema.head))
