"""Whatever a provider says, what is in the zone is known, and can be put back."""

import asyncio

import pytest

from homelab_agent.areas.dns.models import (
    DnsPlan,
    PlanBody,
    ProviderState,
    RecordSet,
    RecordType,
    WantedRecords,
)
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import AddressOutcome
from homelab_agent.platform.errors import AgentError, Conflict, Failed, TimedOut, Unavailable
from homelab_agent.platform.store.database import Store
from tests.fakes.scripted_dns import BLIND, LISTING, Fault, ScriptedProvider, records
from tests.unit.agent.areas.dns.house import ZONE, House

BEFORE = ("nas.example.org 300 A 192.0.2.10", "old.example.org 300 TXT bye")
WANTED = (
    WantedRecords(name="nas.example.org", type=RecordType.A, values=("192.0.2.20",)),
    WantedRecords(name="old.example.org", type=RecordType.TXT),
    WantedRecords(name="wiki.example.org", type=RecordType.A, values=("192.0.2.30",), ttl_s=60),
)
AFTER = ["nas.example.org 300 A 192.0.2.20", "wiki.example.org 60 A 192.0.2.30"]


@pytest.fixture
async def house(store: Store) -> House:
    return await House(store, ScriptedProvider(ZONE, records(*BEFORE))).with_provider()


async def planned(house: House) -> DnsPlan:
    return await house.service.plan(PlanBody(wanted=WANTED))


async def test_a_plan_is_written_once_and_taken_back_to_the_same_zone(house: House) -> None:
    plan = await planned(house)
    await house.service.write(plan)
    await house.service.write(plan)
    assert house.provider.lines() == AFTER
    assert house.provider.applied == 1

    await house.service.take_back(plan)
    await house.service.take_back(plan)
    assert house.provider.lines() == sorted(BEFORE)


async def test_what_a_killed_agent_left_half_done_is_gone_on_with(house: House) -> None:
    plan = await planned(house)
    house.provider.put(plan.changes[:1])
    await house.service.write(plan)
    assert house.provider.lines() == AFTER


async def test_a_zone_that_somebody_changed_meanwhile_is_not_written_to(house: House) -> None:
    plan = await planned(house)
    house.provider.set("nas.example.org 300 A 192.0.2.99")
    with pytest.raises(Conflict, match=r"192\.0\.2\.99 .* was 192\.0\.2\.10"):
        await house.service.write(plan)
    assert house.provider.applied == 0


async def test_an_answer_that_was_lost_after_all_was_done_counts_as_done(house: House) -> None:
    house.provider.faults = [Fault.LOST_AFTER]
    await house.service.write(await planned(house))
    assert house.provider.lines() == AFTER
    assert house.provider.applied == 1


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault.LIES, Failed, "said that it changed .* nothing of it is there"),
        (Fault.HALF, Failed, "Only a part .* not made: .*wiki"),
        (Fault.HALF_AND_LIES, Failed, "Only a part .* not made: .*wiki"),
        (Fault.LOST_BEFORE, ApplyUncertain, "lost"),
        (Fault.REFUSES, ProviderRefused, "locked by billing"),
        (Fault.BUSY, ProviderBusy, "Too many"),
    ],
)
async def test_what_was_not_done_is_found_out_and_leaves_the_zone_as_it_was(
    house: House, fault: Fault, error: type[AgentError], says: str
) -> None:
    plan = await planned(house)
    house.provider.faults = [fault]
    with pytest.raises(error, match=says):
        await house.service.write(plan)

    await house.service.take_back(plan)
    assert house.provider.lines() == sorted(BEFORE)


async def test_a_provider_that_goes_away_after_the_change_leaves_it_open(house: House) -> None:
    plan = await planned(house)
    house.provider.faults = [Fault.VANISHES]
    with pytest.raises(TimedOut, match="not known"):
        await house.service.write(plan)
    assert house.service.provider("knot").state is ProviderState.UNREACHABLE


async def test_a_provider_that_is_away_for_a_moment_does_not_hinder_the_way_back(
    house: House,
) -> None:
    plan = await planned(house)
    await house.service.write(plan)
    house.provider.go_away()
    back = asyncio.create_task(house.service.take_back(plan))
    await asyncio.sleep(0.05)
    house.provider.trouble = None
    await back
    assert house.provider.lines() == sorted(BEFORE)


async def test_after_a_power_cut_a_provider_is_waited_for_while_the_network_comes_back(
    house: House,
) -> None:
    plan = await planned(house)
    house.provider.put(plan.changes[:1])
    house.provider.go_away()
    with pytest.raises(ProviderAway):
        await house.service.write(plan)
    again = asyncio.create_task(house.service.write(plan, again=True))
    await asyncio.sleep(0.05)
    house.provider.trouble = None
    await again
    assert house.provider.lines() == AFTER
    house.provider.go_away()
    verified = asyncio.create_task(house.service.unmade(plan))
    await asyncio.sleep(0.05)
    house.provider.trouble = None
    assert await verified == ()


async def test_taking_back_leaves_alone_what_somebody_changed_since_and_tells_it(
    house: House,
) -> None:
    plan = await planned(house)
    await house.service.write(plan)
    house.provider.set("nas.example.org 300 A 192.0.2.99")
    with pytest.raises(Conflict, match=r"192\.0\.2\.99"):
        await house.service.take_back(plan)
    assert house.provider.lines() == sorted(["nas.example.org 300 A 192.0.2.99", BEFORE[1]])


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (WrongCredentials("no"), ProviderState.REFUSED),
        (ProviderAway("gone"), ProviderState.UNREACHABLE),
        (ProviderBusy("later"), ProviderState.RATE_LIMITED),
    ],
)
async def test_the_state_of_a_provider_is_that_of_the_last_call(
    house: House, trouble: AgentError, state: ProviderState
) -> None:
    house.provider.trouble = trouble
    with pytest.raises(type(trouble)):
        await house.service.read("nas.example.org")
    assert house.service.provider("knot").state is state
    assert house.service.provider("knot").reason == trouble.message
    house.provider.trouble = None
    await house.service.read("nas.example.org")
    assert house.service.provider("knot").state is ProviderState.OK


