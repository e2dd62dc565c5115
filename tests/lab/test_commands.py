"""Commands on real containers: one at a time each, honest about how they end."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from custom_components.homelab.client import (
    AgentClient,
    Busy,
    ContainerCommand,
    ContainerState,
    Endpoint,
    Outcome,
    StopBody,
)
from tests.harness.waiting import wait_until
from tests.lab.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

DEAF = ("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
"""Does not end when it is asked to, so that a stop takes its whole grace period."""


@pytest_asyncio.fixture(loop_scope="module")
async def client(world: World) -> AsyncIterator[AgentClient]:
    async with ClientSession() as session:
        token = await world.agent.create_token(uuid4().hex)
        yield AgentClient(session, Endpoint(host=world.agent.host, port=world.agent.port), token)


@pytest_asyncio.fixture(loop_scope="module")
async def deaf(world: World, client: AgentClient) -> str:
    name = f"deaf-{uuid4().hex[:8]}"
    await world.docker.create(name, command=DEAF)

    async def seen() -> bool:
        return name in {each.name for each in await client.containers()}

    await wait_until(seen, what="the agent to see the container")
    return name


async def test_a_second_command_is_told_which_job_is_running(
    world: World, client: AgentClient, deaf: str
) -> None:
    stop = StopBody(timeout_s=120, wait_s=0)
    started = await client.command(deaf, ContainerCommand.STOP, stop)
    assert started.outcome is None
    assert started.job is not None
    with pytest.raises(Busy) as busy:
        await client.command(deaf, ContainerCommand.RESTART)
    assert started.job.id in str(busy.value.extra)
    await world.docker.kill(deaf)

    async def ended() -> bool:
        return (await client.container(deaf)).state is ContainerState.EXITED

    await wait_until(ended, what="the stop to end")


async def test_a_stop_that_the_agent_did_not_survive_is_done_and_said_so(
    world: World, client: AgentClient, deaf: str
) -> None:
    started = await client.command(deaf, ContainerCommand.STOP, StopBody(timeout_s=3, wait_s=0))
    assert started.job is not None
    job_id = started.job.id
    await world.agent.kill()
    await world.agent.start()
    token = await world.agent.create_token(uuid4().hex)

    async def outcome() -> str | None:
        job = await world.agent.get(f"/api/v1/jobs/{job_id}", token)
        found: str | None = job["outcome"]
        return found

    assert await wait_until(outcome, what="the job to end") == Outcome.DONE
    assert not (await world.docker.inspect(deaf))["State"]["Running"]


async def test_many_containers_come_and_go_and_the_list_is_dockers_own(
    world: World, client: AgentClient
) -> None:
    prefix = f"storm-{uuid4().hex[:6]}"
    names = [f"{prefix}-{number}" for number in range(40)]
    await asyncio.gather(*(world.docker.create(name, start=False) for name in names))
    await asyncio.gather(*(world.docker.start(name) for name in names[:20]))
    await world.docker.remove_all(*names[10:30])

    async def same() -> bool:
        shown = {
            each.name: each.state.value
            for each in await client.containers()
            if each.name.startswith(prefix)
        }
        listed = await world.docker.call("GET", "/containers/json", params={"all": "true"})
        real = {
            each["Names"][0].removeprefix("/"): each["State"]
            for each in listed
            if each["Names"][0].startswith(f"/{prefix}")
        }
        return shown == real and len(real) == 20

    await wait_until(same, what="the agent's list to be Docker's")
