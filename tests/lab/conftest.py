"""The real world, made once for all lab tests of a module."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.home_assistant import HomeAssistant
from tests.lab.network import PrivateNetwork
from tests.lab.world import World

AGENT_PORT = 8099


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    async with AsyncExitStack() as stack:
        docker = await stack.enter_async_context(Docker())
        network = await stack.enter_async_context(PrivateNetwork())
        agent = await stack.enter_async_context(
            Agent(
                folder / "agent",
                listen=f"{network.inner_address}:{AGENT_PORT}",
                prefix=network.prefix,
                settings={"HOMELAB_NAME": "Lab"},
            )
        )
        home = await stack.enter_async_context(HomeAssistant(folder / "home-assistant"))
        token = await agent.create_token("home-assistant")
        await home.api.add_homelab(agent.host, agent.port, token, ssl=False)
        health = await agent.get("/api/v1/health")
        yield World(docker, agent, home, network, health["instance_id"])
