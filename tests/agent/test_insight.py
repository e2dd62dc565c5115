"""What is about to go wrong, from a real agent."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def first_report(agent: Agent, token: str) -> dict[str, Any]:
    """Return the report as soon as there is something in it."""

    async def look() -> dict[str, Any] | None:
        report = await agent.get("/api/v1/insight", token)
        is_whole = "/mnt/nas" in {each["key"] for each in report["forecasts"]}
        return report if is_whole and len(report["findings"]) > 1 else None

    return await wait_until(look, what="forecasts and findings", within_s=50)


async def test_the_demo_shows_within_a_minute_what_a_person_would_want_to_know(
    agent: Agent, token: str
) -> None:
    report = await first_report(agent, token)

    forecasts = {each["key"]: each for each in report["forecasts"]}
    assert forecasts["/mnt/media"]["growth_bytes_per_day"] == pytest.approx(20e9, rel=0.05)
    assert forecasts["/boot/efi"]["reason"] == "It does not grow."
    types = [each["type"] for each in report["findings"]]
    assert {"disk_failing", "memory_leak"} <= set(types)
    severities = [each["severity"] for each in report["findings"]]
    assert severities == sorted(severities, key=("critical", "warning", "notice").index)
    assert all(each["message"] and each["evidence"] for each in report["findings"])


async def test_an_agent_that_is_killed_again_and_again_keeps_a_whole_history(
    tmp_path: Path,
) -> None:
    agent = Agent(tmp_path / "agent", demo=True)
    try:
        since = set()
        for _ in range(3):
            await agent.start()
            token = await agent.create_token("test", "read")
            report = await first_report(agent, token)
            since.add(next(f["since"] for f in report["findings"] if f["type"] == "disk_failing"))
            await wait_until(lambda: _saved(agent), what="a saved history")
            await agent.kill()
            assert _samples(agent) > 1000
            await agent.command("token", "revoke", "test")
        assert len(since) == 1, "a finding is as old as it is, whoever was killed meanwhile"
    finally:
        await agent.stop()


def _samples(agent: Agent) -> int:
    with closing(sqlite3.connect(agent.data_dir / "homelab.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (doubled,) = database.execute(
            "SELECT count(*) FROM (SELECT 1 FROM sample GROUP BY series, at_ms HAVING count(*) > 1)"
        ).fetchone()
        assert doubled == 0
        (count,) = database.execute("SELECT count(*) FROM sample").fetchone()
        return int(count)


async def _saved(agent: Agent) -> bool:
    with closing(sqlite3.connect(agent.data_dir / "homelab.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM finding").fetchone()
        return bool(count) and bool(database.execute("SELECT count(*) FROM sample").fetchone()[0])
