"""The SQLite file before it is opened: made, locked, migrated on a copy. All of it blocks."""

import contextlib
import fcntl
import os
import sqlite3
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy.exc import DatabaseError

from homelab_agent.platform.durable_files import sync_folder
from homelab_agent.platform.errors import StoreError
from homelab_agent.platform.store.engine import WRITES, make_file_engine
from homelab_agent.platform.store.schema import Schema, create, revision_of
from homelab_agent.platform.store.sqlite_trouble import unusable

LOCK_S = 10
_LOCK_STEP_S = 0.05


class SqliteFile:
    """A file whose schema is right for as long as this object holds its lock."""

    def __init__(self, path: Path, schema: Schema, *, lock_s: float = LOCK_S) -> None:
        self.path = path
        self._schema = schema
        self._lock_s = lock_s
        self._lock: int | None = None

    def prepare(self) -> None:
        """Make or migrate the file where needed.

        Everyone who uses the file holds a shared lock, so that it is never exchanged under them.

        Raises:
            StoreError: the file cannot be used; it is as it was before.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._lock = lock
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            self.release()
            raise StoreError(
                f"{error.filename or self.path} cannot be written: {error.strerror}",
                hint="Give the agent a data folder that it may write to",
            ) from error
        try:
            self._prepare_locked(lock)
        except DatabaseError as error:
            self.release()
            raise unusable(self.path, error) from error
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let go of the lock; safe to call twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _prepare_locked(self, lock: int) -> None:
        deadline = monotonic() + self._lock_s
        while monotonic() < deadline:
            if _take(lock, fcntl.LOCK_SH):
                # Two programs that turn an empty file into a database at once get in each other's
                # way, and SQLite does not wait then.
                if self.path.stat().st_size and self._revision() == self._schema.head:
                    return
                _take(lock, fcntl.LOCK_UN)
            if _take(lock, fcntl.LOCK_EX):
                self._bring_up_to_date()
                # Taken again from the start: between two locks somebody else may have been faster.
                _take(lock, fcntl.LOCK_UN)
                deadline = monotonic() + self._lock_s
            else:
                sleep(_LOCK_STEP_S)
        raise StoreError(
            f"{self.path} has to be migrated, but another program is using it",
            hint="Stop every homelab-agent of this data folder, then start it again",
        )

    def _bring_up_to_date(self) -> None:
        revision = self._revision()
        if revision is None:
            self._create()
        elif revision != self._schema.head:
            self._migrate(revision)

    def _revision(self) -> str | None:
        with make_file_engine(str(self.path)).connect() as connection:
            return revision_of(connection)

    def _create(self) -> None:
        with make_file_engine(str(self.path)).begin() as connection:
            create(connection, self._schema)

    def _migrate(self, revision: str) -> None:
        """Keep a copy, migrate a second one and put that in the file's place."""
        from homelab_agent.platform.store.migrate import require_known  # noqa: PLC0415  # heavy

        # Before all else: the copy that is there by this name is from before the last migration.
        require_known(self._schema, revision)
        working = Path(f"{self.path}.migrating")
        _remove_database(working)
        try:
            _copy(self.path, working)
            working.replace(f"{self.path}.before-{self._schema.head}")
            _copy(self.path, working)
            _migrate_copy(working, self._schema, revision)
            _fold_log(self.path)
            working.replace(self.path)
            sync_folder(self.path.parent)
        except (OSError, sqlite3.Error, DatabaseError) as error:
            reason = error.orig if isinstance(error, DatabaseError) else error
            raise StoreError(
                f"{self.path} could not be migrated: {reason}",
                hint="Nothing was changed. Look for free disk space and a writable data folder",
            ) from error
        finally:
            _remove_database(working)


def put_back_copy(path: Path, since: float) -> bool:
    """Put back the copy that was kept before a migration since then (Unix time), if there is one.

    For whoever goes back to the version before, while nobody uses the file. What was written after
    the migration is lost; the copy itself stays.
    """
    copies = [
        copy
        for copy in path.parent.glob(f"{path.name}.before-*")
        if copy.is_file() and copy.stat().st_mtime >= since
    ]
    if not copies:
        return False
    first = min(copies, key=lambda copy: copy.stat().st_mtime)
    working = Path(f"{path}.putting-back")
    _remove_database(working)
    _copy(first, working)
    owner = path.stat() if path.exists() else first.stat()
    os.chown(working, owner.st_uid, owner.st_gid)
    for log in (f"{path}-wal", f"{path}-shm"):
        Path(log).unlink(missing_ok=True)
    working.replace(path)
    sync_folder(path.parent)
    return True


def _take(lock: int, how: int) -> bool:
    """Return whether the lock could be had at once."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _migrate_copy(path: Path, schema: Schema, revision: str) -> None:
    from homelab_agent.platform.store.migrate import migrate  # noqa: PLC0415  # heavy

    engine = make_file_engine(str(path)).execution_options(**{WRITES: True})
    with engine.begin() as connection:
        migrate(connection, schema, revision)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken:
            raise StoreError(
                f"The migration to {schema.head} left a reference to nothing: {broken}"
            )
    _fold_log(path)


def _copy(source: Path, target: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(source)) as reading,
        contextlib.closing(sqlite3.connect(target)) as writing,
    ):
        target.chmod(0o600)
        reading.backup(writing)


def _fold_log(path: Path) -> None:
    """Bring everything into the one file, so that it can be moved alone."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for log in (f"{path}-wal", f"{path}-shm"):
        Path(log).unlink(missing_ok=True)


def _remove_database(path: Path) -> None:
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm"), Path(f"{path}-journal")):
        file.unlink(missing_ok=True)
