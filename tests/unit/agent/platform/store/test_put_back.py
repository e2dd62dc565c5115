"""Going back to the version before: the copy kept before a migration becomes the store again."""

import contextlib
import sqlite3
from pathlib import Path
from time import time

from homelab_agent.platform.store.sqlite_file import put_back_copy


def write(path: Path, value: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.execute("CREATE TABLE IF NOT EXISTS note (text TEXT)")
        store.execute("DELETE FROM note")
        store.execute("INSERT INTO note VALUES (?)", (value,))
        store.commit()


def read(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as store:
        return str(store.execute("SELECT text FROM note").fetchone()[0])


def test_what_the_older_version_wrote_is_its_store_again(tmp_path: Path) -> None:
    began = time() - 60
    store, copy = tmp_path / "homelab.db", tmp_path / "homelab.db.before-0009"
    write(copy, "before")
    write(store, "migrated")
    (tmp_path / "homelab.db-wal").write_bytes(b"left by who was killed")

    assert put_back_copy(store, began)

    assert (read(store), read(copy)) == ("before", "before")
    assert sorted(each.name for each in tmp_path.iterdir()) == [store.name, copy.name]


def test_a_copy_of_an_earlier_migration_is_left_alone(tmp_path: Path) -> None:
    store, copy = tmp_path / "homelab.db", tmp_path / "homelab.db.before-0003"
    write(copy, "long ago")
    write(store, "today")

    assert not put_back_copy(store, time() + 60)
    assert read(store) == "today"
