"""Applying takes the plan that was shown, and nothing else."""

import asyncio

import pytest

from homelab_agent.areas.dns.apply_job import ApplyJob
from homelab_agent.areas.dns.applying import PlanDesk
from homelab_agent.areas.dns.models import (
    ApplyBody,
    PlanBody,
    ProviderBody,
    RecordType,
    WantedRecords,
)
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.errors import Busy, Conflict, Denied, Failed
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.scripted_dns import Fault, ScriptedProvider, records
from tests.unit.agent.areas.dns.house import ZONE, House, settings

PHONE = Caller(name="phone", scope=Scope.OPERATE)
BEFORE = ["nas.example.org 300 A 192.0.2.10"]
WANTED = (
    WantedRecords(name="NAS.example.org.", type=RecordType.A, values=("192.0.2.20",)),
    WantedRecords(name="wiki.example.org", type=RecordType.A, values=("192.0.2.30",), ttl_s=60),
)
NAME_SERVERS = (
    WantedRecords(name="lab.example.org", type=RecordType.NS, values=("ns.example.net",)),
)


@pytest.fixture
async def house(store: Store) -> House:
    return await House(store, ScriptedProvider(ZONE, records(*BEFORE))).with_provider()


@pytest.fixture
def desk(house: House, store: Store, clock: HandClock, audit: Audit) -> PlanDesk:
    runner = JobRunner(store, Resources(), clock, audit)
    runner.register(ApplyJob(house.service).kind())
    return PlanDesk(house.service, runner)


def body(plan_hash: str, wanted: tuple[WantedRecords, ...] = WANTED) -> ApplyBody:
    return ApplyBody(wanted=wanted, plan_hash=plan_hash, wait_s=30)


async def test_the_plan_that_was_shown_is_applied_and_the_second_time_refused(
    desk: PlanDesk, house: House
) -> None:
    shown = await desk.plan(PlanBody(wanted=WANTED))
    result = await desk.apply(body(shown.hash), PHONE)
    assert result.outcome is Outcome.DONE
    assert "change nas.example.org A: 192.0.2.10" in result.message
    assert house.provider.lines() == [
        "nas.example.org 300 A 192.0.2.20",
        "wiki.example.org 60 A 192.0.2.30",
    ]
    with pytest.raises(Conflict):
        await desk.apply(body(shown.hash), PHONE)
    nothing = await desk.plan(PlanBody(wanted=WANTED))
    assert (await desk.apply(body(nothing.hash), PHONE)).outcome is Outcome.NOT_NEEDED
    assert house.provider.applied == 1


async def test_a_provider_stays_while_a_job_may_have_to_take_back_what_it_wrote(
    house: House, store: Store, clock: HandClock, audit: Audit
) -> None:
    may_end = asyncio.Event()

    async def wait(_: StepContext[Model]) -> StepResult:
        await may_end.wait()
        return StepResult()

    runner = JobRunner(store, Resources(), clock, audit)
    runner.register(JobKind("test.wait", Model, (Step("wait", wait),), Recovery.GO_ON))
    desk = PlanDesk(house.service, runner)
    job = await runner.start("test.wait", "domain:nas.example.org", Model(), PHONE)
    (provider,) = house.service.providers().providers

    with pytest.raises(Busy, match=r"domain:nas.example.org is being worked on"):
        await desk.remove_provider(provider.key)
    may_end.set()
    await runner.wait(job.id, None)
    await desk.remove_provider(provider.key)

    assert not house.service.providers().providers


async def test_a_world_that_changed_is_refused_and_told_line_by_line(
    desk: PlanDesk, house: House
) -> None:
    shown = await desk.plan(PlanBody(wanted=WANTED))
    house.provider.set("nas.example.org 300 A 192.0.2.15")
    with pytest.raises(Conflict) as caught:
        await desk.apply(body(shown.hash), PHONE)
    now = await desk.plan(PlanBody(wanted=WANTED))
    assert caught.value.field == "plan_hash"
    assert caught.value.extra == {"plan_hash": now.hash}
    assert caught.value.message == (
        "example.org was changed since the plan was made. "
        "By now it would: change nas.example.org A: 192.0.2.15 (TTL 300 s) -> "
        "192.0.2.20 (TTL 300 s). "
        "Not any more: change nas.example.org A: 192.0.2.10 (TTL 300 s) -> "
        "192.0.2.20 (TTL 300 s)."
    )
    assert house.provider.applied == 0
    with pytest.raises(Conflict, match="By now it is: change nas"):
        await desk.apply(body("0" * 64), PHONE)


async def test_a_plan_is_not_applied_at_another_server_that_has_the_same_key_by_now(
    desk: PlanDesk, house: House
) -> None:
    shown = await desk.plan(PlanBody(wanted=WANTED))
    house.clock.advance(seconds=1)
    await house.service.remove_provider("knot")
    other = settings("http://other.lan:8081")
    await house.service.add_provider(ProviderBody(key="knot", name="Knot", settings=other))
    with pytest.raises(Conflict, match="set up anew"):
        await desk.apply(body(shown.hash), PHONE)
    assert house.provider.applied == 0


async def test_name_servers_are_changed_by_an_admin_only(desk: PlanDesk, house: House) -> None:
    shown = await desk.plan(PlanBody(wanted=NAME_SERVERS))
    with pytest.raises(Denied, match="NS"):
        await desk.apply(body(shown.hash, NAME_SERVERS), PHONE)
    assert house.provider.applied == 0
    admin = Caller(name="me", scope=Scope.ADMIN)
    assert (await desk.apply(body(shown.hash, NAME_SERVERS), admin)).outcome is Outcome.DONE


@pytest.mark.parametrize("fault", [Fault.LIES, Fault.HALF, Fault.HALF_AND_LIES])
async def test_a_provider_that_lies_or_stops_half_way_leaves_the_zone_as_it_was(
    desk: PlanDesk, house: House, fault: Fault
) -> None:
    shown = await desk.plan(PlanBody(wanted=WANTED))
    house.provider.faults = [fault]
    with pytest.raises((Failed, Conflict)) as caught:
        await desk.apply(body(shown.hash), PHONE)
    assert caught.value.extra["job_id"]
    assert house.provider.lines() == BEFORE
