"""A child process that writes to a log file and is never left behind."""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

STOP_S = 60
LOG_TAIL_CHARS = 4000


class ProcessDied(Exception):
    """The process ended before it was ready. The message holds the end of its log."""


class LoggedProcess:
    """One program: started, stopped and started again, with one log file for all of it."""

    def __init__(
        self, command: Sequence[str], *, log: Path, environment: Mapping[str, str]
    ) -> None:
        self.log = log
        self._command = (*_dying_with_us(), *command)
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id of the running program."""
        if self._process is None:
            raise ProcessDied(f"{self._command[-1]} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the program was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the program; its output is appended to the log."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )

    async def stop(self) -> int | None:
        """Ask the program to end, insist after a while; return its exit code."""
        return await self._end(SIGTERM)

    async def kill(self) -> int | None:
        """End the program at once, without a word to it."""
        return await self._end(SIGKILL)

    def require_running(self) -> None:
        """Raise `ProcessDied` with the end of the log when the program has ended."""
        if not self.running:
            raise ProcessDied(f"{' '.join(self._command)} ended:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """Return the end of the log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return text[-LOG_TAIL_CHARS:]

    async def _end(self, signal: Signals) -> int | None:
        process = self._process
        if process is None:
            return None
        if process.returncode is None:
            process.send_signal(signal)
        try:
            return await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            return await process.wait()


def clean_environment(**more: str) -> dict[str, str]:
    """Return our environment without what would change the programs under test, and with `more`."""
    # UV_PYTHON would lead Home Assistant's installer away from its own environment.
    dropped = ("HOMELAB_", "UV_", "SUPERVISOR", "VIRTUAL_ENV", "PYTEST_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | more


def _dying_with_us() -> tuple[str, ...]:
    """Return the prefix that ends the child with a parent that was killed, where there is one."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL") if setpriv else ()
