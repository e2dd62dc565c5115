"""Asking for figures: what the caller gets, whether somebody listens or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND
from homelab_agent.areas.statistics.sampler import Sampler
from homelab_agent.areas.statistics.service import StatisticsService
from homelab_agent.areas.statistics.watch import StatisticsWatch
from homelab_agent.platform.engine.docker.stats import DockerStats
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.stats import StatsSource
from homelab_agent.platform.errors import Conflict, Denied, NotFound, TimedOut, Unavailable
from tests.fakes.commanded import Commanded, commanded
from tests.fakes.docker_engine import FakeDocker, Fault, fake_docker
from tests.fakes.socket_proxy import socket_proxy, without

INTERVAL_S = 10


@dataclass
class Asked:
    """The service on a fake Docker."""

    docker: FakeDocker
    agent: Commanded
    service: StatisticsService
    watch: StatisticsWatch


@asynccontextmanager
async def _asked(
    docker: FakeDocker, url: str, folder: Path, *, deadline_s: float = 20
) -> AsyncIterator[Asked]:
    transport = Transport(url)
    async with commanded(url, folder) as agent:
        await agent.live.connected()
        stats = DockerStats(transport, deadline_s=deadline_s)
        resources = agent.live.resources
        watch = StatisticsWatch(Sampler(stats), resources, interval_s=INTERVAL_S, always=False)
        service = StatisticsService(stats, agent.service, watch, resources, interval_s=INTERVAL_S)
        try:
            yield Asked(docker, agent, service, watch)
        finally:
            await transport.close()


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as server:
        server.add("web")
        server.add("job", running=False)
        yield server


@pytest.fixture
async def asked(docker: FakeDocker, tmp_path: Path) -> AsyncIterator[Asked]:
    async with _asked(docker, docker.url, tmp_path) as made:
        yield made


async def test_figures_are_taken_on_the_spot_while_nobody_listens(asked: Asked) -> None:
    report = await asked.service.report()

    assert [stats.key for stats in report.containers] == ["web"]
    assert report.containers[0].cpu_percent == 0
    assert report.containers[0].memory_bytes == 30_000_000
    assert report.engine.source is StatsSource.ONE_SHOT
    assert report.engine.containers == 1
    assert (await asked.service.container("web")).key == "web"


async def test_while_somebody_listens_the_answer_is_what_was_published(asked: Asked) -> None:
    task = asyncio.create_task(asked.watch.run())
    try:
        with asked.agent.live.resources.subscribe(kinds=(CONTAINER_STATS_KIND,)) as changes:
            async with asyncio.timeout(10):
                await anext(changes.batches())
            questions = asked.docker.calls.total()
            report = await asked.service.report()
            one = await asked.service.container("web")

            assert report.containers == (one,)
            assert asked.docker.calls.total() == questions
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_stopped_or_unknown_container_has_no_figures_and_it_says_so(asked: Asked) -> None:
    with pytest.raises(Conflict, match="job is created"):
        await asked.service.container("job")
    with pytest.raises(NotFound):
        await asked.service.container("never-was")


async def test_one_that_docker_does_not_tell_of_in_time_is_an_error(
    docker: FakeDocker, tmp_path: Path
) -> None:
    async with _asked(docker, docker.url, tmp_path, deadline_s=0.5) as asked:
        docker.faults["GET containers/.*/stats"] = Fault(hang=True)

        with pytest.raises(TimedOut, match="web"):
            await asked.service.container("web")


async def test_without_an_engine_there_is_no_empty_report(asked: Asked) -> None:
    await asked.docker.stop()
    await asked.agent.live.until(lambda: asked.agent.live.status.connection == "unavailable")

    with pytest.raises(Unavailable):
        await asked.service.report()


async def test_behind_a_proxy_that_hides_the_containers_the_missing_right_is_named(
    docker: FakeDocker, tmp_path: Path
) -> None:
    async with (
        socket_proxy(str(docker.socket), without("/containers")) as proxy,
        _asked(docker, proxy.url, tmp_path) as asked,
    ):
        with pytest.raises(Denied, match="containers_read"):
            await asked.service.report()
