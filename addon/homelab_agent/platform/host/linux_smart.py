"""Asks the disks how they are, by smartctl, and wakes none of them up for it."""

import asyncio
import re
import shutil
from collections.abc import Sequence

from homelab_agent.platform.host.machine import DiskHealthReading
from homelab_agent.platform.host.smart_report import read_report, unknown
from homelab_agent.platform.logging import get_logger

PROGRAM = "smartctl"
DEADLINE_S = 30.0

_CAN_TELL = re.compile(r"sd[a-z]+|hd[a-z]+|nvme\d+n\d+")
"""Virtual disks and memory cards keep no such record."""

_KILLED_WITHIN_S = 2.0
_MOST_BYTES = 1_000_000
_log = get_logger(__name__)


class SmartReader:
    """Asks one disk after the other; one that keeps smartctl waiting is not asked again by it."""

    def __init__(self, *, program: str = PROGRAM, deadline_s: float = DEADLINE_S) -> None:
        self._program = program
        self._deadline_s = deadline_s
        self._stuck: dict[str, asyncio.subprocess.Process] = {}

    async def read(self, names: Sequence[str]) -> tuple[DiskHealthReading, ...]:
        """Return what they say; nothing where smartctl is not installed."""
        program = await asyncio.to_thread(shutil.which, self._program)
        if program is None:
            return ()
        return tuple(
            [await self._ask(program, name) for name in names if _CAN_TELL.fullmatch(name)]
        )

    async def _ask(self, program: str, name: str) -> DiskHealthReading:
        stuck = self._stuck.get(name)
        if stuck is not None and stuck.returncode is None:
            return unknown(name, "The disk does not answer.")
        self._stuck.pop(name, None)
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *("--json", "--nocheck=standby", "--info", "--health", "--attributes"),
                f"/dev/{name}",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            return unknown(name, f"smartctl cannot be started: {error.strerror}.")
        try:
            async with asyncio.timeout(self._deadline_s):
                output, _ = await process.communicate()
        except TimeoutError:
            _log.warning("disk_does_not_answer", disk=name)
            return unknown(name, "The disk does not answer.")
        finally:
            await self._end(name, process)
        return read_report(name, output[:_MOST_BYTES].decode(errors="replace"))

    async def _end(self, name: str, process: asyncio.subprocess.Process) -> None:
        """Kill what still runs. What waits for a disk inside the kernel cannot even be killed."""
        if process.returncode is not None:
            return
        process.kill()
        self._stuck[name] = process
        try:
            async with asyncio.timeout(_KILLED_WITHIN_S):
                await process.wait()
        except TimeoutError:
            return
