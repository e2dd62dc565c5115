"""A domain is unhealthy when two looks in a row found so, and everybody is told once."""

import asyncio

import pytest

from homelab_agent.areas.dns.models import ServerAnswer
from homelab_agent.areas.domains.looking import status_of
from homelab_agent.areas.domains.models import (
    DOMAIN_EVENT_KIND,
    CheckName,
    CheckResult,
    DomainChange,
    DomainCheck,
    DomainStatus,
)
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.domains.one_house import PERSON, ZONE, OneHouse, a_record, one_house

WIKI = f"wiki.{ZONE}"
HEALTHY, DEGRADED = DomainStatus.HEALTHY, DomainStatus.DEGRADED
UNHEALTHY, UNKNOWN = DomainStatus.UNHEALTHY, DomainStatus.UNKNOWN


async def looks(house: OneHouse, *found: DomainStatus) -> list[str]:
    """Return how the domain is for everybody after each look."""
    seen = []
    for status in found:
        house.found[WIKI] = status
        await house.service.look(WIKI)
        seen.append(str((await house.service.shown(WIKI)).status))
    return seen


async def test_one_failed_look_is_no_outage(house: OneHouse) -> None:
    await house.add()
    assert await looks(house, UNHEALTHY, HEALTHY, UNHEALTHY, HEALTHY) == [
        "pending",
        "healthy",
        "healthy",
        "healthy",
    ]
    assert [each.type for each in await house.history()] == ["created"]


async def test_an_outage_and_its_end_are_told_once(house: OneHouse) -> None:
    await house.add()
    seen = await looks(house, HEALTHY, UNHEALTHY, UNHEALTHY, UNHEALTHY, HEALTHY, HEALTHY)
    assert seen == ["healthy", "healthy", "unhealthy", "unhealthy", "healthy", "healthy"]
    recovered, unhealthy = (await house.history())[:2]
    assert (unhealthy.type, unhealthy.message) == ("unhealthy", "It is unhealthy.")
    assert (unhealthy.before, unhealthy.after) == ({"status": "healthy"}, {"status": "unhealthy"})
    assert recovered.type == "recovered"
    assert len(await house.history()) == 3
    assert house.told()[0].type == "recovered"


async def test_records_that_nobody_applied_yet_are_no_outage(house: OneHouse) -> None:
    await house.add(records=[a_record()])
    house.answers = (ServerAnswer(server="ns1.example.org", address="192.0.2.53", values=()),)
    assert await looks(house, UNHEALTHY, UNHEALTHY, UNHEALTHY) == ["pending"] * 3
    assert (await house.service.shown(WIKI)).reason == "It is unhealthy."
    house.answers = ()
    await looks(house, HEALTHY)
    house.answers = (ServerAnswer(server="ns1.example.org", address="192.0.2.53", values=()),)
    assert await looks(house, UNHEALTHY, UNHEALTHY) == ["healthy", "unhealthy"]


async def test_not_being_able_to_look_is_neither_an_outage_nor_its_end(house: OneHouse) -> None:
    await house.add()
    await looks(house, UNHEALTHY, UNHEALTHY, UNKNOWN, UNHEALTHY, UNHEALTHY, UNKNOWN)
    assert [each.type for each in await house.history()] == ["unhealthy", "created"]
    await looks(house, DEGRADED)
    assert (await house.history())[0].type == "recovered"


async def test_a_restart_tells_no_outage_a_second_time(
    house: OneHouse, store: Store, clock: HandClock
) -> None:
    await house.add()
    await looks(house, UNHEALTHY, UNHEALTHY)
    async with one_house(store, clock) as again:
        assert (await again.service.shown(WIKI)).status is UNHEALTHY
        again.found[WIKI] = UNHEALTHY
        for _ in range(3):
            await again.service.look(WIKI)
        assert [each.type for each in await again.history()] == ["unhealthy", "created"]
        assert not again.resources.keys(DOMAIN_EVENT_KIND)


async def test_what_is_paused_is_not_looked_at(house: OneHouse) -> None:
    await house.add()
    await looks(house, UNHEALTHY, UNHEALTHY)
    await house.service.change(WIKI, DomainChange(paused=True), PERSON)
    shown = await house.service.shown(WIKI)
    assert (shown.status, shown.reason) == (DomainStatus.PAUSED, None)
    assert house.book.schedule.now(WIKI) is None


