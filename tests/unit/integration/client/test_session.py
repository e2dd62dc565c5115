"""One conversation: silence is told from peace."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from custom_components.homelab.client import AgentClient, CannotConnect, NoAnswer
from custom_components.homelab.client.models import ChangesMessage, Subscribe
from custom_components.homelab.client.session import StreamSession
from tests.fakes.agent_server import FakeAgent
from tests.harness.waiting import wait_until


@asynccontextmanager
async def session_with(client: AgentClient, *, pong_s: float = 5) -> AsyncGenerator[StreamSession]:
    async with client.transport.websocket("stream") as socket:
        session = StreamSession(socket, json.loads, silence_s=0.02, pong_s=pong_s)
        await session.hello()
        await session.subscribe(Subscribe())
        yield session


async def until(condition: Callable[[], bool], what: str) -> None:
    async def check() -> bool:
        return condition()

    await wait_until(check, what=what)


async def test_a_cable_that_was_pulled_is_noticed(client: AgentClient, agent: FakeAgent) -> None:
    deaf = asyncio.Event()

    async def never_hears(socket: web.WebSocketResponse) -> None:
        await agent.greet(socket)
        await socket.receive()
        await socket.send_json(agent.snapshot())
        await deaf.wait()

    agent.stream_script = never_hears
    async with session_with(client, pong_s=0.05) as session:
        with pytest.raises(CannotConnect, match="no longer answers"):
            await session.next()
        deaf.set()


async def test_a_quiet_night_does_not_end_the_stream(client: AgentClient, agent: FakeAgent) -> None:
    async with session_with(client) as session:
        coming = asyncio.create_task(session.next())
        await until(lambda: agent.pings > 2, "the client to ask whether the agent is there")
        agent.change_container("web", state="paused")
        message = await coming
    assert isinstance(message, ChangesMessage)
    assert message.changes[0].key == "web"


async def test_the_agent_is_told_that_somebody_still_listens(
    client: AgentClient, agent: FakeAgent
) -> None:
    async with session_with(client) as session:
        coming = asyncio.create_task(session.next())
        await agent.ping_streams()
        await until(lambda: agent.pongs > 0, "the answer to the agent's ping")
        agent.change_container("web", state="paused")
        await coming


async def test_an_agent_that_opens_the_stream_and_says_nothing_is_given_up(
    client: AgentClient, agent: FakeAgent
) -> None:
    over = asyncio.Event()

    async def silent(_socket: web.WebSocketResponse) -> None:
        await over.wait()

    agent.stream_script = silent
    async with client.transport.websocket("stream") as socket:
        with pytest.raises(NoAnswer):
            await StreamSession(socket, json.loads).hello(within_s=0.05)
        over.set()


@pytest.mark.usefixtures("agent")
async def test_a_stream_that_ends_before_the_subscription_is_a_loss(client: AgentClient) -> None:
    async with client.transport.websocket("stream") as socket:
        session = StreamSession(socket, json.loads)
        await session.hello()
        await socket.close()
        with pytest.raises(CannotConnect):
            await session.subscribe(Subscribe())
