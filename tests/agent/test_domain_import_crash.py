"""An import that a power cut comes between has happened wholly, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import ClientError

from tests.harness.agent import Agent

pytestmark = pytest.mark.timeout(480)

DOMAINS = 1500
HEAD = "name,service_type,record_type,ttl_s,value\r\n"
TEXT = HEAD + "".join(
    f"n{number:04}.example.com,other,A,60,192.0.2.{number % 250}\r\n" for number in range(DOMAINS)
)
BODY = {"format": "csv", "text": TEXT}


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    async with Agent(tmp_path, demo=True) as agent:
        yield agent


async def counts(agent: Agent, token: str) -> tuple[int, int]:
    """Return how many of the imported domains there are, and how many have a history."""
    _, page = await agent.ask("GET", "/domains?text=example.com&limit=1", token=token)
    histories = 0
    for number in (0, DOMAINS // 2, DOMAINS - 1):
        status, _ = await agent.ask("GET", f"/domains/n{number:04}.example.com/events", token=token)
        histories += status == 200
    return page["total"], histories


async def test_a_killed_agent_has_imported_all_or_nothing(agent: Agent) -> None:
    token = await agent.create_token()
    log = agent.data_dir / "homelab.db-wal"
    seen = set()
    for further_bytes in (0, 1, 400_000, 800_000):
        _, plan = await agent.ask("POST", "/domains/import", BODY, token=token)
        before = log.stat().st_size
        body = {**BODY, "plan_hash": plan["hash"]}
        asked = asyncio.create_task(agent.ask("POST", "/domains/import", body, token=token))
        # The later it is killed the more of the transaction is on the disk.
        while not asked.done() and log.stat().st_size < before + further_bytes:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await agent.kill()
        with suppress(ClientError):
            await asked
        await agent.start()
        found = await counts(agent, token)
        assert found in {(0, 0), (DOMAINS, 3)}
        seen.add(found)
        if found[0]:
            break
    assert (0, 0) in seen


async def test_an_import_that_nobody_disturbs_is_there_after_a_power_cut(agent: Agent) -> None:
    token = await agent.create_token()
    _, plan = await agent.ask("POST", "/domains/import", BODY, token=token)
    assert len(plan["changes"]) == DOMAINS
    body = {**BODY, "plan_hash": plan["hash"]}
    status, done = await agent.ask("POST", "/domains/import", body, token=token)
    assert (status, done["applied"]) == (200, True)
    await agent.kill()
    await agent.start()
    assert await counts(agent, token) == (DOMAINS, 3)
