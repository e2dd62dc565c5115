"""Making a database engine: SQLite in WAL mode, or PostgreSQL."""

from typing import Protocol

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from homelab_agent.platform.errors import StoreError
from homelab_agent.platform.store.async_core import AsyncEngine, create_async_engine

WRITES = "homelab_writes"
"""The execution option of a connection that is going to write."""

_BUSY_TIMEOUT_MS = 10_000
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}",
    # Without it the write-ahead log keeps the size of its worst moment for ever.
    "PRAGMA journal_size_limit = 4194304",
)


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> object: ...
    def close(self) -> None: ...


class _DriverConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def make_engine(url: URL) -> AsyncEngine:
    """Return the engine for `url`; nothing is connected yet."""
    try:
        # Few connections: each of SQLite's is a thread, and a homelab asks little.
        engine = create_async_engine(
            url,
            pool_size=2,
            max_overflow=6,
            pool_timeout=10,
            # A server may have been restarted since a connection was last used; a file was not.
            pool_pre_ping=not is_sqlite(url),
            # Neither its log nor its errors repeat what is stored: digests of tokens are in it.
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise StoreError(
            f"The database driver {error.name} is not installed",
            hint="Install homelab-agent with its extra: homelab-agent[postgres]",
        ) from error
    except (ArgumentError, ValueError, TypeError) as error:
        # All that is in question is the URL: the rest is the same every time.
        raise StoreError(
            f"database_url cannot be used: {str(error).partition('\n')[0]}",
            field="database_url",
            hint="A file has three or four slashes: sqlite+aiosqlite:////data/homelab.db",
        ) from error
    if is_sqlite(url):
        _listen(engine.sync_engine, foreign_keys=True)
    return engine


def make_file_engine(path: str) -> Engine:
    """Return a synchronous engine on a SQLite file, for the work before the store is open.

    Foreign keys are not enforced: a migration replaces whole tables, and dropping the old one
    would remove what refers to its rows.
    """
    engine = create_engine(URL.create("sqlite", database=path), poolclass=NullPool)
    _listen(engine, foreign_keys=False)
    return engine


def is_sqlite(url: URL) -> bool:
    """Return whether `url` means a SQLite file."""
    return url.get_backend_name() == "sqlite"


def connect_errors(url: URL) -> tuple[type[Exception], ...]:
    """Return what connecting may raise: drivers do not wrap everything."""
    if is_sqlite(url):
        return (SQLAlchemyError, OSError)
    import asyncpg  # noqa: PLC0415  # an extra: there only where PostgreSQL is used

    return (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


def _listen(engine: Engine, *, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: _DriverConnection, _record: object) -> None:
        # The driver must not begin transactions of its own: it would begin them too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (*_PRAGMAS, f"PRAGMA foreign_keys = {int(foreign_keys)}"):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later cannot wait for another writer; one that
        # says at once that it will write can.
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
