"""What every test of the agent gets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.tokens import Tokens
from tests.clock import HandClock
from tests.guards import no_file_left_open, nothing_left_running, unblocked_loop

__all__ = ["no_file_left_open", "nothing_left_running", "unblocked_loop"]

# How long a case takes tells how busy the machine is; the same cases are tried each time.
settings.register_profile("homelab", deadline=None, derandomize=True)
settings.load_profile("homelab")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def resources() -> Resources:
    return Resources()


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/homelab.db"


@pytest.fixture
async def store(store_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(store_url, tmp_path)
    yield store
    await store.close()


@pytest.fixture
def audit(store: Store, clock: HandClock) -> Audit:
    return Audit(store, clock)


@pytest.fixture
def tokens(store: Store, clock: HandClock) -> Tokens:
    return Tokens(store, clock)
