"""What happens to a container reaches the client of a real agent, each thing of it, in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from aiohttp import ClientSession

from custom_components.homelab.client import (
    AgentClient,
    AgentError,
    Backoff,
    Change,
    Endpoint,
    StreamClient,
)
from tests.fakes.docker_engine import FakeDocker, fake_docker
from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

ARRIVES_WITHIN_S = 60


class Told:
    """Keeps every event that the stream tells, in its order."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[str, str, int | None]] = asyncio.Queue()
        self.connected = asyncio.Event()
        self.snapshots: list[tuple[int, bool]] = []
        self.losses: list[AgentError] = []
        self.containers: set[str] = set()

    def on_snapshot(self, resources: Sequence[Change], *, continued: bool) -> None:
        self.snapshots.append((len(resources), continued))
        self.containers |= {each.key for each in resources if each.kind == "container"}
        self.connected.set()

    def on_changes(self, changes: Sequence[Change]) -> None:
        for each in changes:
            if each.kind == "container":
                self.containers.add(each.key)
            if each.kind == "container_event" and each.data is not None:
                event = each.data
                self.events.put_nowait((each.key, event.type.value, event.exit_code))

    def on_lost(self, error: AgentError) -> None:
        self.losses.append(error)

    async def next(self, count: int) -> list[tuple[str, str, int | None]]:
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            return [await self.events.get() for _ in range(count)]


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as server:
        yield server


@pytest.fixture
async def told(docker: FakeDocker, tmp_path: Path) -> AsyncIterator[Told]:
    docker.add("web")
    async with (
        Agent(tmp_path / "agent", docker_url=docker.url) as agent,
        ClientSession() as session,
    ):
        endpoint = Endpoint(host=agent.host, port=agent.port)
        client = AgentClient(session, endpoint, await agent.create_token("tests"))
        told = Told()
        stream = StreamClient(client.transport, told, backoff=Backoff(first_s=0.05))
        following = asyncio.create_task(stream.run())
        try:
            await asyncio.wait_for(told.connected.wait(), ARRIVES_WITHIN_S)
        except TimeoutError:
            raise AssertionError(told.losses) from None
        # What happens before the agent has looked is no news to it.
        await docker.wait_attached()

        async def knows_the_container() -> bool:
            return "web" in told.containers

        await wait_until(knows_the_container, what="the container to be known")
        yield told
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_two_things_in_the_same_moment_are_both_told(docker: FakeDocker, told: Told) -> None:
    web = docker.containers[next(iter(docker.containers))]

    docker.emit("oom", web)
    docker.end(web, 137)
    docker.change(web, "start")

    assert await told.next(3) == [
        ("web", "out_of_memory", None),
        ("web", "died", 137),
        ("web", "restarted", None),
    ]


async def test_what_happened_while_the_stream_to_docker_was_cut_is_told_afterwards(
    docker: FakeDocker, told: Told
) -> None:
    web = docker.containers[next(iter(docker.containers))]
    await docker.wait_attached()
    docker.change(web, "pause")
    assert await told.next(1) == [("web", "paused", None)]

    docker.cut_streams()
    docker.change(web, "unpause")
    docker.end(web, 3)

    assert await told.next(2) == [("web", "unpaused", None), ("web", "died", 3)]


async def test_what_happened_while_docker_was_away_is_found_by_its_list(
    docker: FakeDocker, told: Told
) -> None:
    web = docker.containers[next(iter(docker.containers))]
    await docker.wait_attached()

    await docker.stop()
    docker.end(web, 3)
    docker.history.clear()
    new = docker.add("new", running=False)
    await docker.start()

    assert set(await told.next(2)) == {("web", "died", 3), ("new", "created", None)}
    await docker.wait_attached(2)
    docker.change(new, "start")
    assert await told.next(1) == [("new", "started", None)]
