"""The store: opening it, and the two ways of using it."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Self
from uuid import uuid4

from sqlalchemy import URL, insert, make_url, select
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
)

from homelab_agent.platform.errors import Conflict, StoreError, Unavailable
from homelab_agent.platform.store import postgres
from homelab_agent.platform.store.async_core import AsyncConnection, AsyncEngine
from homelab_agent.platform.store.engine import WRITES, connect_errors, is_sqlite, make_engine
from homelab_agent.platform.store.schema import SCHEMA, Schema
from homelab_agent.platform.store.sqlite_file import SqliteFile
from homelab_agent.platform.store.sqlite_trouble import remedy
from homelab_agent.platform.store.tables import meta

_INSTANCE_ID = "instance_id"
_PORTS = range(1, 65536)


class Store:
    """One open database. Raises only the errors of `platform.errors`.

    `Unavailable` when the database cannot be reached or written, `Conflict` for a row that is
    already there.
    """

    def __init__(self, engine: AsyncEngine, data_dir: Path, file: SqliteFile | None) -> None:
        self.instance_id = ""
        """Who this agent is, for as long as the store lives."""
        self._engine = engine
        self._data_dir = data_dir
        self._file = file
        self._connect_errors = connect_errors(engine.url)
        self._failures: tuple[type[Exception], ...] = (*self._connect_errors, Unavailable)
        # SQLite has one writer; waiting here is fairer than its way of asking again and again.
        self._writing: asyncio.Lock | None = asyncio.Lock() if file else None
        self._claims = contextlib.AsyncExitStack()
        self._closing: set[asyncio.Future[None]] = set()

    @classmethod
    async def open(cls, url: str, data_dir: Path, *, schema: Schema = SCHEMA) -> Self:
        """Open the database at `url`, made or migrated first where needed.

        Raises:
            StoreError: it cannot be used; what was in it is as it was before.
        """
        parsed = _parse(url)
        file = SqliteFile(_path(parsed), schema) if is_sqlite(parsed) else None
        store = cls(make_engine(parsed), data_dir, file)
        try:
            await store._prepare(schema)
        except BaseException:
            await store.close()
            raise
        return store

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Enter a transaction that only reads."""
        return self._transaction(writes=False)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Enter a transaction that writes: committed at the end, undone by an exception.

        Never wait for anything else inside: all other writers wait for this one.
        """
        async with (
            self._writing or contextlib.nullcontext(),
            self._transaction(writes=True) as connection,
        ):
            yield connection

    async def check(self) -> None:
        """Read a row from the file or server itself.

        Raises:
            Unavailable: it cannot be read.
        """
        async with self.read() as connection:
            if self._file:
                # What this connection has in memory is still there when the file is not.
                await connection.exec_driver_sql("PRAGMA shrink_memory")
            await connection.execute(select(meta.c.value).limit(1))

    async def claim(self) -> None:
        """Become the one agent that serves with this store, until `close`.

        Raises:
            StoreError: another one does; two would both go on with the same jobs.
        """
        async with contextlib.AsyncExitStack() as claims:
            lock = await asyncio.to_thread(_take_lock, self._data_dir / "agent.lock")
            claims.callback(os.close, lock)
            if self._file is None:
                await claims.enter_async_context(postgres.claim(self._engine))
            self._claims = claims.pop_all()

    async def close(self) -> None:
        """Close all connections; safe to call twice."""
        await self._claims.aclose()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._engine.dispose()
        if self._file:
            self._file.release()

    async def _prepare(self, schema: Schema) -> None:
        try:
            if self._file:
                await asyncio.to_thread(self._file.prepare)
            else:
                await postgres.prepare(self._engine, schema)
            self.instance_id = await self._settle_instance_id()
        except TypeError as error:
            if not self._engine.url.query:
                raise
            # The driver was handed all that stands behind the question mark.
            raise StoreError(f"database_url: {error}", field="database_url") from error
        except self._failures as error:
            raise StoreError(
                f"The database {self._engine.url.render_as_string()} cannot be used: "
                f"{_reason(error)}",
                hint=error.hint if isinstance(error, Unavailable) else None,
            ) from error

    async def _settle_instance_id(self) -> str:
        query = select(meta.c.value).where(meta.c.key == _INSTANCE_ID)
        async with self.read() as connection:
            known = await connection.scalar(query)
        if known is not None:
            return str(known)
        with contextlib.suppress(Conflict):  # another program was faster
            async with self.write() as connection:
                await connection.execute(insert(meta).values(key=_INSTANCE_ID, value=uuid4().hex))
        async with self.read() as connection:
            return str(await connection.scalar(query))

    @contextlib.asynccontextmanager
    async def _transaction(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        try:
            connection = await self._engine.connect()
        except self._connect_errors as error:
            raise _unavailable(error) from error
        try:
            await connection.execution_options(**{WRITES: writes})
            async with connection.begin():
                yield connection
        except IntegrityError as error:
            raise Conflict("The store already holds such an entry") from error
        except ProgrammingError, DataError:
            raise  # a mistake of ours, not a state of the database
        except DBAPIError as error:
            raise _unavailable(error) from error
        finally:
            # To its end, also where somebody is told to end just now: else the connection is lost.
            closing = asyncio.ensure_future(connection.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            await asyncio.shield(closing)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # the second for a port that is no number
        raise StoreError("database_url is not a URL", field="database_url") from error
    if parsed.port is not None and parsed.port not in _PORTS:
        raise StoreError(f"database_url: {parsed.port} is not a port", field="database_url")
    return parsed


def _path(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise StoreError("database_url: a SQLite store needs a file", field="database_url")
    return Path(url.database)


def _take_lock(path: Path) -> int:
    """Return the handle of a lock file that is ours until the handle is closed."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreError(
            f"Another homelab-agent is running with {path.parent}",
            hint="Stop it, or give this one a data folder of its own",
        ) from None
    return lock


def _unavailable(error: Exception) -> Unavailable:
    reason = _reason(error)
    return Unavailable(f"The store cannot be used: {reason}", hint=remedy(reason))


def _reason(error: Exception) -> BaseException | None:
    """Return the driver's own words, without the statement and the link around them."""
    return error.orig if isinstance(error, DBAPIError) else error
