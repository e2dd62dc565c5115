"""What every test of renewal gets."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.unit.agent.areas.renewal.desk import Desk, open_desk


@pytest.fixture
def clock() -> HandClock:
    clock = HandClock()
    # Certificates are judged by OpenSSL too, which has its own idea of today.
    clock.now = datetime.now(UTC)
    return clock


@pytest.fixture
async def desk(store: Store, tmp_path: Path, clock: HandClock) -> AsyncIterator[Desk]:
    async with open_desk(store, tmp_path, clock) as desk:
        yield desk
