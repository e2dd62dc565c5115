import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import ClauseElement, Connection, Inspector, insert, inspect, make_url, select, text

from homelab_agent.platform.errors import StoreError
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.engine import WRITES, make_engine
from homelab_agent.platform.store.migrate import migrate
from homelab_agent.platform.store.schema import SCHEMA, create
from homelab_agent.platform.store.tables import job, job_step, meta
from tests.contract.store.conftest import NewUrl
from tests.contract.store.schemas import BREAKS_HALF_WAY, GOOD, next_schema


def test_the_newest_migration_is_the_one_the_program_asks_for() -> None:
    assert ScriptDirectory(str(SCHEMA.migrations)).get_heads() == [SCHEMA.head]


async def test_a_migrated_store_has_the_same_tables_as_a_new_one(
    new_url: NewUrl,
) -> None:
    migrated = await _made_by(new_url, lambda each: migrate(each, SCHEMA, None))
    made_new = await _made_by(new_url, lambda each: create(each, SCHEMA))

    assert migrated == made_new
    assert migrated["differences"] == []


async def _made_by(new_url: NewUrl, make: Any) -> dict[str, Any]:
    url = make_url(await new_url())
    if url.database and url.get_backend_name() == "sqlite":
        Path(url.database).parent.mkdir()
    engine = make_engine(url)
    async with engine.connect() as connection:
        await connection.execution_options(**{WRITES: True})
        async with connection.begin():
            await connection.run_sync(make)
        async with connection.begin():
            described = await connection.run_sync(_describe)
    await engine.dispose()
    return described


def _describe(connection: Connection) -> dict[str, Any]:
    """Return everything about the tables that the database itself tells."""
    inspector: Inspector = inspect(connection)
    described: dict[str, Any] = {
        table: {
            "columns": [
                {**column, "type": repr(column["type"])} for column in inspector.get_columns(table)
            ],
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": inspector.get_foreign_keys(table),
            "indexes": [_plain(index) for index in inspector.get_indexes(table)],
            "unique": inspector.get_unique_constraints(table),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }
    context = MigrationContext.configure(connection)
    described["differences"] = compare_metadata(context, SCHEMA.metadata)
    described["revision"] = context.get_current_revision()
    return described


def _plain(described: Any) -> Any:
    """Return it with SQL texts as text: two of those are never equal."""
    if isinstance(described, Mapping):
        return {key: _plain(value) for key, value in described.items()}
    return str(described) if isinstance(described, ClauseElement) else described


async def test_an_older_store_is_migrated_and_keeps_everything(url: str, tmp_path: Path) -> None:
    await _fill(url, tmp_path)
    newer = next_schema(tmp_path, GOOD)

    store = await Store.open(url, tmp_path, schema=newer)

    async with store.read() as connection:
        assert await connection.scalar(text("SELECT colour FROM job")) == "red"
        assert (await connection.scalars(select(job_step.c.name))).all() == ["pull", "swap"]
        assert await connection.scalar(text("SELECT count(*) FROM extra")) == 0
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    await store.close()


async def test_the_second_start_after_a_migration_changes_nothing(url: str, tmp_path: Path) -> None:
    first_id = await _fill(url, tmp_path)
    newer = next_schema(tmp_path, GOOD)
    for _ in range(2):
        store = await Store.open(url, tmp_path, schema=newer)
        assert store.instance_id == first_id
        await store.close()


async def test_programs_started_at_once_after_an_update_migrate_once(
    url: str, tmp_path: Path
) -> None:
    first_id = await _fill(url, tmp_path)
    newer = next_schema(tmp_path, GOOD)

    stores = await asyncio.gather(*(Store.open(url, tmp_path, schema=newer) for _ in range(3)))

    assert {store.instance_id for store in stores} == {first_id}
    for store in stores:
        await store.close()


async def test_a_failed_migration_leaves_the_old_store_as_usable_as_before(
    url: str, tmp_path: Path
) -> None:
    first_id = await _fill(url, tmp_path)
    broken = next_schema(tmp_path, BREAKS_HALF_WAY)

    with pytest.raises(StoreError, match=f"from {SCHEMA.head} to 9999: the disk said no") as caught:
        await Store.open(url, tmp_path, schema=broken)

    assert caught.value.hint
    assert "Nothing was changed" in caught.value.hint
    store = await Store.open(url, tmp_path)
    assert store.instance_id == first_id
    async with store.read() as connection:
        assert (await connection.scalars(select(meta.c.key))).all() == ["instance_id"]
        assert (await connection.scalars(select(job_step.c.name))).all() == ["pull", "swap"]
    await store.close()


async def test_a_store_of_a_newer_version_is_refused_with_the_way_out(
    url: str, tmp_path: Path
) -> None:
    newer = next_schema(tmp_path, GOOD, head="0009")
    await (await Store.open(url, tmp_path, schema=newer)).close()

    with pytest.raises(StoreError, match=r"written by a newer version .revision 0009") as caught:
        await Store.open(url, tmp_path)

    assert caught.value.hint
    assert "copy" in caught.value.hint


async def _fill(url: str, tmp_path: Path) -> str:
    """Leave a store as an older agent would; return its instance id."""
    store = await Store.open(url, tmp_path)
    async with store.write() as connection:
        await connection.execute(
            insert(job).values(
                id="1",
                kind="container.update",
                target="web",
                caller="phone",
                arguments={"tag": "1.2"},
                state="finished",
                created_at=datetime.now(UTC),
            )
        )
        rows = [
            {"position": position, "name": name} for position, name in enumerate(("pull", "swap"))
        ]
        same = {"job_id": "1", "state": "done", "needed": True, "data": {}}
        await connection.execute(insert(job_step), [{**same, **row} for row in rows])
    await store.close()
    return store.instance_id
