# ruff: noqa: ASYNC240  # the test owns these files, and may wait for them
import asyncio
import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError

from homelab_agent.platform.errors import StoreError, Unavailable
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.engine import make_file_engine
from homelab_agent.platform.store.migrate import migrate
from homelab_agent.platform.store.schema import SCHEMA
from homelab_agent.platform.store.sqlite_file import SqliteFile
from homelab_agent.platform.store.sqlite_trouble import unusable
from homelab_agent.platform.tokens import Tokens
from tests.clock import HandClock
from tests.contract.store.schemas import (
    BREAKS_HALF_WAY,
    GOOD,
    IS_KILLED,
    LEAVES_ORPHANS,
    next_schema,
)

KEPT = Path(__file__).parent / "kept"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def _leave_a_store(url: str, folder: Path) -> str:
    store = await Store.open(url, folder)
    await store.close()
    return store.instance_id


async def test_a_failed_migration_leaves_the_file_byte_for_byte_as_it_was(
    store_url: str, tmp_path: Path
) -> None:
    await _leave_a_store(store_url, tmp_path)
    before = _digest(tmp_path / "homelab.db")

    with pytest.raises(StoreError):
        await Store.open(store_url, tmp_path, schema=next_schema(tmp_path, BREAKS_HALF_WAY))

    assert _digest(tmp_path / "homelab.db") == before
    assert not list(tmp_path.glob("*migrating*"))


async def test_a_copy_of_before_is_kept_and_works_with_the_version_of_before(
    store_url: str, tmp_path: Path
) -> None:
    first_id = await _leave_a_store(store_url, tmp_path)

    newer = next_schema(tmp_path, GOOD)
    await (await Store.open(store_url, tmp_path, schema=newer)).close()

    copy = tmp_path / "homelab.db.before-9999"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    old = await Store.open(f"sqlite+aiosqlite:///{copy}", tmp_path)
    assert old.instance_id == first_id
    await old.close()


async def test_an_older_version_leaves_the_copy_of_before_its_own_migration_alone(
    store_url: str, tmp_path: Path
) -> None:
    newer = next_schema(tmp_path, GOOD)
    await (await Store.open(store_url, tmp_path, schema=newer)).close()
    copy = tmp_path / f"homelab.db.before-{SCHEMA.head}"
    copy.write_text("how it was before the version of today")

    with pytest.raises(StoreError, match="newer version"):
        await Store.open(store_url, tmp_path)

    assert copy.read_text() == "how it was before the version of today"


async def test_what_was_still_in_the_log_of_a_killed_agent_is_migrated_too(
    store_url: str, tmp_path: Path
) -> None:
    await _leave_a_store(store_url, tmp_path)
    killed = subprocess.run(  # noqa: ASYNC221  # a test may wait
        [sys.executable, "-c", _WRITES_AND_IS_KILLED, tmp_path / "homelab.db"], check=False
    )
    assert killed.returncode == -9
    assert (tmp_path / "homelab.db-wal").stat().st_size > 0

    store = await Store.open(store_url, tmp_path, schema=next_schema(tmp_path, GOOD))
    await store.close()

    for file in ("homelab.db", "homelab.db.before-9999"):
        with closing(sqlite3.connect(tmp_path / file)) as connection:
            query = "SELECT value FROM meta WHERE key = 'late'"
            assert connection.execute(query).fetchone() == ("entry",), file


