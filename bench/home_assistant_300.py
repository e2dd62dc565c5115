"""What many containers cost Home Assistant: set-up, memory, and each tick of the statistics.

A real Home Assistant is connected to a small agent in this process, which publishes invented
containers and their statistics on the wire as a real one does. Beside each number of containers
stands a tenth of it: the cost per container should not grow.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.agent_footprint import cost_of
from bench.numbers import NS_IN_MS, percentile
from tests.fakes import wire
from tests.fakes.agent_server import FakeAgent
from tests.fakes.wire import Json
from tests.harness.home_assistant import HomeAssistant
from tests.harness.home_assistant_api import HomeAssistantSocket
from tests.harness.waiting import wait_until

APPEAR_S = 180
SETTLE_S = 10
PER_STACK = 5
MS_IN_S = 1000


@dataclass(frozen=True)
class Load:
    """How the statistics tick. `busy`: the share of containers whose figures change in a tick."""

    ticks: int
    interval_s: float
    busy: float


@dataclass(frozen=True)
class Tick:
    """What one tick cost Home Assistant: writes of states, processor time, pause of its loop."""

    writes: float
    cpu_ms: float
    answer_ms_p50: float
    answer_ms_max: float


@dataclass(frozen=True)
class Setup:
    """What the entry cost when it was added and when it was reloaded."""

    first_s: float
    first_cpu_s: float
    again_s: float
    empty_mb: float
    full_mb: float


def keys(containers: int) -> list[str]:
    """Return the keys of the containers, some to a stack."""
    return [f"stack{n // PER_STACK}:service{n % PER_STACK}:1" for n in range(containers)]


def stacks(containers: int) -> set[str]:
    """Return the stacks of the containers."""
    return {key.partition(":")[0] for key in keys(containers)}


def fill(agent: FakeAgent, containers: int) -> None:
    """Let the agent know of containers with all that belongs to them."""
    agent.put("engine", "docker", wire.engine(counts=wire.counts(total=containers)))
    for key in keys(containers):
        project, service, index = key.split(":")
        compose = {"project": project, "service": service, "index": int(index)}
        agent.put(
            "container", key, wire.container(f"{project}-{service}", key=key, compose=compose)
        )
        agent.put("container_stats", key, wire.statistics(key))
        agent.put("container_update", key, wire.update(key, state="current"))
        agent.put("container_recreate", key, wire.recreate_status(key))
    for project in stacks(containers):
        agent.put("stack", project, wire.stack(project))
    agent.put("engine_stats", "docker", wire.engine_statistics())
    agent.put("disk_usage", "docker", wire.disk_usage())


def figures(chosen: Iterable[str]) -> dict[str, Json]:
    """Return new statistics, of which every figure differs from the one before."""
    return {
        key: wire.statistics(
            key,
            cpu_percent=round(random.uniform(0, 100), 1),  # noqa: S311  # no secret
            memory_bytes=random.randrange(10**7, 10**9, 1024**2 // 10),  # noqa: S311  # no secret
            network_receive_bytes_per_s=random.uniform(0, 10**6),  # noqa: S311  # no secret
        )
        for key in chosen
    }


async def tick(agent: FakeAgent, containers: int, load: Load) -> None:
    """Publish the statistics as often as asked for."""
    names = keys(containers)
    for number in range(load.ticks):
        chosen = random.sample(names, round(len(names) * load.busy))
        agent.put_all("container_stats", figures(chosen))
        agent.put("engine_stats", "docker", wire.engine_statistics(cpu_percent=float(number)))
        await asyncio.sleep(load.interval_s)


async def answer_times(socket: HomeAssistantSocket, seconds: float) -> list[float]:
    """Return how long Home Assistant took for each of many small questions (ns)."""
    taken = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        asked = time.perf_counter_ns()
        await socket.command("config/auth/list")
        taken.append(float(time.perf_counter_ns() - asked))
        await asyncio.sleep(0.01)
    return taken


async def measure_tick(
    homeassistant: HomeAssistant, agent: FakeAgent, containers: int, load: Load
) -> Tick:
    """Return what a tick costs, without what Home Assistant does anyway."""
    seconds = load.ticks * load.interval_s
    before = cost_of(homeassistant.pid).cpu_s
    await asyncio.sleep(seconds)
    idle_s = cost_of(homeassistant.pid).cpu_s - before
    before = cost_of(homeassistant.pid).cpu_s
    await tick(agent, containers, load)
    ticking_s = cost_of(homeassistant.pid).cpu_s - before
    async with homeassistant.api.socket() as socket:
        ticking = asyncio.create_task(tick(agent, containers, load))
        answers = await answer_times(socket, seconds)
        await ticking
    async with homeassistant.api.socket() as socket:
        changes = await socket.subscribe("subscribe_events", event_type="state_changed")
        await tick(agent, containers, load)
        await asyncio.sleep(1)
        writes = changes.qsize()
    return Tick(
        writes=writes / load.ticks,
        cpu_ms=(ticking_s - idle_s) / load.ticks * MS_IN_S,
        answer_ms_p50=percentile(answers, 50) / NS_IN_MS,
        answer_ms_max=max(answers) / NS_IN_MS,
    )


async def add_entry(homeassistant: HomeAssistant, agent: FakeAgent) -> tuple[str, float]:
    """Set the integration up; return the entry and how long its last step took in seconds."""
    step = await homeassistant.api.start_flow("homelab")
    address = {"host": "127.0.0.1", "port": agent.port, "token": agent.token, "ssl": False}
    began = time.perf_counter()
    step = await homeassistant.api.next_step(step["flow_id"], address)
    return step["result"]["entry_id"], time.perf_counter() - began


async def all_there(socket: HomeAssistantSocket, containers: int) -> list[Json]:
    """Return the entities once those of every container are registered."""

    async def find() -> list[Json] | None:
        ours = [one for one in await socket.entities() if one["platform"] == "homelab"]
        switches = sum(one["entity_id"].startswith("switch.") for one in ours)
        return ours if switches == containers + len(stacks(containers)) else None

    return await wait_until(find, what="the entities of every container", within_s=APPEAR_S)


async def measure(containers: int, load: Load) -> None:
    """Start Home Assistant for this many containers and print what it took."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homelab-bench-")))
        agent = await stack.enter_async_context(FakeAgent())
        fill(agent, containers)
        homeassistant = await stack.enter_async_context(HomeAssistant(folder / "ha"))
        await asyncio.sleep(SETTLE_S)
        empty_mb = cost_of(homeassistant.pid).rss_mb
        before = cost_of(homeassistant.pid).cpu_s
        entry_id, first_s = await add_entry(homeassistant, agent)
        async with homeassistant.api.socket() as socket:
            entities = await all_there(socket, containers)
        await asyncio.sleep(SETTLE_S)
        first_cpu_s = cost_of(homeassistant.pid).cpu_s - before
        full_mb = cost_of(homeassistant.pid).rss_mb
        began = time.perf_counter()
        await homeassistant.api.call("POST", f"/api/config/config_entries/entry/{entry_id}/reload")
        again_s = time.perf_counter() - began
        await asyncio.sleep(SETTLE_S)
        report_setup(entities, Setup(first_s, first_cpu_s, again_s, empty_mb, full_mb), containers)
        for share in (load.busy, 1.0):
            part = Load(load.ticks, load.interval_s, share)
            report_tick(
                share, await measure_tick(homeassistant, agent, containers, part), containers
            )


