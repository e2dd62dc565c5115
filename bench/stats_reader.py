"""One way to read statistics, in a process of its own: what it costs here and in the engine.

Started by `stats_cost.py` with the agent's Python. Prints one line of JSON.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from homelab_agent.areas.statistics.figures import Host, container_stats, engine_stats
from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND, ENGINE_STATS_KIND
from homelab_agent.areas.statistics.sampler import Sampler
from homelab_agent.platform.engine.cgroups.containers import Cgroups
from homelab_agent.platform.engine.cgroups.search import GroupSearch
from homelab_agent.platform.engine.docker.errors import Call
from homelab_agent.platform.engine.docker.stats import DockerStats
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.stats import StatsTarget
from homelab_agent.platform.resources import Resources

REST_S = 2.0
PAUSE_S = 0.5
"""Between two sweeps: closer together they would not make figures."""

FILES = (
    "cpuacct/{group}/cpuacct.usage",
    "memory/{group}/memory.usage_in_bytes",
    "memory/{group}/memory.stat",
    "blkio/{group}/blkio.throttle.io_service_bytes_recursive",
    "pids/{group}/pids.current",
)

type Sweep = Callable[[], Awaitable[object]]


def ours(stats: DockerStats, ids: Sequence[str]) -> Sweep:
    """Return the whole way of the agent: samples, figures, resources."""
    sampler, resources = Sampler(stats), Resources()
    running = {container_id[:12]: StatsTarget(container_id, None) for container_id in ids}
    host = Host(cpu_count=os.cpu_count(), memory_bytes=2**40)

    async def sweep() -> None:
        look = await sampler.look(running)
        for key, usage in look.usages.items():
            resources.publish(CONTAINER_STATS_KIND, key, container_stats(key, usage, host))
        total = engine_stats(look.source, look.reason, 10, tuple(look.usages.values()), host)
        resources.publish(ENGINE_STATS_KIND, "docker", total)

    return sweep


def two_samples(transport: Transport, ids: Sequence[str]) -> Sweep:
    """Return what clients of Docker do: its own stats of every container, all at once."""
    call = Call("tell its statistics", EngineRight.CONTAINERS_READ)

    async def one(container_id: str) -> None:
        path = f"containers/{container_id}/stats"
        json.loads(await transport.read(path, call, {"stream": "false"}))

    async def sweep() -> None:
        await asyncio.gather(*(one(each) for each in ids))

    return sweep


def bare(paths: Sequence[str], *, keep_open: bool) -> Sweep:
    """Return a loop that reads the same files and does nothing with them."""
    descriptors = [os.open(path, os.O_RDONLY) for path in paths] if keep_open else []

    async def reopened() -> None:
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY)
            os.read(descriptor, 16384)
            os.close(descriptor)

    async def kept() -> None:
        for descriptor in descriptors:
            os.pread(descriptor, 16384, 0)

    return kept if keep_open else reopened


def files_of(ids: Sequence[str], pids: Sequence[int]) -> list[str]:
    """Return the paths that are read of every container."""
    paths = []
    for container_id, pid in zip(ids, pids, strict=True):
        group = f"docker/{container_id}"
        paths += [f"/sys/fs/cgroup/{each.format(group=group)}" for each in FILES]
        paths.append(f"/proc/{pid}/net/dev")
    return paths


def engine_cpu_s(group: Path) -> float:
    """Return the processor time of everything in the engine's control group so far."""
    return int((group / "cpuacct.usage").read_text()) / 1e9


async def at_rest(group: Path) -> float:
    """Return the processor time per second that the engine uses when nobody asks it anything."""
    before = engine_cpu_s(group)
    await asyncio.sleep(REST_S)
    return (engine_cpu_s(group) - before) / REST_S


async def measure(sweep: Sweep, sweeps: int, group: Path) -> dict[str, object]:
    """Do the sweeps after two that are not counted; return what they cost beyond a rest."""
    for _ in range(2):
        await sweep()
        await asyncio.sleep(PAUSE_S)
    await asyncio.sleep(REST_S)
    rest = await at_rest(group)
    walls = []
    engine_s, own_s, began = engine_cpu_s(group), time.process_time(), time.monotonic()
    for _ in range(sweeps):
        start = time.monotonic()
        await sweep()
        walls.append(time.monotonic() - start)
        await asyncio.sleep(PAUSE_S)
    own_s = time.process_time() - own_s
    elapsed_s = time.monotonic() - began
    engine_s = engine_cpu_s(group) - engine_s
    rest = (rest + await at_rest(group)) / 2
    return {"reader_s": own_s, "engine_s": engine_s - rest * elapsed_s, "walls_s": walls}


async def main(arguments: argparse.Namespace, containers: dict[str, int]) -> None:
    """Measure one way."""
    ids, pids = list(containers), list(containers.values())
    transport = Transport(arguments.url, deadline_s=60)
    try:
        match arguments.way:
            case "cgroup":
                sweep = ours(DockerStats(transport), ids)
            case "one_shot":
                nothing = Cgroups(GroupSearch(trees=tuple))
                sweep = ours(DockerStats(transport, cgroups=nothing, deadline_s=60), ids)
            case "two_sample":
                sweep = two_samples(transport, ids)
            case "bare":
                sweep = bare(files_of(ids, pids), keep_open=False)
            case "bare_kept":
                sweep = bare(files_of(ids, pids), keep_open=True)
            case _:
                raise SystemExit(f"there is no way called {arguments.way}")
        print(json.dumps(await measure(sweep, arguments.sweeps, Path(arguments.group))))
    finally:
        await transport.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way")
    parser.add_argument("--url", required=True)
    parser.add_argument("--containers", required=True, help="JSON file: process id by container id")
    parser.add_argument("--group", required=True, help="the engine's control group")
    parser.add_argument("--sweeps", type=int, required=True)
    given = parser.parse_args()
    asyncio.run(main(given, json.loads(Path(given.containers).read_text())))