async def test_two_writers_of_one_zone_wait_for_each_other(house: House) -> None:
    challenges = [f"challenge-{number}" for number in range(8)]
    name = "_acme-challenge.example.org"
    await asyncio.gather(*(house.service.add_txt(name, each) for each in challenges))
    (held,) = await house.service.read(name)
    assert list(held.values) == challenges
    await asyncio.gather(*(house.service.remove_txt(name, each) for each in challenges[1:]))
    (held,) = await house.service.read(name)
    assert held.values == ("challenge-0",)
    await house.service.remove_txt(name, "challenge-0")
    assert await house.service.read(name) == ()
    await house.service.remove_txt(name, "challenge-0")
    assert house.provider.lines() == sorted(BEFORE)


async def test_a_second_txt_is_refused_where_one_only_is_kept(store: Store) -> None:
    one = LISTING.model_copy(update={"several_values": False})
    house = House(store, ScriptedProvider(ZONE, capabilities=one))
    await house.with_provider()
    await house.service.add_txt("_acme-challenge.example.org", "first")
    with pytest.raises(Conflict, match="one only"):
        await house.service.add_txt("_acme-challenge.example.org", "second")


async def test_an_address_is_only_written_where_it_is_another_one(house: House) -> None:
    service = house.service
    name = "nas.example.org"
    assert await service.set_addresses(name, "192.0.2.10", None) is AddressOutcome.UNCHANGED
    assert await service.set_addresses(name, "192.0.2.77", "2001:db8::7") is AddressOutcome.CHANGED
    assert [each.values for each in await service.read(name)] == [
        ("192.0.2.77",),
        ("2001:db8::7",),
    ]


class TestWithoutListing:
    """A provider that cannot tell what it holds is believed by its name servers."""

    @pytest.fixture
    async def house(self, store: Store) -> House:
        provider = ScriptedProvider(ZONE, records(BEFORE[0]), capabilities=BLIND)
        return await House(store, provider).with_provider()

    async def test_before_is_what_the_name_servers_say(self, house: House) -> None:
        plan = await house.service.plan(PlanBody(wanted=WANTED[:1]))
        assert plan.changes[0].before is not None
        assert plan.changes[0].before.values == ("192.0.2.10",)
        await house.service.write(plan)
        assert await house.service.read("nas.example.org", RecordType.A) == (
            RecordSet(name="nas.example.org", type=RecordType.A, values=("192.0.2.20",)),
        )

    async def test_name_servers_that_do_not_agree_are_no_base_for_a_plan(
        self, house: House
    ) -> None:
        house.servers.says["ns2"] = ("192.0.2.66",)
        with pytest.raises(Conflict, match="do not agree"):
            await house.service.plan(PlanBody(wanted=WANTED[:1]))
        house.servers.says = {"ns1": None, "ns2": None}
        with pytest.raises(Unavailable, match="ns1 is silent"):
            await house.service.plan(PlanBody(wanted=WANTED[:1]))

    async def test_a_challenge_is_removed_also_where_the_name_servers_lag_behind(
        self, house: House
    ) -> None:
        name = "_acme-challenge.example.org"
        await house.service.add_txt(name, "challenge")
        house.servers.says = {"ns1": (), "ns2": ()}
        await house.service.remove_txt(name, "challenge")
        assert house.provider.lines() == [BEFORE[0]]

    async def test_what_comes_late_is_taken_back_although_it_cannot_be_seen_yet(
        self, house: House
    ) -> None:
        plan = await house.service.plan(PlanBody(wanted=WANTED[:1]))
        house.servers.says = {"ns1": ("192.0.2.10",), "ns2": ("192.0.2.10",)}
        with pytest.raises(Failed, match="nothing of it"):
            await house.service.write(plan)
        assert house.provider.held["nas.example.org", RecordType.A].values == ("192.0.2.20",)
        await house.service.take_back(plan)
        assert house.provider.held["nas.example.org", RecordType.A].values == ("192.0.2.10",)

    async def test_what_one_name_server_never_takes_over_is_taken_back_all_the_same(
        self, house: House
    ) -> None:
        plan = await house.service.plan(PlanBody(wanted=WANTED[:1]))
        house.servers.says = {"ns2": ("192.0.2.10",)}
        with pytest.raises(TimedOut, match="not known"):
            await house.service.write(plan)
        await house.service.take_back(plan)
        assert house.provider.held["nas.example.org", RecordType.A].values == ("192.0.2.10",)

    async def test_name_servers_that_are_away_for_a_moment_do_not_hinder_the_way_back(
        self, house: House
    ) -> None:
        plan = await house.service.plan(PlanBody(wanted=WANTED[:1]))
        await house.service.write(plan)
        house.servers.says = {"ns1": None, "ns2": None}
        back = asyncio.create_task(house.service.take_back(plan))
        await asyncio.sleep(0.05)
        house.servers.says = {}
        await back
        assert house.provider.held["nas.example.org", RecordType.A].values == ("192.0.2.10",)

    async def test_a_ttl_that_the_provider_decides_is_no_change_of_anybody(
        self, house: House
    ) -> None:
        plan = await house.service.plan(PlanBody(wanted=WANTED[:1]))
        house.provider.set("nas.example.org 77 A 192.0.2.10")
        await house.service.write(plan)
