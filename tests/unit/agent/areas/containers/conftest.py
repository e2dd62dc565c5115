from collections.abc import AsyncIterator

import pytest

from tests.fakes.docker_engine import FakeDocker, fake_docker
from tests.fakes.watched import Watched, watched


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as server:
        yield server


@pytest.fixture
async def live(docker: FakeDocker) -> AsyncIterator[Watched]:
    async with watched(docker.url) as made:
        yield made
