"""What every test around a real Caddy gets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.proxy.bench import ProxyBench, proxy_bench, upstream
from tests.harness.caddy import Caddy


@pytest.fixture
async def caddy(tmp_path: Path) -> AsyncIterator[Caddy]:
    async with Caddy(tmp_path / "caddy") as caddy:
        yield caddy


@pytest.fixture
async def bench(tmp_path: Path, caddy: Caddy) -> AsyncIterator[ProxyBench]:
    async with proxy_bench(tmp_path / "agent", caddy.admin) as bench:
        yield bench


@pytest.fixture
async def app() -> AsyncIterator[str]:
    async with upstream() as address:
        yield address
