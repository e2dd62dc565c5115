"""What goes wrong is told, nobody is pestered, and nothing is written twice for a crash."""

import asyncio
from itertools import pairwise

import pytest
from sqlalchemy import text

from homelab_agent.areas.ddns.models import DYNAMIC_ADDRESS_KIND, DynamicState
from homelab_agent.areas.dns.models import ProviderBody, ProviderChange
from homelab_agent.areas.dns.providers.all_providers import Reach
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.store.database import Store
from tests.clock import HandTime
from tests.fakes.dns_providers.cloudflare import RATE_LIMITED, CloudflareServer
from tests.fakes.dns_providers.server import Applies, Fault
from tests.fakes.dns_providers.zoneedit import ZoneEditServer
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.ddns.conftest import NAME, ZONE, at_cloudflare, at_zoneedit
from tests.unit.agent.areas.ddns.home import Home, home

ZoneEdit = tuple[ZoneEditServer, str]
MINUTE_S = 60


async def test_the_providers_pause_is_kept_also_by_who_insists_and_over_a_restart(
    store: Store, reach: Reach, edit: ZoneEdit, time: HandTime
) -> None:
    server, names = edit
    server.paces = True
    settings = at_zoneedit(server)
    async with home(
        store, reach, server, time=time, settings=settings, name_servers=(names,)
    ) as agent:
        agent.network("192.0.2.2")
        assert (await agent.follow(NAME)).state is DynamicState.CURRENT
        agent.network("192.0.2.3")
        await agent.settled()
        shown = agent.shown(NAME)
        assert (shown.state, shown.ipv4, shown.wanted_ipv4) == (
            DynamicState.WAITING,
            "192.0.2.2",
            "192.0.2.3",
        )
        assert shown.next_try_at is not None
        left_s = (shown.next_try_at - time.wall()).total_seconds()
        assert 570 < left_s <= 600
        assert (await agent.service.update(NAME)).state is DynamicState.WAITING
        await agent.later(2 * MINUTE_S)
        assert server.changes == 1
    async with home(store, reach, server, time=time) as agent:
        agent.network("192.0.2.3")
        await agent.later(5 * MINUTE_S)
        assert server.changes == 1, "the pause outlives a restart"
        assert (await agent.service.update(NAME)).state is DynamicState.WAITING
        server.paces = False  # it goes by another clock than this test
        await agent.later(4 * MINUTE_S)
        assert server.changes == 2
        assert agent.shown(NAME).state is DynamicState.CURRENT
        assert server.zones.values(NAME, "A") == ("192.0.2.3",)


async def test_a_wrong_key_is_tried_once_until_a_person_sets_the_provider_up_anew(
    store: Store, reach: Reach, edit: ZoneEdit, time: HandTime
) -> None:
    server, names = edit
    settings = at_zoneedit(server, token="mistyped-token")
    async with home(
        store, reach, server, time=time, settings=settings, name_servers=(names,)
    ) as agent:
        agent.network("192.0.2.2")
        added = await agent.follow(NAME)
        assert added.state is DynamicState.REFUSED
        assert "708" in (added.reason or "")
        assert "mistyped" not in (added.reason or "")
        for _ in range(5):
            await agent.later(24 * 60 * MINUTE_S)
        assert server.changes == 1
        assert agent.told() == ["failed"]
    async with home(store, reach, server, time=time) as agent:
        agent.network("192.0.2.2")
        await agent.settled()
        assert (server.changes, agent.shown(NAME).state) == (1, DynamicState.REFUSED)
        time.pass_by(1)
        await agent.dns.change_provider("mine", ProviderChange(settings=at_zoneedit(server)))
        await agent.later()
        assert agent.shown(NAME).state is DynamicState.CURRENT
        assert server.zones.values(NAME, "A") == ("192.0.2.2",)


async def test_a_host_that_the_provider_does_not_have_waits_for_a_person(
    store: Store, reach: Reach, edit: ZoneEdit
) -> None:
    server, names = edit
    new = f"new.{ZONE}"
    async with home(
        store, reach, server, settings=at_zoneedit(server), name_servers=(names,)
    ) as agent:
        agent.network("192.0.2.2")
        added = await agent.follow(new)
        assert added.state is DynamicState.REFUSED
        assert "panel" in (added.reason or "")
        await agent.later(24 * 60 * MINUTE_S)
        assert server.changes == 1
        server.zones.put(new, "A", "192.0.2.1")  # the person makes it, and says so
        assert (await agent.service.update(new)).state is DynamicState.CURRENT
        assert agent.told() == ["failed", "changed"]


