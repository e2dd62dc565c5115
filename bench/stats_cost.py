"""What statistics cost: processor time of engine and reader per sample, and the time of a sweep.

Side by side in one run, on a Docker engine of its own: ours from control groups, ours by one-shot,
Docker's own two-sample stats, a bare read of the same files, and Glances with its Docker plug-in.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.containers import make_containers
from tests.harness.agent import CHECKOUT
from tests.harness.docker import Docker
from tests.harness.private_engine import PrivateEngine
from tests.harness.processes import LoggedProcess, clean_environment

AGENT_PYTHON = CHECKOUT / "addon" / ".venv" / "bin" / "python"
GLANCES = "glances[containers]==4.5.8"
GLANCES_S = 30
GLANCES_WARM_UP_S = 40
WAYS = {
    "bare_kept": "bare read of the same files, kept open",
    "bare": "bare read of the same files",
    "cgroup": "ours, control groups",
    "one_shot": "ours, one-shot",
    "two_sample": "two-sample stats",
}
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """What one way costs, one entry per round (microseconds per sample, milliseconds per sweep)."""

    reader_us: list[float] = field(default_factory=list)
    engine_us: list[float] = field(default_factory=list)
    sweep_ms: list[float] = field(default_factory=list)

    @property
    def total_us(self) -> float:
        """Engine and reader, the median of the rounds."""
        totals = [a + b for a, b in zip(self.reader_us, self.engine_us, strict=True)]
        return statistics.median(totals)


class EngineGroup:
    """A control group that holds the engine, containerd and shims, and none of the containers."""

    def __init__(self) -> None:
        self.path = Path("/sys/fs/cgroup/cpuacct") / f"homelab-bench-{os.getpid()}"

    def __enter__(self) -> Path:
        self.path.mkdir()
        return self.path

    def __exit__(self, *_: object) -> None:
        self.path.rmdir()


async def run(*command: str | Path) -> str:
    """Run a command and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=CHECKOUT,
        env=clean_environment(PYTHONPATH=f"{CHECKOUT}/addon:{CHECKOUT}"),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return output.decode()


async def read(way: str, engine: PrivateEngine, group: Path, known: Path, sweeps: int) -> Any:
    """Let a reader of its own measure one way."""
    said = await run(
        *(AGENT_PYTHON, "-m", "bench.stats_reader", way, "--url", engine.url),
        *("--containers", str(known), "--group", str(group), "--sweeps", str(sweeps)),
    )
    # What comes before is the agent's own log.
    return json.loads(said.splitlines()[-1])


def note(cost: Cost, answer: Any, containers: int) -> None:
    """Add a round."""
    samples = len(answer["walls_s"]) * containers
    cost.reader_us.append(answer["reader_s"] / samples * 1e6)
    cost.engine_us.append(answer["engine_s"] / samples * 1e6)
    cost.sweep_ms.append(statistics.median(answer["walls_s"]) * 1e3)


def ticks(pid: int) -> int:
    """Return the processor time of a process, in the kernel's ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def engine_ns(group: Path) -> int:
    """Return the processor time of the engine so far."""
    return int((group / "cpuacct.usage").read_text())


async def install_glances(folder: Path) -> Path:
    """Return Glances' program, in an environment of its own."""
    await run("uv", "venv", "--quiet", str(folder))
    await run("uv", "pip", "install", "--quiet", "--python", str(folder / "bin/python"), GLANCES)
    return folder / "bin" / "glances"


async def measure_glances(
    program: Path, engine: PrivateEngine, group: Path, containers: int, folder: Path
) -> Cost:
    """Let Glances watch. It takes a sample of every container each second; that is what counts."""
    environment = clean_environment(DOCKER_HOST=engine.url)
    command = [str(program), "--disable-plugin", "all", "--enable-plugin", "containers"]
    command += ["--stdout", "containers", "--time", "2", "--disable-check-update"]
    glances = LoggedProcess(command, log=folder / "glances.log", environment=environment)
    await glances.start()
    try:
        await asyncio.sleep(GLANCES_WARM_UP_S)
        own, others = ticks(glances.pid), engine_ns(group)
        await asyncio.sleep(GLANCES_S)
        glances.require_running()
        own_s = (ticks(glances.pid) - own) / TICKS_PER_S
        engine_s = (engine_ns(group) - others) / 1e9
    finally:
        await glances.kill()
    samples = containers * GLANCES_S
    return Cost([own_s / samples * 1e6], [engine_s / samples * 1e6], [])