_WRITES_AND_IS_KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("INSERT INTO meta VALUES ('late', 'entry')")
connection.commit()
os.kill(os.getpid(), 9)
"""


async def test_an_agent_killed_in_the_middle_of_a_migration_starts_as_before_and_can_try_again(
    store_url: str, tmp_path: Path
) -> None:
    first_id = await _leave_a_store(store_url, tmp_path)
    before = _digest(tmp_path / "homelab.db")
    deadly = next_schema(tmp_path, IS_KILLED)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _OPENS, store_url, tmp_path, deadly.head, deadly.migrations)
    )

    assert await process.wait() == -9
    assert _digest(tmp_path / "homelab.db") == before
    assert (tmp_path / "homelab.db.migrating").exists()
    assert await _leave_a_store(store_url, tmp_path) == first_id

    newer = next_schema(tmp_path, GOOD, head="9998")
    await (await Store.open(store_url, tmp_path, schema=newer)).close()
    assert not list(tmp_path.glob("*migrating*"))


_OPENS = """
import asyncio, sys
from pathlib import Path
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.schema import SCHEMA, Schema
url, folder, head, migrations = sys.argv[1:]
schema = Schema(head=head, metadata=SCHEMA.metadata, migrations=Path(migrations))
asyncio.run(Store.open(url, Path(folder), schema=schema))
"""


async def test_a_migration_that_leaves_rows_pointing_nowhere_is_not_taken(
    store_url: str, tmp_path: Path
) -> None:
    await _leave_a_store(store_url, tmp_path)
    with closing(sqlite3.connect(tmp_path / "homelab.db")) as connection, connection:
        connection.execute(
            "INSERT INTO job (id, kind, target, caller, arguments, state, created_at)"
            " VALUES ('1', 'k', 't', 'c', '{}', 'finished', '2026-01-01 00:00:00')"
        )
        connection.execute("INSERT INTO job_step VALUES ('1', 0, 's', 'done', 1, '{}')")

    with pytest.raises(StoreError, match="left a reference to nothing"):
        await Store.open(store_url, tmp_path, schema=next_schema(tmp_path, LEAVES_ORPHANS))

    await _leave_a_store(store_url, tmp_path)


async def test_a_store_in_use_is_not_migrated_under_its_user(store: Store, tmp_path: Path) -> None:
    newer = SqliteFile(tmp_path / "homelab.db", next_schema(tmp_path, GOOD), lock_s=0.2)

    with pytest.raises(StoreError, match="another program is using it"):
        await asyncio.to_thread(newer.prepare)

    async with store.read():
        pass  # still usable


async def test_a_store_of_the_first_release_is_adopted(store_url: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "homelab.db")) as connection:
        connection.executescript((KEPT / "0001.sql").read_text())

    store = await Store.open(store_url, tmp_path)
    tokens = await Tokens(store, HandClock()).list()
    await store.close()

    assert store.instance_id == "0f8e3b6a5c1d4e7f9a2b3c4d5e6f7081"
    assert [token.name for token in tokens] == ["home-assistant"]


def test_all_migrations_together_make_every_table(tmp_path: Path) -> None:
    with make_file_engine(str(tmp_path / "new.db")).begin() as connection:
        migrate(connection, SCHEMA, None)
        tables = set(inspect(connection).get_table_names())

    assert tables == {*SCHEMA.metadata.tables, "alembic_version"}


async def test_others_on_the_machine_cannot_read_the_store(store: Store, tmp_path: Path) -> None:
    async with store.write():
        pass
    for file in tmp_path.glob("homelab.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


async def test_a_file_that_is_no_database_is_named_and_left_alone(
    store_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "homelab.db"
    file.write_text("my shopping list, " * 100)
    before = _digest(file)

    with pytest.raises(
        StoreError, match=r"homelab\.db is not a database that can be read"
    ) as caught:
        await Store.open(store_url, tmp_path)

    assert "move it away" in (caught.value.hint or "")
    assert _digest(file) == before


async def test_on_a_full_disk_nobody_is_told_to_move_the_tokens_away(tmp_path: Path) -> None:
    # A disk of its own, in a mount namespace that ends with the process.
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--mount", "--map-root-user", "sh", "-euc", _FILLS_A_DISK),
        *("sh", tmp_path, sys.executable, _OPENS_AND_CLOSES),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()

    assert process.returncode == 0
    made, refused, again = output.decode().splitlines()
    # SQLite itself says "full" or "I/O error", depending on the file that it could not write.
    assert refused.startswith(f"StoreError {tmp_path}/homelab.db cannot be ")
    assert "the disk of the data folder" in refused
    assert "move it away" not in refused
    assert made == again


_FILLS_A_DISK = """
mount -t tmpfs -o size=1m none "$1"
"$2" -c "$3" "$1"
cat /dev/zero >"$1/fill" 2>/dev/null || true
"$2" -c "$3" "$1"
rm "$1/fill"
"$2" -c "$3" "$1"
"""

_OPENS_AND_CLOSES = """
import asyncio, sys
from pathlib import Path
from homelab_agent.platform.errors import StoreError
from homelab_agent.platform.store.database import Store
async def run(folder):
    try:
        store = await Store.open(f"sqlite+aiosqlite:///{folder}/homelab.db", folder)
    except StoreError as error:
        return print("StoreError", error.message, error.hint)
    await store.close()
    print(store.instance_id)