async def test_a_look_for_what_is_not_wanted_any_more_is_dropped(house: OneHouse) -> None:
    await house.add()
    house.hold = asyncio.Event()
    house.found[WIKI] = DEGRADED
    watched = await house.service.get(WIKI)
    look = asyncio.create_task(house.book.look(watched))
    await asyncio.sleep(0)
    await house.service.change(WIKI, DomainChange(note="other"), PERSON)
    house.hold.set()
    assert (await look).status is DEGRADED
    assert (await house.service.shown(WIKI)).status is DomainStatus.PENDING


async def test_an_outage_is_confirmed_long_before_the_next_turn(house: OneHouse) -> None:
    await house.add()
    house.found[WIKI] = UNHEALTHY

    async def told() -> bool:
        return (await house.history())[0].type == "unhealthy"

    async with house.looking(WIKI):
        await wait_until(told, what="the second look")


async def test_a_slow_domain_keeps_no_other_waiting(house: OneHouse) -> None:
    await house.add()
    await house.add("other.example.org")
    house.hold = asyncio.Event()
    house.held = {WIKI}

    async def seen() -> bool:
        return (await house.service.shown("other.example.org")).status is HEALTHY

    async with house.looking(WIKI, "other.example.org"):
        await wait_until(seen, what="the other domain to be looked at")
        assert (await house.service.shown(WIKI)).status is DomainStatus.PENDING


def check(name: CheckName, result: CheckResult) -> DomainCheck:
    return DomainCheck(name=name, result=result, reason="because")


OK, WARNING, FAILED = CheckResult.OK, CheckResult.WARNING, CheckResult.FAILED
UNSEEN, SKIPPED = CheckResult.UNKNOWN, CheckResult.SKIPPED


@pytest.mark.parametrize(
    ("records", "reachable", "https", "status"),
    [
        (OK, OK, OK, HEALTHY),
        (OK, SKIPPED, SKIPPED, HEALTHY),
        (WARNING, OK, OK, DEGRADED),
        (OK, OK, FAILED, UNHEALTHY),
        (FAILED, OK, OK, UNHEALTHY),
        (OK, FAILED, SKIPPED, UNHEALTHY),
        (OK, UNSEEN, SKIPPED, UNKNOWN),
        # Nobody answers about the records: is it they, or is it this agent's own network?
        (UNSEEN, OK, OK, DEGRADED),
        (UNSEEN, OK, FAILED, UNHEALTHY),
        (UNSEEN, FAILED, SKIPPED, UNKNOWN),
        (UNSEEN, SKIPPED, SKIPPED, UNKNOWN),
    ],
)
def test_what_is_found_means_one_status(
    records: CheckResult, reachable: CheckResult, https: CheckResult, status: DomainStatus
) -> None:
    checks = (
        check(CheckName.RECORDS, records),
        check(CheckName.REACHABLE, reachable),
        check(CheckName.HTTPS, https),
    )
    assert status_of(checks) is status


@pytest.mark.parametrize("trouble", [Unavailable("It cannot be kept"), ValueError("Odd")])
async def test_a_look_that_fails_ends_no_other(house: OneHouse, trouble: Exception) -> None:
    await house.add()
    await house.add("other.example.org")
    house.broken[WIKI] = trouble

    async def seen() -> bool:
        return (await house.service.shown("other.example.org")).status is HEALTHY

    async with house.looking(WIKI, "other.example.org") as looks:
        await wait_until(seen, what="the other domain to be looked at")
        assert not looks.done()


async def test_nothing_is_told_of_what_a_job_is_changing(house: OneHouse) -> None:
    await house.add()
    await house.service.changing(WIKI, "job-1")
    house.found[WIKI] = UNHEALTHY
    for _ in range(3):
        await house.service.look(WIKI)
    assert [each.type for each in await house.history()] == ["created"]
    await house.service.changing(WIKI, None)
    assert (await house.service.shown(WIKI)).status is DomainStatus.PENDING
