"""Trying a route with `caddy validate`, where a Caddy is at hand: no shell, no environment."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from homelab_agent.areas.proxy.caddy_errors import CaddyRefuses
from homelab_agent.areas.proxy.kept import PlacedRoute
from homelab_agent.platform.errors import TimedOut

DEADLINE_S = 30.0

_CHUNK_BYTES = 64 * 1024
_MOST_BYTES = 256 * 1024
_LONGEST_SAID = 1000


class DryRun:
    """Runs `caddy validate` on the agent's own parts only: another Caddy may have more modules.

    It makes every module of the configuration, but listens nowhere and orders nothing.
    """

    def __init__(self, program: str = "caddy", *, deadline_s: float = DEADLINE_S) -> None:
        self._program = program
        self._deadline_s = deadline_s

    async def try_routes(self, routes: Sequence[PlacedRoute]) -> bool:
        """Return whether they could be tried, and stood it.

        Raises:
            CaddyRefuses: Caddy does not take them, in its own words.
            TimedOut: it did not come to an end.
        """
        if not routes:
            return False
        program = await asyncio.to_thread(shutil.which, self._program)
        if program is None:
            return False
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="homelab-proxy-"))
        try:
            file = folder / "caddy.json"
            text = json.dumps(_minimal(routes))
            await asyncio.to_thread(file.write_text, text, encoding="utf-8")
            code, said = await self._run(program, folder, file)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, True)
        if code:
            raise CaddyRefuses(f"Caddy does not take this route: {_last_error(said)}")
        return True

    async def _run(self, program: str, folder: Path, file: Path) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            program,
            *("validate", "--config", str(file)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={"HOME": str(folder)},
            cwd=folder,
            start_new_session=True,
        )
        if process.stderr is None:
            raise ValueError("the process was started without a pipe")
        try:
            async with asyncio.timeout(self._deadline_s):
                said = bytearray()
                while chunk := await process.stderr.read(_CHUNK_BYTES):
                    said = (said + chunk)[-_MOST_BYTES:]
                return await process.wait(), said.decode(errors="replace")
        except TimeoutError:
            raise TimedOut(
                f"caddy validate did not end within {self._deadline_s:g} s.",
                hint="Look at the load of the machine that the agent runs on.",
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())


def _minimal(routes: Sequence[PlacedRoute]) -> JsonValue:
    servers: dict[str, JsonValue] = {
        each.server: {
            "listen": [each.listen or ":443"],
            "routes": [each.route],
            "automatic_https": {"disable": True},
        }
        for each in routes
    }
    return {"admin": {"disabled": True}, "apps": {"http": {"servers": servers}}}


def _last_error(said: str) -> str:
    """Return the last line of what Caddy said: the reason."""
    lines = [each for each in said.splitlines() if each.strip()]
    return lines[-1].removeprefix("Error: ")[:_LONGEST_SAID] if lines else "it said nothing more"
