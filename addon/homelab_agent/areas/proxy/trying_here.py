"""`caddy validate` of a Caddy that is installed beside the agent: no shell, no environment."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import override

from homelab_agent.areas.proxy.dry_run import KEEP_BYTES, VALIDATE, Trial, Verdict
from homelab_agent.platform.errors import TimedOut

DEADLINE_S = 30.0

_CHUNK_BYTES = 64 * 1024


class CaddyHere(Trial):
    """Runs the program in a folder of its own, which is gone afterwards."""

    def __init__(self, program: str = "caddy", *, deadline_s: float = DEADLINE_S) -> None:
        self._program = program
        self._deadline_s = deadline_s

    @override
    async def validate(self, text: bytes) -> Verdict:
        """Return what it says; `TimedOut` where it did not come to an end."""
        program = await asyncio.to_thread(shutil.which, self._program)
        if program is None:
            return Verdict(None, "No Caddy is installed where the agent runs.")
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="homelab-proxy-"))
        try:
            return await self._run(program, folder, text)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, True)

    async def _run(self, program: str, folder: Path, text: bytes) -> Verdict:
        process = await asyncio.create_subprocess_exec(
            program,
            *VALIDATE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={"HOME": str(folder)},
            cwd=folder,
            start_new_session=True,
        )
        if process.stdin is None or process.stderr is None:
            raise ValueError("the process was started without pipes")
        try:
            async with asyncio.timeout(self._deadline_s):
                process.stdin.write(text)
                process.stdin.close()
                said = bytearray()
                while chunk := await process.stderr.read(_CHUNK_BYTES):
                    said = (said + chunk)[-KEEP_BYTES:]
                return Verdict(await process.wait(), said.decode(errors="replace"))
        except TimeoutError:
            raise TimedOut(
                f"caddy validate did not end within {self._deadline_s:g} s.",
                hint="Look at the load of the machine that the agent runs on.",
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())
