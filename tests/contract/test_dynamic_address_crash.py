"""Dynamic DNS through a real agent: followed over kills, with one request for each change."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.address_source import IPV4, OTHER_IPV4, AddressSource, address_source
from tests.fakes.dns_providers import cloudflare, zoneedit
from tests.fakes.dns_providers.name_service import serving_zones
from tests.fakes.dns_providers.server import Applies, Fault, running
from tests.fakes.docker_engine import fake_docker
from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

ZONE = "example.org"
NAME = f"home.{ZONE}"

pytestmark = pytest.mark.timeout(120)


class World:
    """A provider, its name server, sources of the public address, and an agent."""

    def __init__(self, agent: Agent, sources: tuple[AddressSource, AddressSource]) -> None:
        self.agent = agent
        self.sources = sources
        self.token = ""

    async def set_up(self, settings: dict[str, Any], *name_servers: str) -> None:
        """Have the provider known to the agent."""
        self.token = await self.agent.create_token(scope="admin")
        body = {"key": "mine", "name": "M", "settings": settings, "name_servers": name_servers}
        status, added = await self.ask("POST", "/dns/providers", body)
        assert status == 200, added

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        return await self.agent.ask(method, path, body, token=self.token)

    async def follow(self, **how: Any) -> Any:  # JSON of the agent
        """Have the name follow the public IPv4 address."""
        _, answer = await self.ask("POST", "/dynamic-addresses", {"name": NAME, **how})
        return answer

    async def until(self, state: str, ipv4: str) -> dict[str, Any]:
        """Return the name as soon as it is so."""

        async def look() -> dict[str, Any] | None:
            _, answer = await self.ask("GET", "/dynamic-addresses")
            (found,) = answer["addresses"] or ({"state": None},)
            return found if (found["state"], found.get("ipv4")) == (state, ipv4) else None

        return await wait_until(look, what=f"{NAME} to be {state} with {ipv4}")

    async def killed_while_it_waits_for_an_answer(self, server: zoneedit.ZoneEditServer) -> None:
        """Kill the agent between the write and its note, and start it again."""
        task = asyncio.create_task(self.follow())

        async def asked() -> bool:
            return server.changes == 1

        await wait_until(asked, what="the request to the provider")
        await self.agent.kill()
        await asyncio.wait((task,))
        task.exception()
        server.faults.clear()
        await self.agent.start()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        docker = await stack.enter_async_context(fake_docker())
        first = await stack.enter_async_context(address_source())
        second = await stack.enter_async_context(address_source())
        agent = Agent(
            tmp_path / "agent",
            docker_url=docker.url,
            settings={
                "HOMELAB_PORT_INTERVAL_S": "2",
                "HOMELAB_PUBLIC_ADDRESS_SOURCES": f"{first.url},{second.url}",
            },
        )
        yield World(await stack.enter_async_context(agent), (first, second))


@pytest.fixture
async def server() -> AsyncIterator[zoneedit.ZoneEditServer]:
    async with running(zoneedit.ZoneEditServer(ZONE)) as server:
        server.zones.put(NAME, "A", "192.0.2.1")
        server.paces = True
        yield server


def at_zoneedit(server: zoneedit.ZoneEditServer, token: str = zoneedit.TOKEN) -> dict[str, Any]:
    return {
        "type": "zoneedit",
        "user": zoneedit.USER,
        "token": token,
        "zones": [ZONE],
        "url": server.url,
    }


async def test_killed_between_the_write_and_its_note_the_agent_asks_the_provider_once(
    world: World, server: zoneedit.ZoneEditServer
) -> None:
    async with serving_zones(server) as names:
        await world.set_up(at_zoneedit(server), names.address)
        server.fail(Fault(hang=True, applies=Applies.ALL))
        await world.killed_while_it_waits_for_an_answer(server)
        found = await world.until("current", IPV4)
        assert found["changed_at"]
        assert server.changes == 1
        await world.agent.kill()
        await world.agent.start()
        await world.until("current", IPV4)
        assert server.changes == 1, "no restart writes anything"


async def test_killed_before_it_was_done_the_agent_waits_for_the_providers_pause(
    world: World, server: zoneedit.ZoneEditServer
) -> None:
    async with serving_zones(server) as names:
        await world.set_up(at_zoneedit(server), names.address)
        server.fail(Fault(hang=True, applies=Applies.NOTHING))
        await world.killed_while_it_waits_for_an_answer(server)

        async def waits() -> Any:  # JSON of the agent
            _, answer = await world.ask("GET", "/dynamic-addresses")
            found = answer["addresses"]
            return found[0] if found and found[0]["state"] == "waiting" else None

        found = await wait_until(waits, what="the name to wait")
        assert found["next_try_at"]
        _, updated = await world.ask("POST", f"/dynamic-addresses/{NAME}/update")
        assert updated["state"] == "waiting", "who insists waits, too"
        assert server.changes == 1


async def test_a_name_follows_a_new_public_address_and_no_secret_is_anywhere(
    world: World, tmp_path: Path
) -> None:
    async with running(cloudflare.CloudflareServer(ZONE)) as server:
        settings = {"type": "cloudflare", "api_token": cloudflare.TOKEN, "url": server.url}
        await world.set_up(settings)
        await world.follow(ttl_s=120)
        await world.until("current", IPV4)
        assert server.zones.values(NAME, "A") == (IPV4,)
        for source in world.sources:
            source.ipv4 = OTHER_IPV4
        await world.agent.kill()  # it asks again as soon as it begins
        await world.agent.start()
        await world.until("current", OTHER_IPV4)
        assert server.zones.values(NAME, "A") == (OTHER_IPV4,)
        assert server.changes == 2
        _, shown = await world.ask("GET", "/dns/providers")
        assert cloudflare.TOKEN not in str(shown)
        await world.agent.stop()
    everything = b"".join(
        file.read_bytes() for file in (tmp_path / "agent").rglob("*") if file.is_file()
    )
    assert cloudflare.TOKEN.encode() not in everything


async def test_bad_input_names_the_field_and_the_remedy(
    world: World, server: zoneedit.ZoneEditServer
) -> None:
    await world.set_up(at_zoneedit(server), "127.0.0.1:9")
    for body, field in (
        ({"name": "a..b"}, "name"),
        ({"name": f"x.{'y' * 64}.{ZONE}"}, "name"),
        ({"name": NAME, "ipv6": True}, "ipv6"),
        ({"name": NAME, "ipv4": False}, "ipv4"),
        ({"name": NAME, "source": "interface"}, "interface"),
        ({"name": "home.elsewhere.example"}, "name"),
        ({"name": NAME, "provider": "nobody"}, "provider"),
        ({"name": NAME, "ttl_s": "soon"}, "ttl_s"),
        ({}, "name"),
    ):
        status, problem = await world.ask("POST", "/dynamic-addresses", body)
        assert status in {404, 422}, problem
        assert problem["field"] == field
    status, _ = await world.ask("POST", f"/dynamic-addresses/{NAME}/update")
    assert status == 404
    assert not server.changes
