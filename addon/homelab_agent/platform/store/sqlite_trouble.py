"""What a SQLite file's refusal means for the person who has to do something about it.

Only a file that holds no database may be moved away: the advice would cost all tokens otherwise.
"""

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from homelab_agent.platform.errors import StoreError

_BROKEN = (
    "is not a database that can be read",
    "Put back a copy of it, or move it away to begin with an empty one",
)
_NOT_WRITABLE = (
    "cannot be written",
    "Let the agent write to the data folder and all files in it. Nothing in the database is lost",
)
_KNOWN = {
    sqlite3.SQLITE_NOTADB: _BROKEN,
    sqlite3.SQLITE_CORRUPT: _BROKEN,
    sqlite3.SQLITE_FULL: (
        "cannot be used: the disk is full",
        "Make room on the disk of the data folder. Nothing in the database is lost",
    ),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written",
        "Look for free space on the disk of the data folder, and whether the disk is healthy",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "Look whether the agent may read and write it and the files beside it (-wal, -shm)",
    ),
    sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
    sqlite3.SQLITE_PERM: _NOT_WRITABLE,
    sqlite3.SQLITE_BUSY: (
        "is held by another program",
        "Stop the program that uses the database, a backup for example, and start the agent again",
    ),
}
_UNKNOWN = ("cannot be used", "The file was left as it is")
_PRIMARY = 0xFF


def unusable(path: Path, error: DatabaseError) -> StoreError:
    """Return the error to raise for a file that SQLite refused."""
    what, hint = _KNOWN.get(_code(error.orig), _UNKNOWN)
    return StoreError(f"{path} {what}: {error.orig}", hint=hint)


def remedy(reason: BaseException | None) -> str | None:
    """Return what helps where SQLite refuses while the agent runs; None where that is not known."""
    known = _KNOWN.get(_code(reason))
    return known[1] if known else None


def _code(reason: BaseException | None) -> int:
    code: int = getattr(reason, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    # The higher bits say where in SQLite it happened.
    return code & _PRIMARY
