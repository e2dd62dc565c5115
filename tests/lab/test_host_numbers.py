"""The agent's figures of the machine beside the kernel's own of the same second, under load.

`pytest -s` prints the table.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

SPIN = "while True: pass"
WRITE = """
import os, sys
block = os.urandom(1 << 20)
while True:
    with open(sys.argv[1], "wb", buffering=0) as file:
        for _ in range(64):
            file.write(block)
            os.fsync(file.fileno())
"""
SECTOR_BYTES = 512
LOOKS = 20
"""What others begin or end on this machine between the agent's look and ours is in one of both."""


@dataclass(frozen=True)
class Kernel:
    """What the kernel tells at one moment."""

    at_s: float
    busy: int
    total: int
    disks: dict[str, tuple[int, int, int]]

    @classmethod
    def now(cls) -> Kernel:
        first = Path("/proc/stat").read_text().partition("\n")[0]
        times = [int(each) for each in first.split()[1:9]]
        rows = [line.split() for line in Path("/proc/diskstats").read_text().splitlines()]
        return cls(
            at_s=monotonic(),
            busy=sum(times) - times[3] - times[4],
            total=sum(times),
            disks={row[2]: (int(row[5]), int(row[9]), int(row[12])) for row in rows},
        )


@dataclass(frozen=True)
class Row:
    """One figure of both, and how far they may be apart: a share, or so much at least."""

    figure: str
    ours: float
    kernel: float
    share: float
    least: float

    @property
    def difference(self) -> float:
        return abs(self.ours - self.kernel)

    @property
    def agrees(self) -> bool:
        return self.difference <= max(abs(self.kernel) * self.share, self.least)


@asynccontextmanager
async def load(folder: Path) -> AsyncIterator[None]:
    """Keep one core and the disk busy."""
    programs = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", SPIN),
        await asyncio.create_subprocess_exec(sys.executable, "-c", WRITE, str(folder / "written")),
    ]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            await program.wait()


def meminfo() -> dict[str, int]:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {
        name: int(rest.split()[0]) * 1024 for name, _, rest in (x.partition(":") for x in lines)
    }


async def df(path: str) -> dict[str, int] | None:
    fields = "size,used,avail,itotal,iused"
    program = await asyncio.create_subprocess_exec(
        *("df", "-B1", f"--output={fields}", path), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await program.communicate()
    if program.returncode:
        return None
    numbers = output.decode().splitlines()[1].split()
    return dict(zip(fields.split(","), map(int, numbers), strict=True))


def show(rows: list[Row]) -> None:
    sys.stdout.write(f"\n{'figure':32} {'agent':>18} {'kernel':>18} {'difference':>14}\n")
    for row in rows:
        sys.stdout.write(
            f"{row.figure:32} {row.ours:18,.1f} {row.kernel:18,.1f} {row.difference:14,.1f}\n"
        )


def rates(stats: dict[str, Any], before: Kernel, after: Kernel) -> list[Row]:
    """Return what is compared over the second between the agent's two looks."""
    busy_percent = 100 * (after.busy - before.busy) / (after.total - before.total)
    elapsed_s = after.at_s - before.at_s
    names = [name for name in after.disks if (Path("/sys/block") / name / "device").exists()]
    read, written = (
        sum(after.disks[name][at] - before.disks[name][at] for name in names)
        * SECTOR_BYTES
        / elapsed_s
        for at in (0, 1)
    )
    return [
        Row("cpu_percent", stats["cpu_percent"], busy_percent, 0.05, 5),
        Row("disk_read_bytes_per_s", stats["disk_read_bytes_per_s"], read, 0.2, 2e6),
        Row("disk_write_bytes_per_s", stats["disk_write_bytes_per_s"], written, 0.2, 5e6),
    ]


def levels(stats: dict[str, Any]) -> list[Row]:
    """Return what is compared as it is now."""
    memory = meminfo()
    load_1m, load_5m, load_15m, *_ = Path("/proc/loadavg").read_text().split()
    pressure = float(Path("/proc/pressure/cpu").read_text().split()[1].partition("=")[2])
    waited = stats["pressure_cpu"]["some_10s_percent"]
    available = memory["MemAvailable"]
    count = sum(folder.name.isdigit() for folder in Path("/proc").iterdir())
    return [
        Row("memory_available_bytes", stats["memory_available_bytes"], available, 0.01, 0),
        Row(
            "memory_used_bytes",
            stats["memory_used_bytes"],
            memory["MemTotal"] - available,
            0.02,
            50e6,
        ),
        Row("load_1m", stats["load_1m"], float(load_1m), 0.1, 0.2),
        Row("load_5m", stats["load_5m"], float(load_5m), 0.1, 0.1),
        Row("load_15m", stats["load_15m"], float(load_15m), 0.1, 0.1),
        Row("pressure_cpu some_10s_percent", waited, pressure, 0.3, 5),
        Row("process_count", stats["process_count"], count, 0, 5),
    ]


async def spaces(disks: dict[str, Any]) -> list[Row]:
    """Return what is compared with `df`: not what others mount and unmount meanwhile."""
    rows: list[Row] = []
    for each in disks["filesystems"]:
        told, place = await df(each["key"]), each["key"]
        if told is None or each["state"] != "ok":
            continue
        percent = 100 * told["used"] / (told["used"] + told["avail"])
        rows += [
            Row(f"{place} size_bytes", each["size_bytes"], told["size"], 0, 0),
            Row(f"{place} used_bytes", each["used_bytes"], told["used"], 0, 300e6),
            Row(f"{place} available_bytes", each["available_bytes"], told["avail"], 0, 300e6),
            Row(f"{place} used_percent", each["used_percent"], percent, 0, 0.3),
            Row(f"{place} inodes", each["inodes"] or 0, told["itotal"], 0, 0),
            Row(f"{place} inodes_used", each["inodes_used"] or 0, told["iused"], 0, 2000),
        ]
    return rows


async def test_the_figures_are_those_of_the_kernel(tmp_path: Path) -> None:
    agent = Agent(
        tmp_path / "agent",
        docker_url=f"unix://{tmp_path}/none.sock",
        settings={"HOMELAB_FILESYSTEM_INTERVAL_S": "5"},
    )
    async with agent, load(tmp_path):
        token = await agent.create_token()
        # The load of the start has to be over, and that of the writing to have begun.
        await agent.get("/api/v1/host/stats", token)
        for _ in range(LOOKS):
            before = Kernel.now()
            report = await agent.get("/api/v1/host/stats", token)
            rows = [*rates(report["stats"], before, Kernel.now()), *levels(report["stats"])]
            rows += await spaces(await agent.get("/api/v1/host/disks", token))
            if all(row.agrees for row in rows):
                break
    show(rows)
    assert any(row.figure == "/ size_bytes" for row in rows)
    assert report["stats"]["cpu_percent"] > 30
    assert report["stats"]["disk_write_bytes_per_s"] > 1e6
    assert [row for row in rows if not row.agrees] == []


async def test_a_process_that_is_busy_is_the_first_of_the_list(tmp_path: Path) -> None:
    agent = Agent(tmp_path / "agent", docker_url=f"unix://{tmp_path}/none.sock")
    async with agent, load(tmp_path):
        token = await agent.create_token()
        path = "/api/v1/host/processes?search=while%20True%3A%20pass"

        async def busy() -> float | None:
            listed = await agent.get(path, token)
            assert listed["view"] == "host"
            (spinning,) = listed["processes"]
            percent: float = spinning["cpu_percent"]
            return percent if percent > 5 else None  # others may have all of a second

        assert await wait_until(busy, what="the busy process to have been at work") <= 105
