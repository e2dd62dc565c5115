"""The real world, made once for all lab tests of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.harness.docker import SOCKET
from tests.lab.world import World, open_world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_world(tmp_path_factory.mktemp("world"), SOCKET) as world:
        yield world
