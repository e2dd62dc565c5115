"""What the agent relies on of every source of statistics; the real one where there is a Docker."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_agent.platform.engine.cgroups.containers import Cgroups
from homelab_agent.platform.engine.cgroups.search import GroupSearch
from homelab_agent.platform.engine.demo.containers import DemoEngine
from homelab_agent.platform.engine.demo.stats import DemoStats
from homelab_agent.platform.engine.docker.stats import DockerStats
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.stats import StatsEngine, StatsTarget
from tests.fakes.docker_engine import fake_docker
from tests.harness.docker import SOCKET, Docker

HERE = pytest.mark.skipif(not Path(SOCKET).exists(), reason="no Docker here")
SOURCES = [
    "demo",
    "fake",
    pytest.param("real_files", marks=HERE),
    pytest.param("real_one_shot", marks=HERE),
]


@dataclass
class Subject:
    """A source, one container that runs and one that does not."""

    stats: StatsEngine
    running: StatsTarget
    stopped: StatsTarget


@asynccontextmanager
async def demo() -> AsyncIterator[Subject]:
    engine = DemoEngine(pace_s=1)
    rows = {row.name: row for row in await engine.list_containers()}
    await engine.stop("media-radarr-1", 1)
    yield Subject(
        DemoStats(engine),
        StatsTarget(rows["media-sonarr-1"].id, None),
        StatsTarget(rows["media-radarr-1"].id, None),
    )
    await engine.close()


@asynccontextmanager
async def fake() -> AsyncIterator[Subject]:
    async with fake_docker() as docker:
        transport = Transport(docker.url)
        running, stopped = docker.add("web"), docker.add("job", running=False)
        yield Subject(
            DockerStats(transport), StatsTarget(running.id, None), StatsTarget(stopped.id, None)
        )
        await transport.close()


@asynccontextmanager
async def real(cgroups: Cgroups) -> AsyncIterator[Subject]:
    name = f"stats-contract-{secrets.token_hex(4)}"
    transport = Transport(f"unix://{SOCKET}")
    async with Docker() as docker:
        running = await docker.create(name)
        stopped = await docker.create(f"{name}-stopped", start=False)
        stats = DockerStats(transport, cgroups=cgroups)
        yield Subject(stats, StatsTarget(running, None), StatsTarget(stopped, None))
        await stats.forget([StatsTarget(running, None)])
        await transport.close()


@pytest.fixture(params=SOURCES)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    match request.param:
        case "demo":
            opened = demo()
        case "fake":
            opened = fake()
        case "real_files":
            opened = real(Cgroups())
        case _:
            opened = real(Cgroups(GroupSearch(tuple)))
    async with opened as made:
        yield made


async def test_counters_only_grow_and_so_does_their_clock(subject: Subject) -> None:
    first = await subject.stats.sample([subject.running])
    await asyncio.sleep(0.05)
    second = await subject.stats.sample([subject.running])

    before, after = first.samples[subject.running], second.samples[subject.running]
    assert first.source is second.source is before.source is after.source
    assert after.taken_ns > before.taken_ns
    assert before.cpu_ns is not None
    assert after.cpu_ns is not None
    assert after.cpu_ns >= before.cpu_ns > 0
    assert after.memory_bytes
    assert after.processes


async def test_what_does_not_run_or_does_not_exist_is_left_out(subject: Subject) -> None:
    unknown = StatsTarget("0" * 64, None)

    sweep = await subject.stats.sample([subject.stopped, unknown, subject.running])

    assert set(sweep.samples) == {subject.running}


async def test_nothing_to_sample_is_no_error(subject: Subject) -> None:
    assert (await subject.stats.sample([])).samples == {}


async def test_what_was_forgotten_can_be_sampled_again(subject: Subject) -> None:
    await subject.stats.sample([subject.running])
    await subject.stats.forget([subject.running, subject.stopped])

    assert subject.running in (await subject.stats.sample([subject.running])).samples
