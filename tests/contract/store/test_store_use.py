import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from secrets import token_urlsafe

import asyncpg
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import StatementError

from homelab_agent.platform.audit import LONGEST_TARGET, Audit
from homelab_agent.platform.errors import Conflict, StoreError
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import activity, job, job_step, meta, token


async def test_the_agent_is_the_same_one_after_a_restart(url: str, tmp_path: Path) -> None:
    first = await Store.open(url, tmp_path)
    await first.close()
    second = await Store.open(url, tmp_path)
    await second.close()

    assert len(first.instance_id) == 32
    assert second.instance_id == first.instance_id


async def test_two_programs_opening_a_new_store_at_once_get_one_agent(
    url: str, tmp_path: Path
) -> None:
    stores = await asyncio.gather(*(Store.open(url, tmp_path) for _ in range(4)))
    for store in stores:
        await store.close()

    assert len({store.instance_id for store in stores}) == 1


async def test_what_was_written_is_there_after_a_restart(url: str, tmp_path: Path) -> None:
    store = await Store.open(url, tmp_path)
    async with store.write() as connection:
        await connection.execute(insert(meta).values(key="colour", value="grün"))
    await store.close()

    store = await Store.open(url, tmp_path)
    async with store.read() as connection:
        value = await connection.scalar(select(meta.c.value).where(meta.c.key == "colour"))
    await store.close()
    assert value == "grün"


async def test_half_of_a_failed_change_is_not_kept(store: Store) -> None:
    with pytest.raises(LookupError):
        await _fail_half_way(store)

    async with store.read() as connection:
        assert await connection.scalar(select(meta.c.value).where(meta.c.key == "half")) is None


async def _fail_half_way(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(insert(meta).values(key="half", value="done"))
        raise LookupError


async def test_a_second_entry_of_the_same_name_is_a_conflict_not_a_crash(store: Store) -> None:
    row = {"name": "phone", "scope": "read", "digest": "", "created_at": datetime.now(UTC)}

    async def add(identity: str) -> None:
        async with store.write() as connection:
            await connection.execute(insert(token).values(id=identity, **row))

    await add("1")
    with pytest.raises(Conflict):
        await add("2")


async def test_many_writers_at_once_all_get_their_turn(store: Store) -> None:
    async def count_up() -> None:
        async with store.write() as connection:
            # FOR UPDATE is what PostgreSQL needs for this; SQLite's writers are alone anyhow.
            query = select(meta.c.value).where(meta.c.key == "count").with_for_update()
            value = int(await connection.scalar(query) or 0)
            await connection.execute(
                meta.update().where(meta.c.key == "count").values(value=str(value + 1))
            )

    async with store.write() as connection:
        await connection.execute(insert(meta).values(key="count", value="0"))

    await asyncio.gather(*(count_up() for _ in range(40)))

    async with store.read() as connection:
        assert await connection.scalar(select(meta.c.value).where(meta.c.key == "count")) == "40"


async def test_two_programs_writing_the_same_store_do_not_lock_each_other_out(
    store: Store, url: str, tmp_path: Path
) -> None:
    other = await Store.open(url, tmp_path)

    async def add(writer: Store, name: str) -> None:
        async with writer.write() as connection:
            # Read first: the case in which SQLite does not wait by itself.
            await connection.scalar(select(meta.c.value).where(meta.c.key == name))
            await connection.execute(insert(meta).values(key=name, value=""))

    await asyncio.gather(
        *(
            add(writer, f"{name}{i}")
            for i in range(15)
            for name, writer in (("a", store), ("b", other))
        )
    )
    await other.close()

    async with store.read() as connection:
        keys = (await connection.scalars(select(meta.c.key))).all()
    assert len(keys) == 31


async def test_reading_goes_on_while_somebody_writes(store: Store) -> None:
    async with store.write() as writer:
        await writer.execute(insert(meta).values(key="new", value=""))
        async with store.read() as reader:
            assert await reader.scalar(select(meta.c.key).where(meta.c.key == "new")) is None


async def test_a_moment_comes_back_as_the_same_moment_whatever_its_zone(store: Store) -> None:
    moment = datetime(2026, 6, 1, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    async with store.write() as connection:
        await connection.execute(insert(activity).values(at=moment, caller="a", action="b"))

    async with store.read() as connection:
        known = await connection.scalar(select(activity.c.at))
    assert known == moment
    assert known.tzinfo is UTC


async def test_a_time_without_a_zone_is_never_guessed(store: Store) -> None:
    naive = datetime(2026, 6, 1)  # noqa: DTZ001  # that is the point
    with pytest.raises(StatementError, match="needs a zone"):
        async with store.write() as connection:
            await connection.execute(insert(activity).values(at=naive, caller="a", action="b"))


async def test_steps_go_with_their_job_and_never_stand_alone(store: Store) -> None:
    step = {"position": 0, "name": "s", "state": "done", "needed": True, "data": {}}
    with pytest.raises(Conflict):
        async with store.write() as connection:
            await connection.execute(insert(job_step).values(job_id="nobody's", **step))

    async with store.write() as connection:
        await connection.execute(insert(job).values(id="1", **_job("web", "finished")))
        await connection.execute(insert(job_step).values(job_id="1", **step))
        await connection.execute(job.delete())
        assert (await connection.execute(select(job_step))).all() == []


async def test_the_store_itself_refuses_two_running_jobs_for_one_target(store: Store) -> None:
    async def add(identity: str, target: str, state: str) -> None:
        async with store.write() as connection:
            await connection.execute(insert(job).values(id=identity, **_job(target, state)))

    await add("1", "web", "finished")
    await add("2", "web", "running")
    await add("3", "database", "undoing")
    with pytest.raises(Conflict):
        await add("4", "web", "undoing")


def _job(target: str, state: str) -> dict[str, object]:
    return {
        "kind": "k",
        "target": target,
        "caller": "c",
        "arguments": {},
        "state": state,
        "created_at": datetime.now(UTC),
    }


async def test_a_second_agent_cannot_serve_with_the_same_store(
    store: Store, url: str, tmp_path: Path
) -> None:
    await store.claim()

    elsewhere = tmp_path / "elsewhere" if url.startswith("postgresql") else tmp_path
    second = await Store.open(url, elsewhere)
    with pytest.raises(StoreError, match="Another homelab-agent is running"):
        await second.claim()

    await store.close()
    await second.claim()
    await second.close()


@pytest.mark.parametrize("new_url", ["postgresql"], indirect=True)
async def test_the_agent_does_not_notice_that_the_database_server_was_restarted(
    store: Store, url: str
) -> None:
    async with store.read():
        pass
    admin = await asyncpg.connect(url.replace("+asyncpg", ""))
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()

    async with store.read() as connection:
        assert await connection.scalar(select(meta.c.key)) == "instance_id"


async def test_a_refusal_is_kept_however_long_the_name_was_that_was_asked_for(
    store: Store, audit: Audit
) -> None:
    await audit.record(caller="nobody", action="doors.open", target=token_urlsafe(6000))

    async with store.read() as connection:
        assert len(str(await connection.scalar(select(activity.c.target)))) == LONGEST_TARGET


async def test_a_foreign_database_is_left_alone(url: str, tmp_path: Path) -> None:
    store = await Store.open(url, tmp_path)
    async with store.write() as connection:
        await connection.execute(text("DROP TABLE alembic_version"))
    await store.close()

    with pytest.raises(
        StoreError, match="tables that are not the agent's: acme_account, activity, "
    ) as caught:
        await Store.open(url, tmp_path)
    assert caught.value.hint == "Give the agent a database of its own"
