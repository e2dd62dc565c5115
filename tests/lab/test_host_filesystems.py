"""File systems that hang, come back and vanish under a running agent: real ones, made by us."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

from tests.harness.agent import CHECKOUT, Agent
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

SERVER = CHECKOUT / "tests" / "fakes" / "fuse_filesystem.py"
ANSWER_S = 40
"""Longer than the agent waits for a file system, much shorter than for ever."""


class Mounted:
    """A file system of ours, in a mount namespace where nobody else sees it."""

    def __init__(self, folder: Path, name: str, mode: str, prefix: tuple[str, ...]) -> None:
        self.path = folder / name
        self._log = folder / f"{name}.log"
        self._mode = mode
        self._prefix = prefix
        self._server = LoggedProcess([], log=self._log, environment={})

    @property
    def enter(self) -> tuple[str, ...]:
        """The prefix of a command that is to see it."""
        return ("nsenter", f"--mount=/proc/{self._server.pid}/ns/mnt", f"--wd={CHECKOUT}")

    async def mount(self) -> None:
        self.path.mkdir(exist_ok=True)
        self._log.unlink(missing_ok=True)
        command = [*self._prefix, sys.executable, str(SERVER), str(self.path), self._mode]
        self._server = LoggedProcess(command, log=self._log, environment=clean_environment())
        await self._server.start()
        await wait_until(self._is_mounted, what=f"{self.path.name} to be mounted")

    def answer(self) -> None:
        os.kill(self._server.pid, signal.SIGUSR1)

    def unmount(self) -> None:
        os.kill(self._server.pid, signal.SIGUSR2)

    async def close(self) -> None:
        await self._server.kill()

    async def _is_mounted(self) -> bool:
        self._server.require_running()
        return "mounted" in self._log.read_text()


@asynccontextmanager
async def a_world(folder: Path, second: str) -> AsyncIterator[tuple[Agent, Mounted, Mounted]]:
    """Yield an agent that sees a file system that answers, and one that does as `second`."""
    own = ("unshare", "--mount", "--propagation", "private")
    async with AsyncExitStack() as stack:
        good = Mounted(folder, "good", "answers", own)
        await good.mount()
        stack.push_async_callback(good.close)
        other = Mounted(folder, "other", second, good.enter)
        await other.mount()
        stack.push_async_callback(other.close)
        agent = Agent(
            folder / "agent",
            docker_url=f"unix://{folder}/none.sock",
            prefix=good.enter,
            settings={"HOMELAB_FILESYSTEM_INTERVAL_S": "5"},
        )
        yield await stack.enter_async_context(agent), good, other


async def filesystem(agent: Agent, token: str, path: Path) -> dict[str, Any]:
    report = await agent.get("/api/v1/host/disks", token)
    found = [each for each in report["filesystems"] if each["key"] == str(path)]
    assert len(found) == 1, report["filesystems"]
    return dict(found[0])


async def wait_for_state(agent: Agent, token: str, path: Path, state: str) -> dict[str, Any]:
    async def check() -> dict[str, Any] | None:
        found = await filesystem(agent, token, path)
        return found if found["state"] == state else None

    return await wait_until(check, what=f"{path.name} to be {state}")


def threads_that_ask(agent: Agent) -> int:
    count = 0
    for comm in Path(f"/proc/{agent.pid}/task").glob("*/comm"):
        with suppress(OSError):  # it has ended meanwhile
            count += comm.read_text().startswith("statvfs")
    return count


async def test_a_file_system_that_hangs_delays_nothing_and_is_told_and_recovers(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path, "hangs") as (agent, good, other):
        token = await agent.create_token()
        began = monotonic()
        hanging = await wait_for_state(agent, token, other.path, "hanging")
        assert monotonic() - began < ANSWER_S
        assert hanging["reason"].startswith("It has not answered since ")
        assert hanging["size_bytes"] is None

        first = await filesystem(agent, token, good.path)
        assert first["state"] == "ok"
        assert first["size_bytes"] == 1_000_000_000

        # The others are measured on, a second question is never put to the one that hangs.
        async def measured_again() -> bool:
            now = await filesystem(agent, token, good.path)
            return bool(now["used_bytes"] >= first["used_bytes"] + 2_000_000)

        await wait_until(measured_again, what="two more measurements of the good one")

        async def one_asks() -> bool:  # beside those that get their answer just now
            return threads_that_ask(agent) == 1

        await wait_until(one_asks, what="a single question that waits")
        began = monotonic()
        stats = await agent.get("/api/v1/host/stats", token)
        assert stats["stats"]["cpu_percent"] is not None
        assert monotonic() - began < ANSWER_S

        other.answer()
        recovered = await wait_for_state(agent, token, other.path, "ok")
        assert recovered["reason"] is None
        assert recovered["size_bytes"] == 1_000_000_000


async def test_an_agent_ends_at_once_although_a_file_system_hangs(tmp_path: Path) -> None:
    async with a_world(tmp_path, "hangs") as (agent, _, other):
        token = await agent.create_token()
        await wait_for_state(agent, token, other.path, "hanging")
        began = monotonic()
        assert await agent.stop() == 0
        assert monotonic() - began < ANSWER_S


async def test_a_file_system_that_vanishes_is_missed_and_found_again(tmp_path: Path) -> None:
    async with a_world(tmp_path, "answers") as (agent, good, other):
        token = await agent.create_token()
        there = await wait_for_state(agent, token, other.path, "ok")
        other.unmount()
        gone = await wait_for_state(agent, token, other.path, "gone")
        assert gone["reason"] == "It was mounted before and is not now."
        assert gone["size_bytes"] == there["size_bytes"]
        assert gone["used_bytes"] is None
        assert (await filesystem(agent, token, good.path))["state"] == "ok"
        await other.close()
        await other.mount()
        assert (await wait_for_state(agent, token, other.path, "ok"))["reason"] is None
