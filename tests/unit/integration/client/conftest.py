"""A client and the fake agent it talks to."""

from collections.abc import AsyncGenerator

import aiohttp
import pytest

from custom_components.homelab.client import AgentClient, Endpoint
from tests.fakes import wire
from tests.fakes.agent_server import FakeAgent


@pytest.fixture(name="_sockets")
def allow_sockets(socket_enabled: None) -> None:
    """Let this test open sockets to this machine, which the harness forbids otherwise."""
    assert socket_enabled is None


@pytest.fixture
async def agent(_sockets: None) -> AsyncGenerator[FakeAgent]:
    """A fake agent that listens, with one running container."""
    async with FakeAgent() as fake:
        fake.put("engine", "docker", wire.engine())
        fake.put_container("web")
        yield fake


@pytest.fixture
async def session(_sockets: None) -> AsyncGenerator[aiohttp.ClientSession]:
    """A session as an application owns it."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def client(agent: FakeAgent, session: aiohttp.ClientSession) -> AgentClient:
    """A client with the right address and token."""
    return AgentClient(session, Endpoint(host="127.0.0.1", port=agent.port), agent.token)
