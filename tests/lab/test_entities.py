"""What Home Assistant shows of real containers beside their state, and what it can do to them."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.agent import Agent
from tests.harness.built_images import FOREVER, BuiltImages
from tests.harness.docker import Docker
from tests.harness.home_assistant import HomeAssistant
from tests.harness.waiting import wait_until
from tests.lab.network import PrivateNetwork
from tests.lab.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

BUSY = ("sh", "-c", "trap 'exit 0' TERM; while :; do :; done")
DIES = "sleep 1; echo no such table; exit 3"
DONE_WITHIN_S = 90


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """An agent that looks at the registry of this machine, and a Home Assistant connected to it."""
    folder: Path = tmp_path_factory.mktemp("world")
    async with AsyncExitStack() as stack:
        docker = await stack.enter_async_context(Docker())
        settings = {"HOMELAB_STATS_INTERVAL_S": "2"}
        agent = await stack.enter_async_context(Agent(folder / "agent", settings=settings))
        home = await stack.enter_async_context(HomeAssistant(folder / "home-assistant"))
        token = await agent.create_token("home-assistant")
        await home.api.add_homelab(agent.host, agent.port, token, ssl=False)
        health = await agent.get("/api/v1/health")
        yield World(docker, agent, home, PrivateNetwork(), health["instance_id"])


@pytest_asyncio.fixture(loop_scope="module")
async def images() -> AsyncIterator[BuiltImages]:
    async with BuiltImages() as made:
        yield made


async def attributes(world: World, entity_id: str) -> dict[str, Any]:
    states = await world.home.api.call("GET", "/api/states")
    found: dict[str, Any] = next(
        each["attributes"] for each in states if each["entity_id"] == entity_id
    )
    return found


async def outdated(world: World, images: BuiltImages, script: str = FOREVER) -> tuple[str, str]:
    """Run a container for which there is a newer image; return its name and update entity."""
    name = f"entities-{secrets.token_hex(4)}"
    image = await images.push(name, "1.0.0")
    old = (await world.docker.call("GET", f"/images/{image}/json"))["Id"]
    await images.push(name, "2.0.0", script=script)
    # The registry has the new one, this host still the old one.
    tag = {"repo": images.name, "tag": name}
    await world.docker.call("POST", f"/images/{old}/tag", params=tag)
    await world.docker.create(name, image=image, command=())
    await world.entity(name, "state")
    device_id = await world.device_id(name)
    await world.home.api.action("homelab", "check_updates", {"device_id": device_id})
    entity = await world.entity(name, "update")
    await world.shows(entity, "on", within_s=DONE_WITHIN_S)
    return name, entity


async def test_a_busy_container_shows_what_it_uses(world: World) -> None:
    name = f"entities-{secrets.token_hex(4)}"
    # So little that it gets it also where others are busy.
    await world.docker.create(name, command=BUSY, NanoCpus=50_000_000)
    cpu, memory = await world.entity(name, "cpu"), await world.entity(name, "memory")

    async def about_a_twentieth() -> bool:
        state = await world.home.api.state(cpu)
        return state not in {None, "unknown", "unavailable"} and 3.5 < float(state or 0) < 6.5

    await wait_until(about_a_twentieth, what="the share of a core", within_s=DONE_WITHIN_S)
    assert float(await world.home.api.state(memory) or 0) > 0
    await world.docker.stop(name)
    await world.shows(cpu, "unavailable")


async def test_a_stack_is_switched_off_and_on_as_a_whole(world: World) -> None:
    project = f"entities{secrets.token_hex(4)}"
    for service in ("db", "app"):
        await world.docker.create(
            f"{project}-{service}-1",
            labels={
                "com.docker.compose.project": project,
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": "1",
            },
        )
    state = await world.entity(f"stack:{project}", "state")
    switch = await world.entity(f"stack:{project}", "switch")
    # A stack runs from its first container on.
    for service in ("db", "app"):
        await world.shows(await world.entity(f"{project}:{service}:1", "state"), "running")
    await world.shows(state, "running")
    await world.home.api.action("switch", "turn_off", {"entity_id": switch})
    await world.shows(state, "stopped")
    for service in ("db", "app"):
        found = await world.docker.inspect(f"{project}-{service}-1")
        assert found["State"]["Running"] is False
    await world.home.api.action("switch", "turn_on", {"entity_id": switch})
    await world.shows(state, "running")


async def test_an_update_is_found_and_installed_from_home_assistant(
    world: World, images: BuiltImages
) -> None:
    name, entity = await outdated(world, images)
    before = await world.device_id(name)
    shown = await attributes(world, entity)
    assert (shown["installed_version"], shown["latest_version"]) == ("1.0.0", "2.0.0")
    await world.home.api.action("update", "install", {"entity_id": entity})
    await world.shows(entity, "off", within_s=DONE_WITHIN_S)
    assert (await attributes(world, entity))["installed_version"] == "2.0.0"
    await world.shows(await world.entity(name, "state"), "running")
    assert await world.device_id(name) == before
    # What stood in for it meanwhile was no container of its own to anybody.
    names = json.dumps([one["unique_id"] for one in await world.registry()])
    assert f"{name}-homelab" not in names
    # It is another container than the one that was made here.
    await world.docker.remove(name)


async def test_an_update_that_does_not_stay_up_is_taken_back_and_said_so(
    world: World, images: BuiltImages
) -> None:
    name, entity = await outdated(world, images, DIES)
    before = (await world.docker.inspect(name))["Id"]
    async with world.home.api.socket() as socket:
        with pytest.raises(Exception, match="taken back"):
            await socket.command(
                "call_service",
                domain="update",
                service="install",
                service_data={"entity_id": entity},
            )
    assert (await world.docker.inspect(name))["Id"] == before
    await world.shows(await world.entity(name, "state"), "running")
    assert await world.home.api.state(entity) == "on"
