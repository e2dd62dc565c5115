"""A small real file system, in a mount namespace where only those see it who are told."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.harness.agent import CHECKOUT
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

_SCRIPT = (
    'truncate -s "$2" "$1.img" && busybox mke2fs -F "$1.img" && mkdir -p "$1" && '
    'mount -o loop "$1.img" "$1" && echo mounted && exec sleep 3600'
)


class LoopMount:
    """An ext2 of so many MiB, in a file below `folder`."""

    def __init__(self, folder: Path, *, mib: int) -> None:
        self.path = folder / "disk"
        """Where it is mounted, for those inside."""
        self._log = folder / "disk.log"
        own = ("unshare", "--mount", "--propagation", "private")
        self._holder = LoggedProcess(
            [*own, "sh", "-c", _SCRIPT, "sh", str(self.path), f"{mib}M"],
            log=self._log,
            environment=clean_environment(),
        )

    async def __aenter__(self) -> Self:
        await self._holder.start()
        await wait_until(self._is_mounted, what="the file system to be mounted")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # With the last process inside the namespace the mount ends too.
        await self._holder.kill()

    @property
    def enter(self) -> tuple[str, ...]:
        """The prefix of a command that is to see it."""
        return ("nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", f"--wd={CHECKOUT}")

    @property
    def outside(self) -> Path:
        """The same folder, for those outside."""
        return Path(f"/proc/{self._holder.pid}/root") / self.path.relative_to("/")

    async def remount(self, how: str) -> None:
        """Mount it anew as `ro` or `rw`."""
        command = (*self.enter, "mount", "-o", f"remount,{how}", str(self.path))
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == 0, command

    async def _is_mounted(self) -> bool:
        self._holder.require_running()
        return "mounted" in self._log.read_text()
