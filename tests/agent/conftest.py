"""A real agent in a process of its own, on its invented homelab."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from custom_components.homelab.client import AgentClient, Endpoint
from tests.harness.agent import Agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Agent]:
    async with Agent(tmp_path_factory.mktemp("agent"), demo=True) as agent:
        yield agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def token(agent: Agent) -> str:
    return await agent.create_token("tests")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture(scope="module")
def client(agent: Agent, token: str, session: ClientSession) -> AgentClient:
    return AgentClient(session, Endpoint(host=agent.host, port=agent.port), token)
