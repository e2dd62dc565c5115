"""When certificates are renewed: in time, once, and without hammering an authority."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from homelab_agent.areas.renewal.authority import AuthorityAway, AuthorityRefused
from homelab_agent.areas.renewal.kept import TxtValue
from homelab_agent.areas.renewal.models import (
    MANAGED_CERTIFICATE_EVENT_KIND,
    IssueBody,
    ManagedCertificateEvent,
    ManagedState,
)
from homelab_agent.platform.commands import SYSTEM
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.renewal.desk import ZONE, Desk, open_desk, watching

KEY = f"photos.{ZONE}"
DAY_S, HOUR_S = 86400.0, 3600.0


async def issued(desk: Desk) -> None:
    await desk.service.issue(IssueBody(names=(KEY,), wait_s=30), SYSTEM)
    desk.authority.orders = desk.authority.tries = 0


async def settled(desk: Desk) -> None:
    """Let the watch look, whatever it began end, and the watch look at what became of it."""
    for _ in range(2):
        # The look that goes on now began before; a whole one ends where the one after it begins.
        seen = desk.book.looks + 2
        await wait_until(lambda seen=seen: _has_looked(desk, seen), what="the watch to look")  # type: ignore[misc]
        await wait_until(lambda: _nothing_runs(desk), what="jobs to end")


async def _has_looked(desk: Desk, times: int) -> bool:
    return desk.book.looks >= times


async def _nothing_runs(desk: Desk) -> bool:
    return desk.runner.running() == 0


async def test_renewed_once_when_a_third_of_its_life_is_left(desk: Desk) -> None:
    await issued(desk)
    async with watching(desk):
        desk.time.pass_by(57 * DAY_S)
        await settled(desk)
        assert desk.authority.orders == 0
        desk.time.pass_by(4 * DAY_S)
        await settled(desk)
        assert desk.authority.orders == 1
        desk.time.pass_by(30 * DAY_S)
        await settled(desk)
        assert desk.authority.orders == 1
    assert (await desk.service.get(KEY)).state is ManagedState.VALID


async def test_an_authority_that_is_away_is_asked_less_and_less_until_it_is_back(
    desk: Desk,
) -> None:
    await issued(desk)
    desk.authority.trouble = AuthorityAway("https://authority.example/dir cannot be reached")
    async with watching(desk):
        desk.time.pass_by(61 * DAY_S)
        tries = []
        for _ in range(4 * 24):
            await settled(desk)
            tries.append(desk.authority.tries)
            desk.time.pass_by(HOUR_S)
        assert 5 <= tries[23] <= 8  # in the first day
        assert tries[-1] - tries[-25] <= 2  # in the last
        found = await desk.service.get(KEY)
        assert found.state is ManagedState.FAILING
        assert found.failure is not None
        assert found.failure.attempts == desk.authority.tries
        assert found.failure.next_try_at is not None
        desk.authority.trouble = None
        desk.time.pass_by(30 * HOUR_S)
        await settled(desk)
    found = await desk.service.get(KEY)
    assert (found.state, found.failure) == (ManagedState.VALID, None)


async def test_who_is_told_to_wait_a_week_waits_a_week(desk: Desk) -> None:
    await issued(desk)
    desk.authority.trouble = AuthorityRefused(
        "rateLimited", "too many certificates", retry_after_s=7 * DAY_S
    )
    async with watching(desk):
        desk.time.pass_by(61 * DAY_S)
        await settled(desk)
        for _ in range(6):
            desk.time.pass_by(DAY_S)
            await settled(desk)
        assert desk.authority.tries == 1


@pytest.mark.parametrize("hours", [-30, 30])
async def test_a_clock_that_is_set_brings_neither_a_burst_nor_silence(
    desk: Desk, clock: HandClock, hours: int
) -> None:
    await issued(desk)
    desk.authority.trouble = AuthorityAway("away")
    async with watching(desk):
        desk.time.pass_by(65 * DAY_S)
        await settled(desk)
        assert desk.authority.tries == 1
        clock.advance(hours=hours)
        await settled(desk)
        assert desk.authority.tries == 1
        desk.time.pass_by(HOUR_S)
        await settled(desk)
        assert desk.authority.tries == 2


async def test_a_clock_of_years_ago_brings_no_burst(desk: Desk, clock: HandClock) -> None:
    await issued(desk)
    async with watching(desk):
        clock.advance(days=-4000)
        for _ in range(3):
            desk.time.pass_by(DAY_S)
            await settled(desk)
        assert desk.authority.tries == 0


async def test_a_machine_that_slept_past_the_end_renews_once(desk: Desk) -> None:
    await issued(desk)
    async with watching(desk):
        await settled(desk)
        desk.time.pass_by(200 * DAY_S)
        await settled(desk)
        assert desk.authority.orders == 1
    assert (await desk.service.get(KEY)).state is ManagedState.VALID


async def test_what_failed_before_a_restart_waits_after_it_too(
    store: Store, tmp_path: Path, clock: HandClock
) -> None:
    async with open_desk(store, tmp_path, clock) as desk:
        await issued(desk)
        desk.authority.trouble = AuthorityAway("away")
        with pytest.raises(AgentError):
            await desk.service.renew(KEY, SYSTEM, 30)
    async with open_desk(store, tmp_path, clock) as desk, watching(desk):
        clock.advance(days=61)
        # Its next try was in half an hour, and the machine was off for longer.
        await settled(desk)
        assert desk.authority.orders == 1


async def test_a_failure_of_a_future_that_never_came_holds_nothing_up(
    store: Store, tmp_path: Path, clock: HandClock
) -> None:
    async with open_desk(store, tmp_path, clock) as desk:
        desk.authority.trouble = AuthorityAway("away")
        clock.advance(days=4000)
        with pytest.raises(AgentError):
            await issued(desk)
        clock.advance(days=-4000)
    async with open_desk(store, tmp_path, clock) as desk, watching(desk):
        await settled(desk)
        assert (await desk.service.get(KEY)).state is ManagedState.VALID


async def test_what_two_write_down_at_once_is_both_kept_and_what_is_gone_stays_gone(
    desk: Desk,
) -> None:
    await issued(desk)
    proof = TxtValue(name=f"_acme-challenge.{KEY}", value="proof")
    await asyncio.gather(
        desk.book.change(KEY, lambda now: now.model_copy(update={"txt": (proof,)})),
        desk.book.change(KEY, lambda now: now.model_copy(update={"handed": "somebody"})),
    )
    known = desk.book.get(KEY)
    assert (known.txt, known.handed) == ((proof,), "somebody")
    await asyncio.gather(
        desk.book.change(KEY, lambda now: now.model_copy(update={"handed": "nobody"})),
        desk.book.forget(KEY),
    )
    assert desk.book.find(KEY) is None


async def test_a_store_that_is_away_for_a_while_stops_nothing(desk: Desk, store: Store) -> None:
    await issued(desk)
    async with watching(desk):
        left = TxtValue(name=f"_acme-challenge.{KEY}", value="left")
        await desk.book.change(KEY, lambda now: now.model_copy(update={"txt": (left,)}))
        async with store.write() as connection:
            await connection.execute(text("ALTER TABLE managed_certificate RENAME TO away"))
        desk.time.pass_by(61 * DAY_S)
        await settled(desk)
        async with store.write() as connection:
            await connection.execute(text("ALTER TABLE away RENAME TO managed_certificate"))
        desk.time.pass_by(31 * HOUR_S)
        await settled(desk)
        found = await desk.service.get(KEY)
        assert desk.authority.orders == 1
        assert found.state is ManagedState.VALID


async def test_what_happened_is_told_once(desk: Desk) -> None:
    await issued(desk)
    told = desk.resources.get(MANAGED_CERTIFICATE_EVENT_KIND, KEY)
    assert isinstance(told, ManagedCertificateEvent)
    assert told.type == "issued"
    desk.authority.trouble = AuthorityRefused("caa", "CAA record for home.example prevents it")
    with pytest.raises(AgentError, match="CAA"):
        await desk.service.renew(KEY, SYSTEM, 30)
    told = desk.resources.get(MANAGED_CERTIFICATE_EVENT_KIND, KEY)
    assert isinstance(told, ManagedCertificateEvent)
    assert told.type == "failed"
    assert told.what_to_do is not None
    assert "CAA" in told.what_to_do


async def test_what_happened_is_told_again_after_a_crash_that_may_have_hidden_it(
    store: Store, tmp_path: Path, clock: HandClock
) -> None:
    async with open_desk(store, tmp_path, clock) as desk:
        await issued(desk)
        desk.authority.trouble = AuthorityRefused("caa", "CAA record for home.example prevents it")
        with pytest.raises(AgentError, match="CAA"):
            await desk.service.renew(KEY, SYSTEM, 30)
        told = desk.resources.get(MANAGED_CERTIFICATE_EVENT_KIND, KEY)
    async with open_desk(store, tmp_path, clock) as again:
        await again.book.ready()
        assert isinstance(told, ManagedCertificateEvent)
        # With its number: who heard of it does not hear of it twice.
        assert again.resources.get(MANAGED_CERTIFICATE_EVENT_KIND, KEY) == told
