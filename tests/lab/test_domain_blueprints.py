"""The blueprints of domains, addresses and kept certificates, in a real Home Assistant.

Each is imported as a person does it, and run by really breaking the thing: the website of a domain
goes away, the provider of the network gives it another address, the authority does not answer.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fakes.address_source import OTHER_IPV4, AddressSource, address_source
from tests.fakes.https_site import https_site
from tests.fakes.tls_servers import Authority, make_authority
from tests.harness.home_assistant import HomeAssistant
from tests.harness.name_servers import own_address
from tests.harness.waiting import wait_until
from tests.lab.blueprints import told, use
from tests.lab.renewal_world import ZONE, RenewalWorld
from tests.lab.world import ShownAgent

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(480)]

SHOP, HOUSE, MAIL = f"shop.{ZONE}", f"house.{ZONE}", f"mail.{ZONE}"
KNOWN_WITHIN_S = 60


@dataclass
class World(ShownAgent):
    """What the tests touch, and what the agent asks for the network's address."""

    names: RenewalWorld
    authority: Authority
    sources: tuple[AddressSource, ...]
    folder: Path

    async def act(self, action: str, **data: object) -> Any:
        return await self.home.api.action("homelab", action, data, response=True)

    async def all_of_host(self) -> Mapping[str, object]:
        return {"device_id": [await self.host_device_id()]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("domains")
    authority = make_authority()
    (folder / "ca.pem").write_bytes(authority.root.certificate.public_bytes(Encoding.PEM))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(address_source())
        second = await stack.enter_async_context(address_source())
        names = RenewalWorld(
            folder,
            settings={
                "HOMELAB_NAME": "Lab",
                "HOMELAB_DOMAIN_INTERVAL_S": "10",
                "HOMELAB_PUBLIC_ADDRESS_INTERVAL_S": "60",
                "HOMELAB_PUBLIC_ADDRESS_SOURCES": f"{first.url},{second.url}",
                "HOMELAB_TRUSTED_CA_FILE": str(folder / "ca.pem"),
            },
        )
        await stack.enter_async_context(names)
        home = await stack.enter_async_context(HomeAssistant(folder / "home-assistant"))
        agent = names.agent
        token = await agent.create_token("home-assistant", "admin")
        await home.api.add_homelab(agent.host, agent.port, token, ssl=False)
        instance_id = (await agent.get("/api/v1/health"))["instance_id"]
        yield World(agent, home, instance_id, names, authority, (first, second), folder)


async def test_a_website_that_goes_away_is_told_and_its_return_too(world: World) -> None:
    await use(
        world.home,
        "domain_unhealthy",
        {"domains": await world.all_of_host(), "bad_for": {"seconds": 0}},
    )
    address = own_address()
    issued = world.authority.issue(SHOP, days=80)
    async with https_site(issued, world.folder, address):
        records = [{"type": "A", "values": [address]}]
        await world.act("add_domain", domain=SHOP, records=records)
        plan = await world.act("plan_dns", domain=SHOP)
        await world.act("apply_dns", domain=SHOP, plan_hash=plan["hash"])
        await is_healthy(world)
    message = await told(world.home, f"{SHOP} does not work")
    assert address in message
    async with https_site(issued, world.folder, address):
        assert await told(world.home, f"{SHOP} works again")


async def is_healthy(world: World) -> None:
    """Wait until the domain is well: name servers may have said before that there is no name."""

    async def look() -> bool:
        (found,) = (await world.act("check_domain", domain=SHOP))["domains"]
        return bool(found["status"] == "healthy")

    await wait_until(look, what=f"{SHOP} to be well", within_s=KNOWN_WITHIN_S)


async def test_another_address_of_the_network_is_told_once_the_name_leads_there(
    world: World,
) -> None:
    await use(world.home, "address_changed", {"names": await world.all_of_host()})

    async def leads_to(address: str) -> None:
        async def look() -> bool:
            return any(address in row for row in await world.names.knot.records(ZONE))

        await wait_until(look, what=f"{HOUSE} to lead to {address}", within_s=KNOWN_WITHIN_S)

    before = world.sources[0].ipv4
    assert before is not None
    await world.act("add_dynamic_address", name=HOUSE, ttl=60)
    await leads_to(before)
    for source in world.sources:
        source.ipv4 = OTHER_IPV4
    # It asks once more when it starts, which is sooner than in a minute.
    await world.agent.stop()
    await world.agent.start()
    await leads_to(OTHER_IPV4)
    message = await told(
        world.home,
        f"{HOUSE} has a new address",
        lambda text: OTHER_IPV4 in text and before in text,
    )
    assert message == f"{HOUSE} leads to {OTHER_IPV4} now, before to {before}."


async def test_an_authority_that_does_not_answer_is_told_with_what_to_do(world: World) -> None:
    await use(world.home, "renewal_failed", {"certificates": await world.all_of_host()})
    done = await world.act("issue_certificate", names=[MAIL])
    assert done["outcome"] == "done", done
    await world.names.pebble.stop()
    begun = await world.act("renew_certificate", certificate=MAIL, wait=False)
    assert begun["job_id"]
    message = await told(world.home, f"The certificate of {MAIL} could not be renewed")
    assert "cannot be reached" in message
    assert "It ends in" in message
