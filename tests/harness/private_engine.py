"""A Docker engine of the caller's own: to be measured, killed or filled without harm to others."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import ClientError

from tests.harness.docker import SOCKET, Docker, DockerRefused
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

START_S = 60


class PrivateEngine:
    """dockerd with its own containerd, data, socket and network, which leads nowhere.

    `registries`: it is in the lab's network instead, with a bridge of its own, and reaches the
    registries there. `disk_mib`: all it may keep. `options` are further ones of dockerd.
    """

    def __init__(
        self, *, registries: bool = False, disk_mib: int | None = None, options: Sequence[str] = ()
    ) -> None:
        # Docker refuses sockets with long paths.
        self.folder = Path(tempfile.mkdtemp(prefix="pe-", dir="/tmp"))
        self.socket = str(self.folder / "docker.sock")
        self.data = self.folder / "data"
        self._registries = registries
        self._disk_mib = disk_mib
        self._bridge = f"pe{secrets.token_hex(4)}"
        self._process = LoggedProcess(
            [
                # Not with --bridge=none: that takes the default bridge of every engine away.
                *(("dockerd", "--bridge", self._bridge) if registries else _alone("dockerd")),
                *("--host", f"unix://{self.socket}"),
                *("--data-root", str(self.data)),
                *("--exec-root", str(self.folder / "exec")),
                *("--pidfile", str(self.folder / "docker.pid")),
                "--iptables=false",
                "--ip6tables=false",
                # A copy of every layer is slower, but works on every file system.
                *("--storage-driver", "vfs"),
                *options,
            ],
            log=self.folder / "dockerd.log",
            environment=clean_environment(),
        )

    async def __aenter__(self) -> Self:
        if self._registries:
            subnet = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(200)}.1/24"
            await _run("ip", "link", "add", self._bridge, "type", "bridge")
            await _run("ip", "address", "add", subnet, "dev", self._bridge)
        if self._disk_mib:
            self.data.mkdir()
            size = f"size={self._disk_mib}m"
            await _run("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(self.data))
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._process.stop()
        if self._registries:
            await _run("ip", "link", "delete", self._bridge)
        await self._unmount()
        await asyncio.to_thread(shutil.rmtree, self.folder, True)

    @property
    def pid(self) -> int:
        """The process id of dockerd."""
        return self._process.pid

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of dockerd and of its containerd."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/children")
        children = (child for thread in threads for child in thread.read_text().split())
        return (self.pid, *map(int, children))

    @property
    def url(self) -> str:
        """Where an agent finds it."""
        return f"unix://{self.socket}"

    @property
    def free_mib(self) -> int:
        """How much it may still keep."""
        return shutil.disk_usage(self.data).free // 2**20

    async def start(self) -> None:
        """Start it (again) and wait until it answers."""
        await self._process.start()
        await wait_until(self._answers, what="the private engine", within_s=START_S)

    async def stop(self) -> None:
        """End it in its own good way, and its containers with it."""
        await self._process.stop()

    async def kill(self) -> None:
        """End it as a power cut would; its containers may outlive it until it starts again."""
        await self._process.kill()
        # The files that it and its containerd leave behind would be believed by the next one.
        (self.folder / "docker.pid").unlink(missing_ok=True)
        (self.folder / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    async def copy_image(self, name: str) -> None:
        """Take over an image from the lab's engine."""
        for command in (
            ("docker", "--host", f"unix://{SOCKET}", "save", "--output", self._archive, name),
            ("docker", "--host", self.url, "load", "--input", self._archive),
        ):
            await _run(*command)

    async def _unmount(self) -> None:
        """Unmount what dockerd leaves mounted: its data folder onto itself, at least."""
        for point in self._mounts():
            process = await asyncio.create_subprocess_exec("umount", "--lazy", point)
            await process.wait()

    def _mounts(self) -> list[str]:
        """Return what is mounted below the folder, the deepest first."""
        rows = Path("/proc/self/mounts").read_text().splitlines()
        points = (row.split()[1] for row in rows)
        return sorted((each for each in points if each.startswith(f"{self.folder}/")), reverse=True)

    @property
    def _archive(self) -> str:
        return str(self.folder / "image.tar")

    async def _answers(self) -> bool:
        self._process.require_running()
        async with Docker(self.socket) as docker:
            try:
                await docker.version()
            except ClientError, DockerRefused:
                return False
        return True


def _alone(program: str) -> tuple[str, ...]:
    return ("unshare", "--net", program)


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise DockerRefused(f"{' '.join(command)}: {said.decode().strip()}")
