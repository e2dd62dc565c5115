"""Provisioning on a real journal."""

from collections.abc import AsyncIterator

import pytest

from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.provisioning_bench import Bench


@pytest.fixture
async def bench(store: Store, resources: Resources, clock: HandClock) -> AsyncIterator[Bench]:
    made = Bench(store, resources, clock)
    yield made
    await made.runner.close(grace_s=0.5)
