"""A name follows its address: at once, only on real change, and without wavering."""

import pytest

from homelab_agent.areas.ddns.models import DynamicState
from homelab_agent.areas.dns.models import RecordSet, RecordType
from homelab_agent.areas.dns.providers.all_providers import Reach
from homelab_agent.platform.errors import Invalid, NotFound
from homelab_agent.platform.host.network import InterfaceState
from homelab_agent.platform.store.database import Store
from tests.clock import HandTime
from tests.fakes.dns_providers.cloudflare import CloudflareServer
from tests.fakes.dns_providers.duckdns import DuckDnsServer
from tests.unit.agent.areas.ddns.conftest import DUCK, NAME, ZONE, at_cloudflare, at_duckdns
from tests.unit.agent.areas.ddns.home import home


async def test_a_name_gets_the_new_address_and_nothing_is_written_while_it_stays(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        added = await agent.follow("HOME.Example.org.", ttl_s=120)
        assert (added.key, added.state, added.ipv4) == (NAME, DynamicState.CURRENT, "192.0.2.1")
        agent.network("192.0.2.2")
        await agent.settled()
        assert flare.zones.values(NAME, "A") == ("192.0.2.2",)
        assert flare.zones.records[ZONE][0].ttl_s == 120
        written = flare.changes
        for _ in range(10):
            await agent.later(3600)
        assert flare.changes == written == 2
        assert agent.told() == ["changed", "changed"]
        assert (agent.events[1].old_ipv4, agent.events[1].new_ipv4) == ("192.0.2.1", "192.0.2.2")


async def test_what_is_there_already_is_not_written_and_not_told_as_a_change(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    flare.zones.put(NAME, "A", "192.0.2.1")
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        added = await agent.follow(NAME)
        assert (added.state, added.ipv4, added.changed_at) == (
            DynamicState.CURRENT,
            "192.0.2.1",
            None,
        )
        assert not flare.changes
        assert not agent.told()


async def test_a_line_that_wavers_writes_nothing(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        await agent.follow(NAME)
        for address in ("192.0.2.9", "192.0.2.1", "192.0.2.8", "192.0.2.1"):
            agent.network(address)
            await agent.later(4)
        await agent.settled()
        assert flare.changes == 1
        assert agent.shown(NAME).ipv4 == "192.0.2.1"


async def test_sources_that_do_not_agree_for_a_while_change_nothing_and_for_long_are_told(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        await agent.follow(NAME)
        agent.network(None)
        await agent.later(1800)
        shown = agent.shown(NAME)
        assert (shown.state, shown.ipv4) == (DynamicState.CURRENT, "192.0.2.1")
        assert "do not agree" in (shown.reason or "")
        await agent.later(2000)
        assert agent.shown(NAME).state is DynamicState.UNKNOWN
        agent.network("192.0.2.1")
        await agent.settled()
        shown = agent.shown(NAME)
        assert (shown.state, shown.reason) == (DynamicState.CURRENT, None)
        assert flare.changes == 1


async def test_clocks_that_are_set_and_a_machine_that_slept_write_nothing(
    store: Store, reach: Reach, flare: CloudflareServer, time: HandTime
) -> None:
    async with home(store, reach, flare, time=time, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        await agent.follow(NAME)
        for hours in (72, -120, 48):
            time.wall.advance(hours=hours)
            await agent.later()
        asked = flare.count()
        await agent.later(8 * 3600)
        assert flare.count() - asked <= 3, "one look after the sleep, and not one for each missed"
        assert flare.changes == 1
        agent.network("192.0.2.2")
        await agent.settled()
        assert agent.shown(NAME).ipv4 == "192.0.2.2"


async def test_after_a_restart_nothing_is_written_and_everything_is_known(
    store: Store, reach: Reach, flare: CloudflareServer, time: HandTime
) -> None:
    async with home(store, reach, flare, time=time, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        before = await agent.follow(NAME, ipv6=False, ttl_s=300)
        number = agent.events[0].number
    async with home(store, reach, flare, time=time) as agent:
        assert agent.shown(NAME).model_dump(exclude={"reason"}) == before.model_dump(
            exclude={"reason"}
        )
        agent.network("192.0.2.1")
        await agent.settled()
        assert flare.changes == 1
        assert [each.number for each in agent.events] in ([], [number]), "it is told once"
        agent.network("192.0.2.2")
        await agent.settled()
        assert flare.zones.values(NAME, "A") == ("192.0.2.2",)


async def test_both_families_follow_at_a_service_of_dynamic_dns(
    store: Store, reach: Reach, duck: tuple[DuckDnsServer, str]
) -> None:
    server, names = duck
    async with home(
        store, reach, server, settings=at_duckdns(server), name_servers=(names,)
    ) as agent:
        agent.network("192.0.2.1", "2001:db8::1")
        added = await agent.follow(DUCK, ipv6=True, ttl_s=60)
        assert (added.state, added.ttl_s) == (DynamicState.CURRENT, None), "its TTL is its own"
        agent.network("192.0.2.1", "2001:db8::2")
        await agent.settled()
        assert server.zones.values(DUCK, "A") == ("192.0.2.1",)
        assert server.zones.values(DUCK, "AAAA") == ("2001:db8::2",)
        assert server.changes == 2
        assert agent.events[-1].new_ipv6 == "2001:db8::2"


async def test_a_network_without_ipv6_keeps_ipv4_current_and_says_what_is_missing(
    store: Store, reach: Reach, duck: tuple[DuckDnsServer, str]
) -> None:
    server, names = duck
    async with home(
        store, reach, server, settings=at_duckdns(server), name_servers=(names,)
    ) as agent:
        agent.network("192.0.2.1", None)
        await agent.follow(DUCK, ipv6=True)
        await agent.later(3 * 3600)
        shown = agent.shown(DUCK)
        assert shown.state is DynamicState.CURRENT
        assert "IPv6" in (shown.reason or "")
        agent.network("192.0.2.1", "2001:db8::1")
        await agent.settled()
        assert agent.shown(DUCK).ipv6 == "2001:db8::1"
        agent.network("192.0.2.1", None)
        await agent.later(3 * 3600)
        assert agent.shown(DUCK).state is DynamicState.UNKNOWN, "what is written may be another's"


async def test_an_interfaces_lasting_address_of_the_internet_is_followed(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.interface(
            "192.168.1.10/24",
            "fe80::1/64",
            "fd00::10/64",
            "2a01:db8::10/64",
            "2a01:db8::abcd:1234/64",
        )
        added = await agent.follow(NAME, source="interface", interface="eth0", ipv6=True)
        assert (added.ipv4, added.ipv6) == ("192.168.1.10", "2a01:db8::10")
        agent.interface("192.168.1.10/24", "fd00::10/64", state=InterfaceState.DOWN)
        await agent.settled()
        assert agent.shown(NAME).ipv6 == "2a01:db8::10"
        assert "down" in (agent.shown(NAME).reason or "")
        agent.interface("192.168.1.10/24", "fd00::10/64")
        await agent.settled()
        assert agent.shown(NAME).ipv6 == "fd00::10", "it is all there is"


async def test_a_paused_name_is_left_alone_until_it_is_resumed(
    store: Store, reach: Reach, flare: CloudflareServer, time: HandTime
) -> None:
    async with home(store, reach, flare, time=time, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        await agent.follow(NAME)
        assert await agent.service.pause(NAME)
        assert not await agent.service.pause(NAME)
        agent.network("192.0.2.2")
        await agent.settled()
        shown = agent.shown(NAME)
        assert (shown.state, shown.wanted_ipv4) == (DynamicState.PAUSED, "192.0.2.2")
    async with home(store, reach, flare, time=time) as agent:
        agent.network("192.0.2.2")
        await agent.settled()
        assert flare.changes == 1
        assert await agent.service.resume(NAME)
        await agent.later()
        assert flare.zones.values(NAME, "A") == ("192.0.2.2",)


async def test_how_a_name_follows_can_be_changed_and_what_it_leads_to_stays_known(
    store: Store, reach: Reach, flare: CloudflareServer
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1", "2001:db8::1")
        await agent.follow(NAME, ttl_s=300)
        (before,) = flare.zones.records[ZONE]
        changed = await agent.follow(NAME, ttl_s=120, ipv6=True)
        assert (changed.state, changed.ipv6) == (DynamicState.CURRENT, "2001:db8::1")
        found = {each.type: each for each in flare.zones.records[ZONE]}
        assert (found["A"].id, found["A"].ttl_s) == (before.id, 120)
        assert (found["AAAA"].value, found["AAAA"].ttl_s) == ("2001:db8::1", 120)
        asked = flare.changes
        await agent.follow(NAME, ttl_s=120, ipv6=True)
        assert flare.changes == asked
        only = await agent.follow(NAME, ttl_s=120)
        assert (only.ipv4, only.ipv6) == ("192.0.2.1", None)
        assert flare.zones.values(NAME, "AAAA") == ("2001:db8::1",), "it is left as it is"


async def test_a_name_that_is_removed_keeps_its_records_and_follows_no_more(
    store: Store, reach: Reach, flare: CloudflareServer, time: HandTime
) -> None:
    async with home(store, reach, flare, time=time, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        await agent.follow(NAME)
        await agent.service.remove(NAME)
        assert agent.service.find(NAME) is None
        with pytest.raises(NotFound):
            await agent.service.remove(NAME)
    async with home(store, reach, flare, time=time) as agent:
        assert not (await agent.service.list()).addresses
        assert flare.zones.values(NAME, "A") == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"name": f"-bad-.{ZONE}"}, "name"),
        ({"name": "a..b"}, "name"),
        ({"name": f"{'x' * 64}.{ZONE}"}, "name"),
        ({"name": f"under_score.{ZONE}"}, "name"),
        ({"name": NAME, "ipv4": False}, "ipv4"),
        ({"name": NAME, "source": "interface"}, "interface"),
        ({"name": NAME, "interface": "eth0"}, "interface"),
        ({"name": NAME, "ttl_s": 5}, "ttl_s"),
        ({"name": "home.example.net"}, "name"),
        ({"name": NAME, "provider": "nobody"}, "provider"),
    ],
)
async def test_what_is_wrong_is_refused_with_its_field_and_its_remedy(
    store: Store, reach: Reach, flare: CloudflareServer, how: dict[str, object], field: str
) -> None:
    async with home(store, reach, flare, settings=at_cloudflare(flare)) as agent:
        agent.network("192.0.2.1")
        with pytest.raises((Invalid, NotFound)) as caught:
            await agent.follow(**how)  # type: ignore[arg-type]
        assert caught.value.field == field
        assert caught.value.hint
        assert not (await agent.service.list()).addresses
        assert not flare.changes


async def test_a_challenge_below_a_name_of_duckdns_is_set_served_and_taken_away(
    store: Store, reach: Reach, duck: tuple[DuckDnsServer, str]
) -> None:
    server, names = duck
    challenge = f"_acme-challenge.{DUCK}"
    async with home(
        store, reach, server, settings=at_duckdns(server), name_servers=(names,)
    ) as agent:
        await agent.dns.add_txt(challenge, "proof")
        wanted = RecordSet(name=challenge, type=RecordType.TXT, values=("proof",))
        await agent.dns.wait_until_served([wanted], within_s=5)
        await agent.dns.remove_txt(challenge, "proof")
        assert server.zones.values(DUCK, "TXT") == ()
