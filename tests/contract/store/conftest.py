"""Every test here runs on both databases."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from secrets import token_hex

import asyncpg
import pytest

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.contract.store import postgres

type NewUrl = Callable[[], Awaitable[str]]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here")
    with postgres.cluster(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> NewUrl:
    """Return what makes a new, empty database and returns its address."""
    if request.param == "sqlite":
        return partial(_new_sqlite, tmp_path)
    return partial(_new_postgres, request.getfixturevalue("postgres_server"))


@pytest.fixture
async def url(new_url: NewUrl) -> str:
    return await new_url()


@pytest.fixture
async def store(url: str, tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(url, tmp_path)
    yield store
    await store.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def resources() -> Resources:
    return Resources()


@pytest.fixture
def audit(store: Store, clock: HandClock) -> Audit:
    return Audit(store, clock)


async def _new_sqlite(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder}/{token_hex(4)}/homelab.db"


async def _new_postgres(server: str) -> str:
    name = f"homelab_{token_hex(4)}"
    connection = await asyncpg.connect(f"{server}/postgres".replace("+asyncpg", ""))
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{server}/{name}"
