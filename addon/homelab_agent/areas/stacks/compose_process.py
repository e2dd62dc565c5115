"""Runs `docker compose`: no shell, an empty environment, a deadline, bounded output and memory."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, override
from urllib.parse import urlsplit

from homelab_agent.platform.errors import Conflict, Failed, TimedOut, Unavailable

MOST_OUTPUT_BYTES = 16 * 1024 * 1024
MOST_MEMORY_BYTES = 3 * 1024**3
"""Address space, which a Go program reserves far more of than it uses."""

_LONGEST_LINE_BYTES = 256 * 1024
_KEPT_LINES = 50
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_NO_PLUGIN = ("is not a docker command", "unknown flag: --progress", "unknown shorthand flag")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run left: its exit code, what it printed, and the last lines of what it told."""

    code: int
    output: str
    told: tuple[str, ...]


class Process(Protocol):
    """Runs docker compose to its end."""

    async def run(
        self,
        arguments: Sequence[str],
        *,
        deadline_s: float,
        hear: Callable[[str], None] | None = None,
    ) -> Ended:
        """Run `docker compose ARGUMENTS`; `hear` gets each line of what it tells."""


class NoProcess(Process):
    """The demo has no engine that anything could be deployed on, and says so."""

    @override
    async def run(
        self,
        arguments: Sequence[str],
        *,
        deadline_s: float,
        hear: Callable[[str], None] | None = None,
    ) -> Ended:
        raise Conflict(
            "This is the demo: its homelab is invented, and nothing can be deployed there.",
            hint="Run the agent without `demo` on a host with Docker.",
        )


class ComposeProcess(Process):
    """Starts the program for one engine. `config_dir` is an empty folder of ours.

    The environment is empty: nothing of the agent's own can be read as ${...} in a compose text.
    """

    def __init__(self, docker_url: str, config_dir: Path) -> None:
        self._engine = _engine_arguments(docker_url)
        self._config_dir = config_dir

    @override
    async def run(
        self,
        arguments: Sequence[str],
        *,
        deadline_s: float,
        hear: Callable[[str], None] | None = None,
    ) -> Ended:
        """Run `docker compose ARGUMENTS` to its end; `hear` gets each line of what it tells.

        Raises:
            Unavailable: docker or its compose plugin is not installed.
            TimedOut: it did not end in time, and was ended.
            Failed: it printed more than anyone could read.
        """
        async with self._started(arguments) as process:
            try:
                async with asyncio.timeout(deadline_s):
                    output, told = await _read(process, hear)
                    code = await process.wait()
            except TimeoutError:
                raise TimedOut(
                    f"docker compose did not end within {deadline_s:g} s.",
                    hint="Look at the size of the compose text and the load of the host.",
                ) from None
        if code and any(sign in line for sign in _NO_PLUGIN for line in told):
            raise Unavailable(
                "Docker's compose plugin is not installed where the agent runs, or is too old.",
                hint="Install docker-compose-plugin, version 2.30 or newer. The image has it.",
            )
        return Ended(code, output, told)

    @contextlib.asynccontextmanager
    async def _started(self, arguments: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
        program = await asyncio.to_thread(_programs)
        config = ("--config", str(self._config_dir))
        command = (*program, *self._engine, *config, "compose", *arguments)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
            cwd="/",  # it can be read as ${PWD}
            limit=_LONGEST_LINE_BYTES,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            # The plugin is a child of what was started: both go.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())


async def _read(
    process: asyncio.subprocess.Process, hear: Callable[[str], None] | None
) -> tuple[str, tuple[str, ...]]:
    if process.stdout is None or process.stderr is None:
        raise ValueError("the process was started without pipes")
    told: deque[str] = deque(maxlen=_KEPT_LINES)

    async def listen(stream: asyncio.StreamReader) -> None:
        heard = 0
        async for line in _lines(stream):
            heard += len(line)
            _require_bounded(heard)
            told.append(line)
            if hear:
                hear(line)

    async with _first_error() as group:
        printed = group.create_task(_all(process.stdout))
        group.create_task(listen(process.stderr))
    return printed.result(), tuple(told)


@contextlib.asynccontextmanager
async def _first_error() -> AsyncIterator[asyncio.TaskGroup]:
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except* Failed as errors:
        raise errors.exceptions[0] from None


async def _all(stream: asyncio.StreamReader) -> str:
    printed = bytearray()
    while chunk := await stream.read(65536):
        printed += chunk
        _require_bounded(len(printed))
    return printed.decode(errors="replace")


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than the limit: what was read of it is gone
            continue
        if not line:
            return
        yield line.decode(errors="replace").rstrip("\n")


def _require_bounded(size: int) -> None:
    if size > MOST_OUTPUT_BYTES:
        raise Failed("docker compose printed more than 16 MiB; it was ended.")


def _programs() -> tuple[str, ...]:
    """Return docker, after what bounds its memory and ends it should the agent be killed."""
    missing = "util-linux is not installed where the agent runs."
    return (
        _program("prlimit", missing),
        f"--as={MOST_MEMORY_BYTES}",
        _program("setpriv", missing),
        *("--pdeathsig", "KILL", "--"),
        _program("docker", "The docker command is not installed where the agent runs."),
    )


def _program(name: str, otherwise: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Unavailable(
            f"{otherwise} Stacks cannot be deployed without it.",
            hint="Install docker-cli, docker-compose-plugin and util-linux. The image has them.",
        )
    return found


def _engine_arguments(docker_url: str) -> tuple[str, ...]:
    parts = urlsplit(docker_url)
    if parts.scheme == "http":
        return ("--host", f"tcp://{parts.netloc}")
    if parts.scheme == "https":
        return (
            "--host",
            f"tcp://{parts.netloc}",
            "--tlsverify",
            "--tlscacert",
            str(_AUTHORITIES),
        )
    return ("--host", docker_url)
