"""What providers are made of."""

from collections.abc import AsyncIterator

import pytest

from homelab_agent.areas.dns.providers.reach import Reach
from tests.fakes.dns_providers.reach import open_reach


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    async with open_reach() as reach:
        yield reach