def report_setup(entities: list[Json], setup: Setup, containers: int) -> None:
    """Print what the entry took."""
    state = Counter("off" if one["disabled_by"] else "on" for one in entities)
    print(f"{containers} containers in {len(stacks(containers))} stacks")
    print(f"  entities   {len(entities)}, by default {state['on']} on and {state['off']} off")
    print(
        f"  set-up     {setup.first_s:.2f} s the first time ({setup.first_cpu_s:.2f} s processor), "
        f"{setup.again_s:.2f} s when reloaded"
    )
    grown_mb = setup.full_mb - setup.empty_mb
    print(
        f"  memory     {setup.empty_mb:.0f} MB before, {setup.full_mb:.0f} MB after: "
        f"{grown_mb / containers * 1000:.0f} kB per container"
    )


def report_tick(share: float, cost: Tick, containers: int) -> None:
    """Print what a tick took."""
    print(
        f"  tick, {share:.0%} changed: {cost.writes:.1f} state writes, {cost.cpu_ms:.1f} ms of "
        f"processor ({cost.cpu_ms / containers * 1000:.0f} us per container); meanwhile others are "
        f"answered in {cost.answer_ms_p50:.1f} ms, at most {cost.answer_ms_max:.0f} ms",
        flush=True,
    )


async def main(containers: int, load: Load) -> None:
    """Measure a tenth of the containers, then all."""
    for number in (max(PER_STACK, containers // 10), containers):
        await measure(number, load)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, default=300)
    parser.add_argument("--ticks", type=int, default=20)
    parser.add_argument("--interval", type=float, default=2.0, help="seconds between two ticks")
    parser.add_argument("--busy", type=float, default=0.2, help="share that changes in a tick")
    arguments = parser.parse_args()
    asyncio.run(
        main(arguments.containers, Load(arguments.ticks, arguments.interval, arguments.busy))
    )
