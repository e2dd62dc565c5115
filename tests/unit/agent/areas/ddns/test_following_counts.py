"""Names that follow an address are no way around the admin's word for much of a zone."""

import pytest

from homelab_agent.areas.ddns.models import DynamicAddress, DynamicState
from homelab_agent.areas.dns.models import PlanBody, RecordType, WantedRecords
from homelab_agent.areas.dns.providers.all_providers import Reach
from homelab_agent.platform.errors import Denied
from homelab_agent.platform.store.database import Store
from tests.clock import HandTime
from tests.fakes.dns_providers.cloudflare import CloudflareServer
from tests.unit.agent.areas.ddns.conftest import ZONE, at_cloudflare
from tests.unit.agent.areas.ddns.home import Home, home

HOSTS = tuple(f"h{number}.{ZONE}" for number in range(9))
PUBLIC, NEXT, INSIDE = "192.0.2.1", "192.0.2.2", "198.51.100.7"


def _with_hosts(flare: CloudflareServer, value: str) -> None:
    for name in HOSTS:
        flare.zones.put(name, "A", value)


def _is_refused(shown: DynamicAddress) -> bool:
    return shown.state is DynamicState.REFUSED and "more than a third" in (shown.reason or "")


async def _plan(agent: Home, name: str) -> str | None:
    wanted = WantedRecords(name=name, type=RecordType.A)
    return (await agent.dns.plan(PlanBody(wanted=(wanted,)))).needs_admin


async def test_no_more_than_a_third_of_a_zone_is_led_elsewhere_by_having_it_follow(
    store: Store, reach: Reach, flare: CloudflareServer, time: HandTime
) -> None:
    _with_hosts(flare, INSIDE)
    async with home(store, reach, flare, time=time, settings=at_cloudflare(flare)) as agent:
        agent.network(PUBLIC)
        for name in HOSTS[:3]:
            assert (await agent.follow(name)).state is DynamicState.CURRENT
        refused = await agent.follow(HOSTS[3])
        assert _is_refused(refused)
        assert "scope admin" in (refused.reason or "")
        assert "3 others" in (await _plan(agent, HOSTS[4]) or ""), "plans count with them"
        assert _is_refused(await agent.service.update(HOSTS[3]))
    async with home(store, reach, flare, time=time) as agent:
        agent.network(PUBLIC)
        assert _is_refused(await agent.service.update(HOSTS[3])), "a restart forgets nothing"
        assert flare.zones.values(HOSTS[3], "A") == (INSIDE,)
        assert (await agent.follow(HOSTS[3], admin=True)).state is DynamicState.CURRENT
        time.pass_by(25 * 3600)
        assert (await agent.follow(HOSTS[4])).state is DynamicState.CURRENT


async def test_names_that_follow_go_on_with_it_however_many_they_are(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    _with_hosts(flare, PUBLIC)
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network(PUBLIC)
        for name in HOSTS:
            assert (await agent.follow(name)).state is DynamicState.CURRENT
        assert not flare.changes
        agent.network(NEXT)
        await agent.settled()
        assert {flare.zones.values(name, "A") for name in HOSTS} == {(NEXT,)}
        assert await _plan(agent, HOSTS[0]) is None, "that was nobody's change"


async def test_a_name_that_is_to_follow_another_address_counts_as_a_change(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    _with_hosts(flare, PUBLIC)
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network(PUBLIC)
        agent.interface(f"{INSIDE}/24")
        for name in HOSTS[:4]:
            await agent.follow(name)
        states = [
            (await agent.follow(name, source="interface", interface="eth0")).state
            for name in HOSTS[:4]
        ]
        assert states == [*[DynamicState.CURRENT] * 3, DynamicState.REFUSED]
        assert flare.zones.values(HOSTS[3], "A") == (PUBLIC,)


async def test_the_first_address_of_each_family_counts_whenever_it_becomes_known(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    _with_hosts(flare, PUBLIC)
    for name in HOSTS[:4]:
        flare.zones.put(name, "AAAA", "2001:db8::7")
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network(PUBLIC)
        for name in HOSTS[:4]:
            assert (await agent.follow(name, ipv6=True)).state is DynamicState.CURRENT
        agent.network(NEXT)
        await agent.settled()
        agent.network(NEXT, "2001:db8::1")
        await agent.settled()
        assert {flare.zones.values(name, "AAAA") for name in HOSTS[:4]} == {("2001:db8::1",)}
        assert "4 others" in (await _plan(agent, HOSTS[8]) or "")


async def test_what_was_refused_is_not_half_written(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    _with_hosts(flare, INSIDE)
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network(PUBLIC, "2001:db8::1")
        for name in HOSTS[:3]:
            await agent.follow(name)
        assert _is_refused(await agent.follow(HOSTS[3], ipv6=True))
        assert flare.zones.values(HOSTS[3], "AAAA") == ()
        with pytest.raises(Denied):
            await agent.dns.set_addresses(HOSTS[3], PUBLIC, None, counted=(RecordType.A,))
