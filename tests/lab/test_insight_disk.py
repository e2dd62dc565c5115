"""A real disk that gets full or read-only: told within seconds, and no longer than it is so."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.agent import Agent
from tests.harness.loop_mount import LoopMount
from tests.harness.waiting import wait_until

INTERVAL_S = 5
MIB = 1024**2

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def disk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LoopMount]:
    async with LoopMount(tmp_path_factory.mktemp("insight"), mib=64) as disk:
        yield disk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent(disk: LoopMount, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Agent]:
    folder: Path = tmp_path_factory.mktemp("insight-agent")
    settings = {"HOMELAB_FILESYSTEM_INTERVAL_S": str(INTERVAL_S)}
    agent = Agent(
        folder, docker_url=f"unix://{folder}/none.sock", settings=settings, prefix=disk.enter
    )
    async with agent:
        yield agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def token(agent: Agent) -> str:
    return await agent.create_token("tests")


async def findings(agent: Agent, token: str, disk: LoopMount) -> dict[str, dict[str, Any]]:
    """Return what is told of this disk, by type."""
    report = await agent.get("/api/v1/insight", token)
    return {each["type"]: each for each in report["findings"] if each["subject"] == str(disk.path)}


async def told(agent: Agent, token: str, disk: LoopMount, *types: str) -> dict[str, dict[str, Any]]:
    """Wait until exactly these findings are told of the disk, and return them."""

    async def look() -> dict[str, dict[str, Any]] | None:
        found = await findings(agent, token, disk)
        return found if set(found) == set(types) else None

    what = f"the findings {types or 'to be none'}"
    return await wait_until(look, what=what, within_s=12 * INTERVAL_S)


async def test_a_disk_that_is_full_is_told_while_it_is_so(
    agent: Agent, token: str, disk: LoopMount
) -> None:
    await told(agent, token, disk)
    ballast = disk.outside / "ballast"
    space = os.statvfs(disk.outside)
    left = space.f_bavail * space.f_frsize
    ballast.write_bytes(b"\1" * (left - 2 * MIB))
    os.sync()
    found = await told(agent, token, disk, "disk_full")
    assert found["disk_full"]["severity"] == "warning"
    facts = {fact["name"]: fact["value"] for fact in found["disk_full"]["evidence"]}
    space = os.statvfs(disk.outside)
    assert facts["available"] == pytest.approx(space.f_bavail * space.f_frsize, abs=MIB)

    ballast.unlink()
    await told(agent, token, disk)


async def test_a_disk_that_turned_read_only_is_told_while_it_is_so(
    agent: Agent, token: str, disk: LoopMount
) -> None:
    await disk.remount("ro")
    found = await told(agent, token, disk, "filesystem_read_only")
    assert found["filesystem_read_only"]["severity"] == "critical"
    await disk.remount("rw")
    await told(agent, token, disk)


async def test_the_first_forecast_says_how_much_more_has_to_be_seen(
    agent: Agent, token: str, disk: LoopMount
) -> None:
    async def look() -> dict[str, Any] | None:
        report = await agent.get("/api/v1/insight", token)
        found = [each for each in report["forecasts"] if each["key"] == str(disk.path)]
        return found[0] if found else None

    # The first look of all is a minute after the start.
    forecast = await wait_until(look, what="the first forecast", within_s=150)
    assert forecast["days_until_full"] is None
    assert forecast["reason"].startswith("Too little is known yet")
