"""A client and the fake agent it talks to."""

from collections.abc import AsyncGenerator

import aiohttp
import pytest

from custom_components.homelab.client import AgentClient, Endpoint
from tests.fakes import wire
from tests.fakes.agent_server import FakeAgent


@pytest.fixture
async def agent(socket_enabled: None) -> AsyncGenerator[FakeAgent]:
    """A fake agent that listens, with one running container."""
    async with FakeAgent() as fake:
        fake.put("engine", "docker", wire.engine())
        fake.put_container("web")
        yield fake


@pytest.fixture
async def session(socket_enabled: None) -> AsyncGenerator[aiohttp.ClientSession]:
    """A session as an application owns it."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def client(agent: FakeAgent, session: aiohttp.ClientSession) -> AgentClient:
    """A client with the right address and token."""
    return AgentClient(session, Endpoint(host="127.0.0.1", port=agent.port), agent.token)
