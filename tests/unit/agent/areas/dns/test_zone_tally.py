"""Many small plans need an admin's word as one big one does, and small zones stay usable."""

import asyncio
from collections.abc import Sequence

import pytest

from homelab_agent.areas.dns.apply_job import ApplyJob
from homelab_agent.areas.dns.applying import PlanDesk
from homelab_agent.areas.dns.models import ApplyBody, PlanBody, RecordType, WantedRecords
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.errors import AgentError, Denied
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.scripted_dns import Fault, ScriptedProvider, records
from tests.unit.agent.areas.dns.house import ZONE, House

PHONE = Caller(name="phone", scope=Scope.OPERATE)
ADMIN = Caller(name="me", scope=Scope.ADMIN)
HOSTS = tuple(f"h{number}.{ZONE}" for number in range(9))


class Place:
    """A zone of nine hosts, and changes of it, one plan after the other."""

    def __init__(self, house: House, desk: PlanDesk) -> None:
        self.house = house
        self.desk = desk

    async def change(
        self, *names: str, to: str | None = "192.0.2.99", by: Caller = PHONE
    ) -> CommandResult:
        """Have these names lead somewhere else; None: nowhere."""
        wanted = tuple(
            WantedRecords(name=name, type=RecordType.A, values=(to,) if to else (), ttl_s=300)
            for name in names
        )
        plan = await self.desk.plan(PlanBody(wanted=wanted))
        return await self.desk.apply(ApplyBody(wanted=wanted, plan_hash=plan.hash), by)


async def settled(store: Store, clock: HandClock, audit: Audit, hosts: Sequence[str]) -> Place:
    provider = ScriptedProvider(ZONE, records(*(f"{name} 300 A 192.0.2.1" for name in hosts)))
    house = House(store, provider, clock=clock)
    await house.service.until_ready()
    if not house.service.providers().providers:
        await house.with_provider()
    runner = JobRunner(store, Resources(), clock, audit)
    runner.register(ApplyJob(house.service).kind())
    return Place(house, PlanDesk(house.service, runner))


@pytest.fixture
async def place(store: Store, clock: HandClock, audit: Audit) -> Place:
    return await settled(store, clock, audit, HOSTS)


async def test_a_third_of_a_zone_is_not_to_be_had_in_slices_within_a_day(place: Place) -> None:
    for name in HOSTS[:3]:
        await place.change(name, to=None)
    with pytest.raises(Denied, match=r"1 of the 9 .* and 3 others .* third") as caught:
        await place.change(HOSTS[3])
    assert "scope admin" in str(caught.value.hint)
    assert len(place.house.provider.held) == 6

    place.house.clock.advance(hours=25)
    assert (await place.change(HOSTS[3])).outcome is Outcome.DONE


async def test_many_new_records_do_not_make_room_for_changing_old_ones(place: Place) -> None:
    new = tuple(f"new{number}.{ZONE}" for number in range(30))
    await place.change(*new)
    with pytest.raises(Denied, match="4 of the 9"):
        await place.change(*HOSTS[:4])
    # What they made themselves they may take away again.
    assert (await place.change(*new, to=None)).outcome is Outcome.DONE


async def test_the_same_record_may_be_changed_all_day(place: Place) -> None:
    for last in range(2, 12):
        await place.change(*HOSTS[:3], to=f"192.0.2.{last}")
    with pytest.raises(Denied):
        await place.change(HOSTS[3])


async def test_a_restart_of_the_agent_forgets_nothing(
    place: Place, store: Store, clock: HandClock, audit: Audit
) -> None:
    await place.change(*HOSTS[:3], to=None)
    again = await settled(store, clock, audit, HOSTS[3:])
    with pytest.raises(Denied, match="and 3 others"):
        await again.change(HOSTS[3])


async def test_what_an_admin_does_counts_for_nobody(place: Place) -> None:
    await place.change(*HOSTS[:6], by=ADMIN)
    assert (await place.change(*HOSTS[6:])).outcome is Outcome.DONE
    with pytest.raises(Denied):
        await place.change(HOSTS[0], to="192.0.2.5")
    assert (await place.change(HOSTS[0], to="192.0.2.5", by=ADMIN)).outcome is Outcome.DONE


async def test_what_was_taken_back_does_not_count(place: Place) -> None:
    for _ in range(3):
        place.house.provider.faults = [Fault.HALF]
        with pytest.raises(AgentError):
            await place.change(*HOSTS[:3], to="192.0.2.7")
    assert (await place.change(*HOSTS[3:6])).outcome is Outcome.DONE


async def test_of_two_that_come_at_once_the_second_one_is_counted_with_the_first(
    place: Place,
) -> None:
    bodies = [
        PlanBody(wanted=tuple(WantedRecords(name=name, type=RecordType.A) for name in names))
        for names in (HOSTS[:2], HOSTS[2:4])
    ]
    plans = [await place.house.service.plan(body) for body in bodies]
    ended = await asyncio.gather(
        *(
            place.house.service.write(plan, counted_for=f"job{number}")
            for number, plan in enumerate(plans)
        ),
        return_exceptions=True,
    )
    assert [type(each) for each in ended] == [type(None), Denied]
    # A job that goes on after a crash is not counted against itself.
    await place.house.service.write(plans[0], again=True, counted_for="job0")


async def test_a_clock_that_was_far_ahead_for_a_moment_counts_for_no_longer_than_others(
    place: Place,
) -> None:
    place.house.clock.advance(days=400)
    for name in HOSTS[:3]:
        await place.change(name)
    place.house.clock.advance(days=-400, seconds=60)
    assert (await place.change(HOSTS[3])).outcome is Outcome.DONE


async def test_in_a_zone_of_a_handful_everything_may_be_changed(
    store: Store, clock: HandClock, audit: Audit
) -> None:
    place = await settled(store, clock, audit, HOSTS[:5])
    await place.change(*HOSTS[:5])
    await place.change(*HOSTS[:5], to=None)
    assert place.house.provider.held == {}
