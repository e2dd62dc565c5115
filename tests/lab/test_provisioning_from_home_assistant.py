"""One action of Home Assistant puts a container at a name with HTTPS, and another takes it back.

Home Assistant, Docker, the name servers, Caddy and the authority are all real.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.home_assistant import HomeAssistant
from tests.harness.waiting import wait_until
from tests.lab.provisioning_world import SAYS, ZONE, ProvisioningWorld, provisioning_world
from tests.lab.world import SHOWN_WITHIN_S, ShownAgent

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provisioning(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ProvisioningWorld]:
    async with provisioning_world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    provisioning: ProvisioningWorld, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ShownAgent]:
    """Home Assistant with a token that may operate, and no more."""
    agent = provisioning.agent
    async with HomeAssistant(tmp_path_factory.mktemp("home-assistant")) as home:
        token = await agent.create_token("home-assistant", "operate")
        await home.api.add_homelab(agent.host, agent.port, token, ssl=False)
        health = await agent.get("/api/v1/health")
        yield ShownAgent(agent, home, health["instance_id"])


async def act(world: ShownAgent, action: str, **data: object) -> Any:
    return await world.home.api.action("homelab", action, data, response=True)


async def device(world: ShownAgent, thing: str) -> str:
    """Return the device of a thing, once there is one."""

    async def find() -> str | None:
        return await world.device_id(thing)

    return await wait_until(find, what=f"the device of {thing}", within_s=SHOWN_WITHIN_S)


async def seconds(world: ShownAgent, name: str, job_id: str, begun: datetime) -> list[str]:
    """Return how long each step took, as the history of the domain has it."""
    (told,) = (await act(world, "domain_history", domain=name, limit=100))["domains"]
    lines = [line for line in reversed(told["events"]) if line["job_id"] == job_id]
    at = [begun, *(datetime.fromisoformat(line["at"]) for line in lines)]
    return [
        f"| {line['step']} | {(now - before).total_seconds():.2f} | {line['message']} |"
        for line, before, now in zip(lines, at[:-1], at[1:], strict=True)
        if line["type"] == "step"
    ]


@pytest.mark.parametrize("way", ["caddy", "dns_01"])
async def test_a_container_is_served_with_https_and_all_is_as_before_afterwards(
    provisioning: ProvisioningWorld, world: ShownAgent, way: str
) -> None:
    name = f"photos-{way.replace('_', '')}.{ZONE}"
    container = await device(world, provisioning.container)
    before = await provisioning.picture()
    wanted = {"device_id": container, "domain": name, "ipv4": "127.0.0.1", "certificate": way}

    planned = await act(world, "plan_domain", **wanted)
    assert await provisioning.picture() == before
    begun = datetime.now(UTC)
    started = await act(world, "provision_domain", **wanted, plan_hash=planned["hash"])

    assert started["outcome"] == "done", started
    answer = await provisioning.caddy.get(name, authority=provisioning.root)
    assert (answer.status, SAYS in answer.text) == (200, True)
    await device(world, f"domain:{name}")
    print(f"\n{way}: {started['message']}\n| step | seconds | what was done |\n| --- | --- | --- |")  # noqa: T201
    print("\n".join(await seconds(world, name, started["job_id"], begun)))  # noqa: T201

    begun = datetime.now(UTC)
    (taken,) = (await act(world, "deprovision_domain", domain=name))["domains"]

    assert taken["outcome"] == "done", taken
    print("\n".join(await seconds(world, name, taken["job_id"], begun)))  # noqa: T201
    (forgotten,) = (await act(world, "remove_domain", domain=name))["domains"]
    assert forgotten["outcome"] == "done"
    assert await provisioning.picture() == before
    assert not await provisioning.serves(name)
