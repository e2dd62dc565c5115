import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, insert, select, text

from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.retention import (
    BATCH_ROWS,
    Retention,
    Rule,
    activity_rules,
    job_rule,
)
from homelab_agent.platform.store.tables import activity, job, job_step
from tests.clock import HandClock
from tests.harness.waiting import wait_until


async def _add_activity(store: Store, clock: HandClock, *days_ago: float) -> None:
    async with store.write() as connection:
        rows = [
            {"at": clock() - timedelta(days=days), "caller": "phone", "action": str(days)}
            for days in days_ago
        ]
        await connection.execute(insert(activity), rows)


async def _actions(store: Store) -> list[str]:
    async with store.read() as connection:
        query = select(activity.c.action).order_by(activity.c.id)
        return list((await connection.scalars(query)).all())


async def _add_job(store: Store, clock: HandClock, name: str, state: str, days_ago: float) -> None:
    async with store.write() as connection:
        await connection.execute(
            insert(job).values(
                id=name,
                kind="k",
                target=name,
                caller="phone",
                arguments={},
                state=state,
                created_at=clock() - timedelta(days=days_ago),
            )
        )
        await connection.execute(
            insert(job_step).values(
                job_id=name, position=0, name="s", state="done", needed=True, data={}
            )
        )


async def test_activity_older_than_asked_for_is_removed_and_the_rest_kept(
    store: Store, clock: HandClock
) -> None:
    await _add_activity(store, clock, 91, 90.1, 89.9, 1)

    assert await Retention(store, clock, activity_rules(90)).sweep() == 2

    assert await _actions(store) == ["89.9", "1"]


async def test_a_flood_of_activity_cannot_fill_the_disk(store: Store, clock: HandClock) -> None:
    await _add_activity(store, clock, 0, 0, 0, 0, 0.5)
    rule = Rule(table=activity, at=activity.c.at, keep=timedelta(days=90), most_rows=2)

    assert await Retention(store, clock, [rule]).sweep() == 3

    assert await _actions(store) == ["0", "0.5"]


async def test_what_was_done_is_not_pushed_out_by_what_was_refused_all_the_time(
    store: Store, clock: HandClock
) -> None:
    async with store.write() as connection:
        for outcome in ("done", None, *["refused"] * 5):
            row = {"at": clock(), "caller": "phone", "action": str(outcome), "outcome": outcome}
            await connection.execute(insert(activity).values(row))
    rules = [replace(rule, most_rows=2) for rule in activity_rules(90)]

    assert await Retention(store, clock, rules).sweep() == 3

    assert await _actions(store) == ["done", "None", "refused", "refused"]


async def test_more_rows_than_one_part_are_all_removed(store: Store, clock: HandClock) -> None:
    await _add_activity(store, clock, *[100] * (BATCH_ROWS + 1), 1)

    assert await Retention(store, clock, activity_rules(90)).sweep() == BATCH_ROWS + 1

    assert await _actions(store) == ["1"]


async def test_an_old_job_goes_with_its_steps_but_never_one_that_has_not_ended(
    store: Store, clock: HandClock
) -> None:
    await _add_job(store, clock, "old", "finished", 31)
    await _add_job(store, clock, "stuck", "running", 31)
    await _add_job(store, clock, "new", "finished", 29)

    await Retention(store, clock, [job_rule(30)]).sweep()

    async with store.read() as connection:
        jobs = (await connection.scalars(select(job.c.id).order_by(job.c.id))).all()
        steps = (await connection.scalars(select(job_step.c.job_id))).all()
    assert jobs == ["new", "stuck"]
    assert sorted(steps) == ["new", "stuck"]


async def test_pages_of_activity_stay_right_when_everything_old_was_removed(
    store: Store, clock: HandClock
) -> None:
    await _add_activity(store, clock, 100, 100)
    await Retention(store, clock, activity_rules(90)).sweep()
    await _add_activity(store, clock, 0)

    async with store.read() as connection:
        assert await connection.scalar(select(func.max(activity.c.id))) == 3


async def test_sweeping_goes_on_after_the_store_was_away(store: Store, clock: HandClock) -> None:
    await _add_activity(store, clock, 100)
    await _rename(store, "activity", "away")
    sweeping = asyncio.create_task(Retention(store, clock, activity_rules(90)).run(every_s=0.01))
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(sweeping), 0.05)  # it must not have ended
        await _rename(store, "away", "activity")
        await wait_until(partial(_is_empty, store), what="the next sweep")
    finally:
        sweeping.cancel()
        await asyncio.wait((sweeping,))


async def test_a_clock_that_is_weeks_ahead_costs_nobody_the_past(
    store: Store, clock: HandClock
) -> None:
    await _add_activity(store, clock, 80, 1)
    clock.advance(days=60)
    is_right = False
    retention = Retention(store, clock, activity_rules(90), lambda: is_right)
    await retention.prepare()
    # What the agent writes itself is of the wrong clock, too.
    await _add_activity(store, clock, 0)
    assert await retention.sweep() == 0
    clock.advance(days=-60)
    assert await retention.sweep() == 0
    clock.advance(days=60)
    is_right = True
    assert await retention.sweep() == 1


async def test_a_table_stays_bounded_by_its_rows_while_the_clock_is_in_doubt(
    store: Store, clock: HandClock
) -> None:
    await _add_activity(store, clock, 5, 4, 3, 2, 1)
    clock.advance(days=400)
    rules = [replace(rule, most_rows=2) for rule in activity_rules(90)]
    retention = Retention(store, clock, rules)
    await retention.prepare()
    assert await retention.sweep() == 3


async def test_an_agent_that_was_off_for_days_tidies_up_at_once(
    store: Store, clock: HandClock
) -> None:
    await _add_activity(store, clock, 89, 1)
    clock.advance(days=10)
    retention = Retention(store, clock, activity_rules(90))
    await retention.prepare()
    assert await retention.sweep() == 1


async def _is_empty(store: Store) -> bool:
    return not await _actions(store)


async def _rename(store: Store, old: str, new: str) -> None:
    async with store.write() as connection:
        await connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