async def measure(
    engine: PrivateEngine, group: Path, containers: int, rounds: int, sweeps: int, glances: Path
) -> dict[str, Cost]:
    """Measure all ways with this many containers."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homelab-bench-")))
        docker = await stack.enter_async_context(Docker(engine.socket))
        ids = await make_containers(docker, containers)
        pids = {each: (await docker.inspect(each))["State"]["Pid"] for each in ids.values()}
        known = folder / "containers.json"
        known.write_text(json.dumps(pids))
        await asyncio.sleep(5)
        costs = {way: Cost() for way in WAYS}
        for _ in range(rounds):
            for way, cost in costs.items():
                # One sweep of two-sample stats lasts as long as many of the others.
                count = max(sweeps // 4, 2) if way == "two_sample" else sweeps
                note(cost, await read(way, engine, group, known, count), containers)
        costs["glances"] = await measure_glances(glances, engine, group, containers, folder)
        print(f"\n{containers} containers")
        report(costs)
        return costs


def report(costs: dict[str, Cost]) -> None:
    """Print a table."""
    print(f"  {'':44}{'reader':>9}{'engine':>9}{'sum':>9}  us per sample{'sweep':>9} ms")
    for way, cost in costs.items():
        name = WAYS.get(way, "Glances, streaming (a sample each second)")
        sweep = f"{statistics.median(cost.sweep_ms):9.1f}" if cost.sweep_ms else " " * 9
        reader, engine = statistics.median(cost.reader_us), statistics.median(cost.engine_us)
        print(f"  {name:44}{reader:9.1f}{engine:9.1f}{cost.total_us:9.1f}{'':15}{sweep}")
    ours, other = costs["cgroup"].total_us, costs["two_sample"].total_us
    print(f"  control groups / two-sample  {ours / other:.4f} (aim: at most 0.1)")
    # Neither asks the engine anything: what it does meanwhile is its own.
    own = statistics.median(costs["cgroup"].reader_us)
    for way, aim in (("bare", " (aim: at most 1.5)"), ("bare_kept", "")):
        ratio = own / statistics.median(costs[way].reader_us)
        print(f"  reader of control groups / {WAYS[way]}  {ratio:.2f}{aim}")
    shot = costs["one_shot"].total_us
    print(f"  one-shot / two-sample        {shot / other:.2f} (aim: at most 0.4)")
    print(f"  control groups / Glances     {ours / costs['glances'].total_us:.4f}")


def compare(sizes: Sequence[int], measured: Sequence[dict[str, Cost]]) -> None:
    """Print how the cost of one container grows with their number."""
    print(f"\nCost per container at {sizes[-1]}, next to {sizes[0]}")
    for way in ("cgroup", "one_shot", "two_sample"):
        ratio = measured[-1][way].total_us / measured[0][way].total_us
        print(f"  {WAYS[way]:44}{ratio:.2f}")


async def main(sizes: Sequence[int], rounds: int, sweeps: int) -> None:
    """Start everything, measure, remove everything."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homelab-bench-")))
        glances = await install_glances(folder / "glances")
        group = stack.enter_context(EngineGroup())
        engine = await stack.enter_async_context(PrivateEngine())
        # Before it has started any container: the shims will be its children.
        for pid in engine.pids():
            (group / "cgroup.procs").write_text(str(pid))
        await engine.copy_image("busybox")
        measured = [await measure(engine, group, size, rounds, sweeps, glances) for size in sizes]
        if len(sizes) > 1:
            compare(sizes, measured)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, nargs="+", default=[50, 300])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sweeps", type=int, default=12)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.containers, arguments.rounds, arguments.sweeps))
