"""The agent is killed (SIGKILL) in the middle of each step of a three-step job, and comes back."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
PYTHON = CHECKOUT / "addon" / ".venv" / "bin" / "python"
PROGRAM = Path(__file__).parent / "three_step" / "program.py"
STEPS = ("1", "2", "3")
WHOLE = dict.fromkeys(STEPS, "whole")


class ThreeStepAgent:
    """The program in its folder, through as many lives as a test needs."""

    def __init__(self, folder: Path, recovery: str) -> None:
        self._folder = folder
        self._recovery = recovery
        self._process: LoggedProcess | None = None

    async def live(self, *arguments: str) -> None:
        """Begin a life."""
        self._process = LoggedProcess(
            [str(PYTHON), str(PROGRAM), str(self._folder), self._recovery, *arguments],
            log=self._folder / "log",
            environment=clean_environment(PYTHONPATH=str(CHECKOUT / "addon")),
        )
        await self._process.start()

    async def killed_in(self, where: str, *arguments: str) -> None:
        """Live until the middle of `where`, then be killed."""
        process = await self._in_the_middle_of(where, *arguments)
        assert await process.kill() == -SIGKILL

    async def told_to_end_in(self, where: str, *arguments: str) -> None:
        """Live until the middle of `where`, then be asked to end."""
        process = await self._in_the_middle_of(where, *arguments)
        assert await process.stop() == 0

    async def ended(self) -> dict[str, Any]:
        """Return the job at its end."""
        job: dict[str, Any] = json.loads((await self._file("ended.json")).read_text())
        return job

    async def close(self) -> None:
        """End the last life in its good way."""
        if self._process:
            await self._process.stop()

    def let_fail(self, step: str) -> None:
        """Make a step fail in its middle."""
        (self._folder / f"fail-{step}").touch()

    def marks(self) -> dict[str, str]:
        """Return what the steps left in the world."""
        return {path.name: path.read_text() for path in (self._folder / "marks").iterdir()}

    def audited(self) -> list[tuple[str, ...]]:
        """Return the activity."""
        with closing(sqlite3.connect(self._folder / "homelab.db")) as connection:
            return connection.execute(
                "SELECT caller, action, target, outcome, code, job_id FROM activity"
            ).fetchall()

    async def _in_the_middle_of(self, where: str, *arguments: str) -> LoggedProcess:
        hold, reached = self._folder / f"hold-{where}", self._folder / f"reached-{where}"
        hold.touch()
        reached.unlink(missing_ok=True)
        await self.live(*arguments)
        await self._file(reached.name)
        hold.unlink()
        assert self._process
        return self._process

    async def _file(self, name: str) -> Path:
        path = self._folder / name

        async def there() -> Path | None:
            assert self._process
            self._process.require_running()
            return path if path.exists() else None

        return await wait_until(there, what=name)


@pytest.fixture
async def going_on(tmp_path: Path) -> AsyncIterator[ThreeStepAgent]:
    agent = ThreeStepAgent(tmp_path, "GO_ON")
    yield agent
    await agent.close()


@pytest.fixture
async def undoing(tmp_path: Path) -> AsyncIterator[ThreeStepAgent]:
    agent = ThreeStepAgent(tmp_path, "UNDO")
    yield agent
    await agent.close()


@pytest.mark.parametrize("step", STEPS)
async def test_a_job_that_goes_on_is_wholly_done_wherever_the_agent_was_killed(
    going_on: ThreeStepAgent, step: str
) -> None:
    await going_on.killed_in(f"do-{step}", "start")
    assert going_on.marks()[step] == "half"
    assert going_on.audited() == []

    await going_on.live()
    job = await going_on.ended()

    assert going_on.marks() == WHOLE
    assert (job["state"], job["outcome"], job["error"]) == ("finished", "done", None)
    assert [state["state"] for state in job["steps"]] == ["done"] * 3
    assert going_on.audited() == [("phone", "test.three_steps", "web", "done", None, job["id"])]


@pytest.mark.parametrize("step", STEPS)
async def test_a_job_that_is_undone_is_wholly_undone_wherever_the_agent_was_killed(
    undoing: ThreeStepAgent, step: str
) -> None:
    await undoing.killed_in(f"do-{step}", "start")
    assert undoing.marks()[step] == "half"

    await undoing.live()
    job = await undoing.ended()

    assert undoing.marks() == {}
    assert (job["outcome"], job["error"]["code"]) == ("undone", "interrupted")
    assert undoing.audited() == [
        ("phone", "test.three_steps", "web", "undone", "interrupted", job["id"])
    ]


@pytest.mark.parametrize("recovery", ["GO_ON", "UNDO"])
@pytest.mark.parametrize("step", STEPS)
async def test_undoing_comes_to_its_end_wherever_the_agent_was_killed(
    tmp_path: Path, step: str, recovery: str
) -> None:
    agent = ThreeStepAgent(tmp_path, recovery)
    agent.let_fail("3")
    await agent.killed_in(f"undo-{step}", "start")
    assert agent.marks()[step] == "half"

    await agent.live()
    job = await agent.ended()
    await agent.close()

    assert agent.marks() == {}
    assert (job["outcome"], job["error"]["message"]) == ("undone", "step 3 was told to fail")
    assert agent.audited() == [
        ("phone", "test.three_steps", "web", "undone", "conflict", job["id"])
    ]


async def test_a_job_survives_being_killed_again_and_again(going_on: ThreeStepAgent) -> None:
    await going_on.killed_in("do-1", "start")
    for where in ("do-1", "do-2", "do-3"):
        await going_on.killed_in(where)

    await going_on.live()
    job = await going_on.ended()

    assert going_on.marks() == WHOLE
    assert job["outcome"] == "done"
    assert len(going_on.audited()) == 1


async def test_an_agent_that_is_told_to_end_leaves_the_job_for_its_next_life(
    going_on: ThreeStepAgent,
) -> None:
    await going_on.told_to_end_in("do-2", "start")
    assert going_on.audited() == []

    await going_on.live()
    assert (await going_on.ended())["outcome"] == "done"
    assert going_on.marks() == WHOLE
