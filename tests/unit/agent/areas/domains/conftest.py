"""What every test of domains gets."""

from collections.abc import AsyncIterator

import pytest

from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.unit.agent.areas.domains.one_house import OneHouse, one_house


@pytest.fixture
async def house(store: Store, clock: HandClock) -> AsyncIterator[OneHouse]:
    async with one_house(store, clock) as house:
        yield house
