"""The test that matters most: one container, from the Docker engine to Home Assistant and back.

Everything is real and each loss is caused: the agent, the engine, Home Assistant and the
network between them go away in turn, and what is shown must be right again by itself.
"""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.harness.private_engine import PrivateEngine
from tests.harness.waiting import wait_until
from tests.lab.network import run
from tests.lab.world import World, open_world

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

# A connection whose cable is out is noticed by the missing heartbeat, and taken up again after
# a pause that has grown meanwhile.
NOTICED_WITHIN_S = 90


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[PrivateEngine]:
    async with PrivateEngine() as engine:
        await engine.copy_image("busybox:latest")
        yield engine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    async with open_world(tmp_path_factory.mktemp("world"), engine.socket) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def container(world: World) -> AsyncIterator[str]:
    name = f"live-{uuid4().hex[:8]}"
    await world.docker.create(name, RestartPolicy={"Name": "always"})
    yield name
    await world.docker.remove(name)


async def running_in_docker(world: World, container: str) -> bool:
    state: bool = (await world.docker.inspect(container))["State"]["Running"]
    return state


async def test_a_container_stopped_with_docker_is_shown_stopped(
    engine: PrivateEngine, world: World, container: str
) -> None:
    state = await world.entity(container, "state")
    switch = await world.entity(container, "switch")
    await world.shows(state, "running")
    await run("docker", "--host", engine.url, "stop", "--time", "1", container)
    await world.shows(state, "exited")
    await world.shows(switch, "off")


async def test_a_container_switched_on_in_home_assistant_runs_in_docker(
    world: World, container: str
) -> None:
    switch = await world.entity(container, "switch")
    await world.shows(switch, "on")
    await world.home.api.action("switch", "turn_off", {"entity_id": switch})
    assert not await running_in_docker(world, container)
    await world.home.api.action("switch", "turn_on", {"entity_id": switch})
    assert await running_in_docker(world, container)
    await world.shows(switch, "on")


async def test_a_recreated_container_keeps_its_entities_and_its_device(
    world: World, container: str
) -> None:
    state = await world.entity(container, "state")
    device = await world.device_id(container)
    before = (await world.docker.inspect(container))["Id"]
    await world.docker.remove(container)
    await world.shows(state, "unavailable")
    await world.docker.create(container)
    await world.shows(state, "running")
    assert (await world.docker.inspect(container))["Id"] != before
    assert await world.entity(container, "state") == state
    assert await world.device_id(container) == device


async def test_what_happened_while_the_agent_was_away_is_shown_when_it_is_back(
    world: World, container: str
) -> None:
    state = await world.entity(container, "state")
    await world.shows(state, "running")
    await world.agent.kill()
    await world.shows(state, "unavailable")
    await world.docker.stop(container)
    await world.agent.start()
    await world.shows(state, "exited", within_s=NOTICED_WITHIN_S)


async def test_the_state_is_right_again_after_the_engine_was_restarted(
    engine: PrivateEngine, world: World, container: str
) -> None:
    state = await world.entity(container, "state")
    docker = await world.host_entity("docker")
    await world.shows(state, "running")
    await engine.stop()
    await world.shows(docker, "off")
    await world.shows(state, "unavailable")
    await engine.start()
    await world.shows(docker, "on", within_s=NOTICED_WITHIN_S)
    await world.shows(state, "running")
    await world.docker.stop(container)
    await world.shows(state, "exited")


async def test_the_state_is_right_again_after_home_assistant_was_restarted(
    world: World, container: str
) -> None:
    state = await world.entity(container, "state")
    await world.shows(state, "running")
    await world.home.stop()
    await world.docker.stop(container)
    await world.home.start()
    await world.shows(state, "exited", within_s=NOTICED_WITHIN_S)
    await world.docker.start(container)
    await world.shows(state, "running")


async def test_the_state_is_right_again_after_the_network_was_cut(
    world: World, container: str
) -> None:
    state = await world.entity(container, "state")
    await world.shows(state, "running")
    await world.network.cut()
    try:
        await world.shows(state, "unavailable", within_s=NOTICED_WITHIN_S)
        await world.docker.stop(container)
    finally:
        await world.network.mend()
    await world.shows(state, "exited", within_s=NOTICED_WITHIN_S)


async def test_a_new_container_appears_and_a_removed_one_does_not_stay_running(
    world: World,
) -> None:
    name = f"new-{uuid4().hex[:8]}"
    await world.docker.create(name)
    state = await world.entity(name, "state")
    await world.shows(state, "running")
    await world.docker.remove(name)
    await world.shows(state, "unavailable")


async def test_a_protected_container_is_not_stopped_and_the_reason_is_told(world: World) -> None:
    name = f"protected-{uuid4().hex[:8]}"
    await world.docker.create(name, labels={"homelab.protect": "true"})
    switch = await world.entity(name, "switch")
    await world.shows(switch, "on")
    async with world.home.api.socket() as socket:
        with pytest.raises(Exception, match="protect"):
            await socket.command(
                "call_service",
                domain="switch",
                service="turn_off",
                service_data={"entity_id": switch},
            )
    assert await running_in_docker(world, name)


async def test_logs_reach_an_automation(world: World) -> None:
    name = f"talker-{uuid4().hex[:8]}"
    await world.docker.create(name, command=("sh", "-c", "echo spoken; echo wrong >&2"))
    await world.entity(name, "state")

    async def device() -> str | None:
        return await world.device_id(name)

    device_id = await wait_until(device, what="the device")

    async def both_lines() -> bool:
        answer = await world.home.api.action(
            "homelab", "get_logs", {"device_id": device_id}, response=True
        )
        return "spoken" in str(answer) and "wrong" in str(answer)

    await wait_until(both_lines, what="what it said on both of its outputs")