asyncio.run(run(Path(sys.argv[1])))
"""


async def test_a_database_whose_log_cannot_be_opened_is_not_called_broken(
    store_url: str, tmp_path: Path
) -> None:
    await _leave_a_store(store_url, tmp_path)
    (tmp_path / "homelab.db-wal").mkdir()

    with pytest.raises(StoreError, match=r"homelab\.db cannot be opened") as caught:
        await Store.open(store_url, tmp_path)

    assert "(-wal, -shm)" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("trouble", "what", "remedy"),
    [
        ("held", "is held by another program", "Stop the program"),
        ("read only", "cannot be written", "Let the agent write"),
        ("one page long", "cannot be used: the disk is full", "Make room"),
        ("without the table", "cannot be used: no such table", "left as it is"),
    ],
)
def test_each_refusal_of_a_database_is_told_with_its_own_remedy(
    tmp_path: Path, trouble: str, what: str, remedy: str
) -> None:
    file = tmp_path / "homelab.db"
    with closing(sqlite3.connect(file)) as holder:
        holder.execute("CREATE TABLE meta (key, value)")
        holder.commit()
        if trouble == "held":
            holder.execute("BEGIN EXCLUSIVE")
        if trouble == "without the table":
            holder.execute("DROP TABLE meta")
        mode = "ro" if trouble == "read only" else "rw"
        with closing(sqlite3.connect(f"file:{file}?mode={mode}", uri=True, timeout=0)) as ours:
            if trouble == "one page long":
                ours.execute("PRAGMA max_page_count = 1")
            with pytest.raises(sqlite3.Error) as refused:
                ours.execute("INSERT INTO meta VALUES (1, zeroblob(100000))")

    told = unusable(file, DatabaseError(None, None, refused.value))

    assert f"{file} {what}" in told.message
    assert remedy in (told.hint or "")


async def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    url = f"sqlite+aiosqlite:///{tmp_path}/file/homelab.db"

    with pytest.raises(StoreError, match=rf"{tmp_path}/file.* cannot be written") as caught:
        await Store.open(url, tmp_path)

    assert caught.value.hint


async def test_the_lock_of_a_data_folder_that_cannot_be_written_says_so(
    store_url: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    store = await Store.open(store_url, tmp_path / "file" / "below")

    with pytest.raises(StoreError, match=r"agent\.lock cannot be written"):
        await store.claim()
    await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite://x/y",
        "sqlite+aiosqlite:///x.db?timeout=soon",
        "nonsense",
        "postgresql+asyncpg://me@db:port/homelab",
        "postgresql+asyncpg://me@127.0.0.1:99999/homelab",
        "postgresql+asyncpg://me@127.0.0.1:1/homelab?colour=red",
    ],
)
async def test_an_address_that_cannot_be_one_is_refused_by_the_setting(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="database_url") as caught:
        await Store.open(url, tmp_path)
    assert caught.value.field == "database_url"


async def test_a_database_server_that_refuses_is_quoted_in_one_line(tmp_path: Path) -> None:
    url = "postgresql+asyncpg://me@127.0.0.1:1/homelab?ssl=perhaps"

    with pytest.raises(StoreError, match="sslmode") as caught:
        await Store.open(url, tmp_path)

    assert "\n" not in caught.value.message


async def test_a_database_server_that_is_away_is_said_so_without_its_password(
    tmp_path: Path,
) -> None:
    url = "postgresql+asyncpg://me:geheim123@127.0.0.1:1/homelab"

    with pytest.raises(StoreError, match="cannot be used") as caught:
        await Store.open(url, tmp_path)

    assert "geheim123" not in caught.value.message


async def test_a_store_that_breaks_while_running_is_unavailable_not_an_unknown_error(
    store: Store, tmp_path: Path
) -> None:
    async with store.read():
        pass
    with closing(sqlite3.connect(tmp_path / "homelab.db", isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout = 0")
        other.execute("DROP TABLE meta")
        os.truncate(tmp_path / "homelab.db", 512)

    with pytest.raises(Unavailable, match="The store cannot be used"):
        await Tokens(store, HandClock()).list()


async def test_a_disk_that_gets_full_while_running_is_told_with_the_remedy(store: Store) -> None:
    async def fill() -> None:
        async with store.write() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count = 1")
            await connection.exec_driver_sql("INSERT INTO meta VALUES ('a', zeroblob(1000000))")

    with pytest.raises(Unavailable, match="disk is full") as refused:
        await fill()

    assert "Make room on the disk" in str(refused.value.hint)


async def test_a_data_folder_that_went_away_is_unavailable_until_it_is_back(
    store: Store, tmp_path: Path
) -> None:
    file, away = tmp_path / "homelab.db", tmp_path / "away"
    async with store.read():
        file.rename(away)
        file.mkdir()  # so that SQLite does not begin an empty one
        with pytest.raises(Unavailable, match="unable to open database file"):
            async with store.read():
                pass
        file.rmdir()
        away.rename(file)
    assert await Tokens(store, HandClock()).list() == ()


async def test_a_driver_that_is_not_installed_is_named_with_what_to_install(
    tmp_path: Path,
) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "sys.modules['asyncpg'] = None\n"
        "from homelab_agent.platform.store.database import Store\n"
        "asyncio.run(Store.open('postgresql+asyncpg://db/homelab', Path(sys.argv[1])))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, tmp_path, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert b"StoreError: The database driver asyncpg is not installed" in errors


async def test_others_can_still_import_all_of_sqlalchemy() -> None:
    program = (
        "from homelab_agent.platform.store import async_core\n"
        "from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession\n"
        "assert AsyncEngine is async_core.AsyncEngine\n"
    )
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await done.wait() == 0


async def test_the_agent_does_not_carry_the_migration_tool_or_the_orm_in_memory(
    store_url: str, tmp_path: Path
) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from homelab_agent.platform.store.database import Store\n"
        "async def main():\n"
        "    await (await Store.open(sys.argv[1], Path(sys.argv[2]))).close()\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules or 'sqlalchemy.orm' in sys.modules)\n"
    )
    for _ in range(2):  # a new store, then one that is there
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, store_url, tmp_path
        )
        assert await done.wait() == 0
