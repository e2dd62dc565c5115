import asyncio

import pytest
from sqlalchemy import select, text

from homelab_agent.platform.audit import ActivityEntry, Audit
from homelab_agent.platform.errors import AgentError, Denied, Unauthenticated, Unavailable
from homelab_agent.platform.refusals import TOLD_ANEW_AFTER_S, Refusals
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import activity
from tests.clock import HandClock, HandTime

DENIED = Denied("doors.open needs the scope operate; dashboard has read")


@pytest.fixture
def time(clock: HandClock) -> HandTime:
    return HandTime(clock)


@pytest.fixture
def refusals(audit: Audit, time: HandTime) -> Refusals:
    return Refusals(audit, steady=time.steady)


async def _entries(store: Store) -> list[ActivityEntry]:
    async with store.read() as connection:
        rows = await connection.execute(select(activity).order_by(activity.c.id))
        return [ActivityEntry.model_validate(row._asdict()) for row in rows]


async def _refuse(refusals: Refusals, target: str = "front") -> None:
    await refusals.note("dashboard", "doors.open", target, DENIED)


async def test_one_refusal_is_told_as_it_is(refusals: Refusals, store: Store) -> None:
    await _refuse(refusals)

    (entry,) = await _entries(store)
    assert (entry.caller, entry.action, entry.target) == ("dashboard", "doors.open", "front")
    assert (entry.outcome, entry.code, entry.message) == ("refused", "denied", DENIED.message)


async def test_who_is_refused_all_the_time_does_not_fill_the_record(
    refusals: Refusals, store: Store, time: HandTime
) -> None:
    began = time.wall()
    for number in range(5):
        await _refuse(refusals, f"door {number}")
        time.pass_by(1)
    await asyncio.gather(*(_refuse(refusals, "back") for _ in range(50)))

    (entry,) = await _entries(store)
    assert (entry.at, entry.target) == (began, "door 0")
    assert entry.message == (
        f"{DENIED.message}; 55 times until 2026-03-01 12:00:05 UTC, the last time of back"
    )


async def test_another_caller_action_or_reason_is_told_by_itself(
    refusals: Refusals, store: Store
) -> None:
    stranger: AgentError = Unauthenticated("No token was sent")
    await _refuse(refusals)
    await refusals.note("phone", "doors.open", "front", DENIED)
    await refusals.note("dashboard", "doors.sell", None, DENIED)
    await refusals.note("dashboard", "doors.open", "front", stranger)

    assert [entry.message for entry in await _entries(store)] == [
        *[DENIED.message] * 3,
        stranger.message,
    ]


async def test_who_goes_on_is_told_anew_after_a_while(
    refusals: Refusals, store: Store, time: HandTime
) -> None:
    await _refuse(refusals)
    time.pass_by(TOLD_ANEW_AFTER_S)
    await _refuse(refusals)

    first, second = await _entries(store)
    assert second.at == time.wall()
    assert first.message == second.message == DENIED.message


async def test_refusals_while_the_store_was_away_are_counted_when_it_is_back(
    refusals: Refusals, store: Store
) -> None:
    await _rename(store, "activity", "away")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await _refuse(refusals)
    await _rename(store, "away", "activity")
    await _refuse(refusals)

    (entry,) = await _entries(store)
    assert "; 3 times until " in str(entry.message)


async def _rename(store: Store, old: str, new: str) -> None:
    async with store.write() as connection:
        await connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
