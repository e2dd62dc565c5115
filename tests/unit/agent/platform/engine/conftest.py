from collections.abc import AsyncIterator

import pytest

from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.transport import Transport
from tests.fakes.docker_engine import FakeDocker, fake_docker


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as server:
        yield server


@pytest.fixture
async def engine(docker: FakeDocker) -> AsyncIterator[DockerEngine]:
    made = DockerEngine(Transport(docker.url))
    yield made
    await made.close()