async def test_a_provider_that_is_away_is_asked_less_and_less_and_its_return_is_told(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        flare.fail(Fault(status=503))
        await agent.dns.test_provider("mine")
        flare.faults.clear()
        await agent.dns.test_provider("mine")
        agent.network("192.0.2.1")
        flare.fail(Fault(status=503))
        added = await agent.follow(NAME)
        assert (added.state, added.failures) == (DynamicState.FAILED, 1)
        assert added.next_try_at is not None
        tries = []
        for minute in range(60):
            before = agent.shown(NAME).failures
            await agent.later(MINUTE_S)
            if agent.shown(NAME).failures > before:
                tries.append(minute)
        gaps = [later - earlier for earlier, later in pairwise(tries)]
        assert gaps == sorted(gaps)
        assert 4 <= len(tries) <= 6
        assert agent.told() == ["failed"]
        flare.faults.clear()
        await agent.later(61 * MINUTE_S)
        shown = agent.shown(NAME)
        assert (shown.state, shown.failures, shown.reason) == (DynamicState.CURRENT, 0, None)
        assert agent.told() == ["failed", "changed"]


async def test_who_wants_to_be_asked_less_often_is_left_alone_for_as_long_as_it_says(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        await agent.follow(NAME)
        flare.fail(RATE_LIMITED)
        agent.network("192.0.2.2")
        await agent.settled()
        shown = agent.shown(NAME)
        assert (shown.state, shown.failures) == (DynamicState.WAITING, 0)
        asked = flare.count()
        await agent.later(20)
        assert flare.count() == asked
        flare.faults.clear()
        await agent.later(30)
        assert agent.shown(NAME).ipv4 == "192.0.2.2"
        assert "failed" not in agent.told()


async def test_a_crash_after_it_was_applied_writes_nothing_twice_and_tells_the_change_once(
    store: Store, reach: Reach, edit: ZoneEdit, time: HandTime
) -> None:
    server, names = edit
    settings = at_zoneedit(server)
    async with home(
        store, reach, server, time=time, settings=settings, name_servers=(names,)
    ) as agent:
        await killed_while_it_waits_for_an_answer(agent, server, Applies.ALL)
    async with home(store, reach, server, time=time) as agent:
        agent.network("192.0.2.2")
        await agent.settled()
        shown = agent.shown(NAME)
        assert (shown.state, shown.ipv4) == (DynamicState.CURRENT, "192.0.2.2")
        assert agent.told() == ["changed"]
        await agent.later(30 * MINUTE_S)
        assert server.changes == 1


async def test_a_crash_before_it_was_applied_is_made_good_after_the_providers_pause(
    store: Store, reach: Reach, edit: ZoneEdit, time: HandTime
) -> None:
    server, names = edit
    settings = at_zoneedit(server)
    async with home(
        store, reach, server, time=time, settings=settings, name_servers=(names,)
    ) as agent:
        await killed_while_it_waits_for_an_answer(agent, server, Applies.NOTHING)
    async with home(store, reach, server, time=time) as agent:
        agent.network("192.0.2.2")
        await agent.settled()
        assert agent.shown(NAME).state is DynamicState.WAITING
        assert server.changes == 1
        await agent.later(10 * MINUTE_S)
        assert agent.shown(NAME).state is DynamicState.CURRENT
        assert server.zones.values(NAME, "A") == ("192.0.2.2",)


async def test_no_answer_after_it_was_applied_is_found_out_at_the_name_servers(
    store: Store, reach: Reach, edit: ZoneEdit
) -> None:
    server, names = edit
    async with home(
        store, reach, server, settings=at_zoneedit(server), name_servers=(names,)
    ) as agent:
        server.fail(Fault(cut=True, applies=Applies.ALL))
        agent.network("192.0.2.2")
        assert (await agent.follow(NAME)).state is DynamicState.FAILED
        await agent.later(2 * MINUTE_S)
        assert agent.shown(NAME).state is DynamicState.CURRENT
        assert server.changes == 1
        assert agent.told() == ["changed"]


async def test_what_somebody_else_writes_is_written_over_once_and_then_left_to_a_person(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        await agent.follow(NAME)
        flare.zones.put(NAME, "A", "198.51.100.7")
        await agent.later(40 * MINUTE_S)
        assert flare.zones.values(NAME, "A") == ("192.0.2.1",)
        assert agent.shown(NAME).state is DynamicState.CURRENT
        for _ in range(3):
            flare.zones.put(NAME, "A", "198.51.100.7")
            await agent.later(40 * MINUTE_S)
        shown = agent.shown(NAME)
        assert flare.zones.values(NAME, "A") == ("198.51.100.7",)
        assert shown.state is DynamicState.FAILED
        assert "198.51.100.7" in (shown.reason or "")
        assert agent.told() == ["changed", "failed"]
        assert (await agent.service.update(NAME)).state is DynamicState.CURRENT
        assert flare.zones.values(NAME, "A") == ("192.0.2.1",)
        assert agent.told()[-1] == "recovered"


async def test_a_provider_that_says_success_and_does_nothing_is_found_out(
    store: Store, reach: Reach, edit: ZoneEdit
) -> None:
    server, names = edit
    server.fail(Fault(lie=True))
    async with home(
        store, reach, server, settings=at_zoneedit(server), name_servers=(names,)
    ) as agent:
        agent.network("192.0.2.2")
        await agent.follow(NAME)
        for _ in range(20):
            await agent.later(10 * MINUTE_S)
        shown = agent.shown(NAME)
        assert shown.state is DynamicState.FAILED
        assert "192.0.2.1" in (shown.reason or "")
        assert server.changes <= 2


async def test_a_provider_that_was_removed_is_told_and_its_return_goes_on(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        await agent.follow(NAME)
        await agent.dns.remove_provider("mine")
        agent.network("192.0.2.2")
        await agent.settled()
        shown = agent.shown(NAME)
        assert shown.state is DynamicState.REFUSED
        assert "Nobody manages" in (shown.reason or "")
        await agent.dns.add_provider(
            ProviderBody(key="new", name="New", settings=at_cloudflare(flare))
        )
        await agent.later()
        assert agent.shown(NAME).ipv4 == "192.0.2.2"


async def test_a_name_that_hangs_delays_no_other(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        other = f"other.{ZONE}"
        flare.fail(Fault(hang=True, only=f"name={NAME}"))
        follow = asyncio.create_task(agent.follow(NAME))
        await wait_until(lambda: _is(flare.count(f"name={NAME}") > 0), what="the question")
        assert (await agent.follow(other)).state is DynamicState.CURRENT
        follow.cancel()
        await asyncio.wait((follow,))


async def test_while_nothing_can_be_noted_nothing_is_written(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        await agent.follow(NAME)
        async with store.write():  # the one writer there is
            agent.network("192.0.2.2")
            agent.desk.look()
            agent.time.pass_by(11)
            agent.desk.look()
            now = agent.time.wall()
            await wait_until(
                lambda: _is(agent.shown(NAME).checked_at == now), what="the round to begin"
            )
            assert flare.changes == 1
        await agent.later(61)
        assert flare.zones.values(NAME, "A") == ("192.0.2.2",)


async def test_what_cannot_be_kept_is_refused_and_everything_stays_as_it_was(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        before = await agent.follow(NAME)
        async with store.write() as connection:
            await connection.execute(text("ALTER TABLE dynamic_address RENAME TO away"))
        for refused in (
            agent.follow(f"other.{ZONE}"),
            agent.follow(NAME, ttl_s=3600),
            agent.service.pause(NAME),
        ):
            with pytest.raises(Unavailable):
                await refused
        assert agent.resources.get(DYNAMIC_ADDRESS_KIND, f"other.{ZONE}") is None
        assert agent.shown(NAME) == before == agent.service.find(NAME)
        async with store.write() as connection:
            await connection.execute(text("ALTER TABLE away RENAME TO dynamic_address"))


async def test_a_name_that_is_removed_stays_so_whatever_else_is_done_to_it_meanwhile(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        flare.fail(Fault(hang=True, times=1), only=f"name={NAME}")
        agent.network("192.0.2.1")
        follow = asyncio.create_task(agent.follow(NAME))
        await wait_until(lambda: _is(flare.count(f"name={NAME}") > 0), what="the question")
        async with store.write():  # the one writer there is
            changes = (agent.service.remove(NAME), agent.service.pause(NAME))
            tasks = [asyncio.create_task(each) for each in (*changes, agent.service.remove(NAME))]
            await wait_until(lambda: _is(not agent.desk.working), what="the round to end")
            # What is due would be begun now.
            agent.desk.look()
            assert not agent.desk.working
        await asyncio.gather(*tasks)
        await follow
        await agent.later(61)
        assert agent.resources.get(DYNAMIC_ADDRESS_KIND, NAME) is None
        assert not flare.zones.values(NAME, "A")
    async with home(store, reach, flare) as agent:
        assert agent.service.find(NAME) is None


async def killed_while_it_waits_for_an_answer(
    agent: Home, server: ZoneEditServer, applies: Applies
) -> None:
    """Have the name followed, until the provider was asked; the agent's end is next."""
    server.fail(Fault(hang=True, applies=applies, times=1))
    agent.network("192.0.2.2")
    follow = asyncio.create_task(agent.follow(NAME))
    await wait_until(lambda: _is(server.changes == 1), what="the request")
    follow.cancel()
    await asyncio.wait((follow,))


async def _is(value: bool) -> bool:  # noqa: FBT001  # what is waited for
    return value
