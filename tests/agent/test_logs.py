"""Logs, from a container's output to the client of a real agent."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from custom_components.homelab.client import (
    AgentClient,
    Conflict,
    Denied,
    Endpoint,
    LogFollowQuery,
    LogNews,
    LogNewsType,
    LogOutput,
    LogSearchQuery,
    LogsQuery,
    NotFound,
    Unauthenticated,
)
from tests.fakes.docker_engine import FakeContainer, FakeDocker, Fault, fake_docker
from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

ARRIVES_WITHIN_S = 60
UNREADABLE = '{"message":"configured logging driver does not support reading"}'


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as server:
        yield server


@pytest.fixture
def web(docker: FakeDocker) -> FakeContainer:
    return docker.add("web")


@pytest.fixture
async def agent(docker: FakeDocker, web: FakeContainer, tmp_path: Path) -> AsyncIterator[Agent]:
    assert web.running
    async with Agent(tmp_path / "agent", docker_url=docker.url) as agent:
        yield agent


@pytest.fixture
async def client(agent: Agent) -> AsyncIterator[AgentClient]:
    async with ClientSession() as session:
        endpoint = Endpoint(host=agent.host, port=agent.port)
        yield AgentClient(session, endpoint, await agent.create_token("tests"))


class Followed:
    """A followed log, line by line."""

    def __init__(self, feed: AsyncGenerator[LogNews]) -> None:
        self._feed = feed
        self._texts: list[str] = []
        self.dropped = 0

    async def next(self) -> LogNews:
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            news = await anext(self._feed)
        self.dropped += news.dropped
        return news

    async def lines(self, count: int) -> list[str]:
        while len(self._texts) < count:
            news = await self.next()
            assert news.type is LogNewsType.LINES, news
            self._texts.extend(line.text for line in news.lines)
        found, self._texts = self._texts[:count], self._texts[count:]
        return found


@asynccontextmanager
async def followed(
    client: AgentClient, name: str = "web", **query: object
) -> AsyncIterator[Followed]:
    async with aclosing(client.follow_logs(name, LogFollowQuery(**query))) as feed:  # type: ignore[arg-type]
        yield Followed(feed)


async def test_a_followed_log_begins_with_its_last_lines_and_goes_on(
    docker: FakeDocker, web: FakeContainer, client: AgentClient
) -> None:
    for number in range(5):
        docker.write(web, f"before {number}")
    async with followed(client, tail=2) as log:
        assert await log.lines(2) == ["before 3", "before 4"]
        docker.write(web, "after")
        assert await log.lines(1) == ["after"]


async def test_a_followed_log_outlives_a_restart_of_its_container(
    docker: FakeDocker, web: FakeContainer, client: AgentClient
) -> None:
    docker.write(web, "first run")
    async with followed(client) as log:
        assert await log.lines(1) == ["first run"]
        docker.end(web, 1)
        assert (await log.next()).type is LogNewsType.STOPPED
        docker.change(web, "start")
        docker.write(web, "second run")
        assert (await log.next()).type is LogNewsType.STARTED
        assert await log.lines(1) == ["second run"]


async def test_only_what_was_searched_for_is_followed(
    docker: FakeDocker, web: FakeContainer, client: AgentClient
) -> None:
    docker.write(web, "the first error", output=2)
    async with followed(client, search="ERROR", stream=LogOutput.STDERR) as log:
        assert await log.lines(1) == ["the first error"]
        docker.write(web, "an Error on stdout")
        docker.write(web, "all is well", output=2)
        docker.write(web, "an error on stderr", output=2)
        # The fake does not know which output a follower wants; the agent asked for one.
        assert "an error on stderr" in await log.lines(2)
    assert any("stdout=false" in query and "follow=true" in query for query in docker.queries)


async def test_who_leaves_a_followed_log_leaves_nothing_behind_at_docker(
    docker: FakeDocker, web: FakeContainer, client: AgentClient
) -> None:
    docker.write(web, "hello")
    async with followed(client) as log:
        assert await log.lines(1) == ["hello"]
        assert docker.followers(web) == 1

    async def gone() -> bool:
        docker.write(web, "is anybody there?")
        return docker.followers(web) == 0

    await wait_until(gone, what="the end of the follower")


async def test_a_log_that_cannot_be_read_says_why(docker: FakeDocker, client: AgentClient) -> None:
    docker.faults["GET containers/.*/logs"] = Fault(status=500, body=UNREADABLE)

    with pytest.raises(Conflict, match="logging driver cannot be read back") as told:
        async with followed(client) as log:
            await log.next()
    assert told.value.hint is not None
    assert "json-file" in told.value.hint
    with pytest.raises(Conflict, match="logging driver"):
        await client.logs("web")


async def test_a_container_that_does_not_exist_is_named(client: AgentClient) -> None:
    with pytest.raises(NotFound, match="no-such-thing"):
        async with followed(client, "no-such-thing") as log:
            await log.next()


async def test_without_a_good_token_no_log_is_followed(agent: Agent) -> None:
    async with ClientSession() as session:
        endpoint = Endpoint(host=agent.host, port=agent.port)
        stranger = AgentClient(session, endpoint, "hl_00000000_" + "x" * 43)
        with pytest.raises((Unauthenticated, Denied)):
            async with followed(stranger) as log:
                await log.next()


async def test_a_client_slower_than_the_log_is_told_what_it_missed_and_gets_the_newest(
    docker: FakeDocker, web: FakeContainer, client: AgentClient, agent: Agent
) -> None:
    total, slowest_s = 60_000, 0.0
    docker.write(web, "begin")
    async with followed(client, tail=1) as log:
        assert await log.lines(1) == ["begin"]
        # Nobody reads meanwhile, and all of it does not fit between the two.
        for start in range(0, total, 1000):
            docker.write(web, *(f"{start + each} " + "x" * 300 for each in range(1000)))
            began = time.monotonic()
            await agent.get("/api/v1/health")
            slowest_s = max(slowest_s, time.monotonic() - began)
        texts: list[str] = []
        while not texts or not texts[-1].startswith(f"{total - 1} "):
            texts.extend(line.text for line in (await log.next()).lines)
    numbers = [int(text.partition(" ")[0]) for text in texts]
    assert numbers == sorted(set(numbers))
    assert len(numbers) + log.dropped == total
    assert log.dropped
    assert slowest_s < 5


async def test_a_search_counts_hits_and_says_how_much_it_looked_at(
    docker: FakeDocker, web: FakeContainer, client: AgentClient
) -> None:
    for number in range(100):
        docker.write(web, f"Error {number}" if number % 10 == 0 else f"fine {number}")

    logs = await client.logs("web", LogsQuery(tail=3, search="eRRor"))

    assert [line.text for line in logs.lines] == ["Error 70", "Error 80", "Error 90"]
    assert (logs.truncated, logs.scanned) == (True, 100)
    assert not (await client.logs("web", LogsQuery(tail=10, search="error"))).truncated


async def test_many_logs_are_searched_at_once_and_the_unreadable_one_does_not_hide_the_others(
    docker: FakeDocker, web: FakeContainer, agent: Agent
) -> None:
    async with ClientSession() as session:
        endpoint = Endpoint(host=agent.host, port=agent.port)
        client = AgentClient(session, endpoint, await agent.create_token("searcher"))
        shop, quiet, mute = (docker.add(name) for name in ("shop", "quiet", "mute"))
        for container in (shop, quiet, mute):
            docker.emit("create", container)

        async def known() -> bool:
            return len(await client.containers()) == 4

        await wait_until(known, what="the new containers")
        docker.faults[f"GET containers/{mute.id}/logs"] = Fault(status=500, body=UNREADABLE)
        for number in range(3):
            docker.write(web, f"timeout {number}")
            docker.write(shop, f"TIMEOUT {number}", output=2)
        docker.write(quiet, "all is well")

        found = await client.search_logs(LogSearchQuery(search="timeout"))
        assert {logs.container: len(logs.lines) for logs in found.found} == {"shop": 3, "web": 3}
        assert found.searched == 3
        assert [(each.container, each.code) for each in found.unread] == [("mute", "conflict")]
        assert not found.truncated

        named = await client.search_logs(
            LogSearchQuery(search="timeout", names=("web", "gone"), limit=2)
        )
        assert [[line.text for line in logs.lines] for logs in named.found] == [
            ["timeout 1", "timeout 2"]
        ]
        assert named.truncated
        assert [(each.container, each.code) for each in named.unread] == [("gone", "not_found")]
