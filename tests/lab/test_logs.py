"""Logs of real containers, faster and stranger than anybody reads."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from aiohttp import ClientSession

from custom_components.homelab.client import (
    AgentClient,
    Conflict,
    Endpoint,
    LogFollowQuery,
    LogsQuery,
)
from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.waiting import wait_until

LINES = 200_000
FAST = f"yes 'a line of a log that nobody reads so fast' | head -n {LINES}; echo the end; sleep 600"


@pytest.fixture
async def docker() -> AsyncIterator[Docker]:
    async with Docker() as docker:
        yield docker


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    async with Agent(tmp_path / "agent") as agent:
        yield agent


@pytest.fixture
async def client(agent: Agent) -> AsyncIterator[AgentClient]:
    async with ClientSession() as session:
        endpoint = Endpoint(host=agent.host, port=agent.port)
        yield AgentClient(session, endpoint, await agent.create_token("tests"))


async def _created(docker: Docker, client: AgentClient, command: str, **config: object) -> str:
    name = f"lab-logs-{secrets.token_hex(4)}"
    await docker.create(name, command=("sh", "-c", command), start=False, **config)

    async def known() -> bool:
        return name in {container.name for container in await client.containers()}

    await wait_until(known, what=f"{name} at the agent")
    return name


class Pulse:
    """Asks the agent for its health all the time and keeps the slowest answer."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.slowest_s = 0.0

    async def beat(self) -> None:
        while True:
            began = time.monotonic()
            await self._agent.get("/api/v1/health")
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            await asyncio.sleep(0.05)


async def test_a_log_of_more_than_ten_thousand_lines_a_second_leaves_the_agent_responsive(
    docker: Docker, client: AgentClient, agent: Agent
) -> None:
    name = await _created(docker, client, FAST)
    before, worked_before_s, pulse = _memory_bytes(agent), _worked_s(agent), Pulse(agent)
    beating = asyncio.create_task(pulse.beat())
    told = dropped = 0
    await docker.start(name)
    began = time.monotonic()
    async with (
        asyncio.timeout(120),
        aclosing(client.follow_logs(name, LogFollowQuery(tail=5000))) as feed,
    ):
        async for news in feed:
            told, dropped = told + len(news.lines), dropped + news.dropped
            if any(line.text == "the end" for line in news.lines):
                break
    took_s, worked_s = time.monotonic() - began, _worked_s(agent) - worked_before_s
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    grown = _memory_bytes(agent) - before

    print(  # noqa: T201
        f"{told} lines told, {dropped} dropped in {took_s:.1f} s, of which the agent worked "
        f"{worked_s:.1f} s; slowest health answer "
        f"{pulse.slowest_s * 1000:.0f} ms; memory grew by {grown / 2**20:.1f} MiB"
    )
    assert told
    # What others do on this machine meanwhile is not the agent's work.
    assert (told + dropped) / worked_s > 10_000
    # Whom the log keeps busy all the time answers when it is over.
    assert pulse.slowest_s < max(2, took_s / 3)
    assert grown < 64 * 2**20


async def test_binary_endless_and_terminal_output_survives(
    docker: Docker, client: AgentClient
) -> None:
    strange = (
        "head -c 300000 /dev/zero | tr '\\0' x; echo; "
        "printf 'caf\\303\\251 \\377\\376\\n'; echo done"
    )
    piped = await _created(docker, client, strange)
    terminal = await _created(docker, client, strange, config={"Tty": True})
    for name in (piped, terminal):
        await docker.start(name)

        async def done(name: str = name) -> list[str] | None:
            texts = [line.text for line in (await client.logs(name)).lines]
            return texts if texts and texts[-1] == "done" else None

        texts = await wait_until(done, what="the last line")
        assert texts[0].startswith("xxxx")
        assert texts[0].endswith("…")
        assert texts[-2] == "café \ufffd\ufffd"
        found = await client.logs(name, LogsQuery(search="CAFÉ"))
        assert len(found.lines) == 1


async def test_a_log_that_docker_keeps_nowhere_says_what_to_change(
    docker: Docker, client: AgentClient
) -> None:
    name = await _created(docker, client, "echo hello; sleep 600", LogConfig={"Type": "none"})
    await docker.start(name)

    with pytest.raises(Conflict, match="logging driver") as told:
        await client.logs(name)
    assert "json-file" in (told.value.hint or "")
    with pytest.raises(Conflict, match="logging driver"):
        async with aclosing(client.follow_logs(name)) as feed, asyncio.timeout(20):
            await anext(feed)


def _worked_s(agent: Agent) -> float:
    """Return how long the agent has had a processor."""
    after_name = Path(f"/proc/{agent.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")


def _memory_bytes(agent: Agent) -> int:
    status = Path(f"/proc/{agent.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
