"""When containers are sampled, and what is published of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from homelab_agent.areas.statistics.models import (
    CONTAINER_STATS_KIND,
    ENGINE_STATS_KEY,
    ENGINE_STATS_KIND,
    ContainerStats,
    EngineStats,
)
from homelab_agent.areas.statistics.sampler import Sampler
from homelab_agent.areas.statistics.watch import StatisticsWatch
from homelab_agent.platform.engine.docker.stats import DockerStats
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.stats import (
    Sample,
    StatsEngine,
    StatsSource,
    StatsTarget,
    Sweep,
)
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.resources import Resources
from tests.fakes.docker_engine import FakeDocker, fake_docker
from tests.fakes.watched import Watched, watched
from tests.harness.waiting import wait_until

INTERVAL_S = 0.5
KINDS = (CONTAINER_STATS_KIND, ENGINE_STATS_KIND)


@dataclass
class CountingStats(StatsEngine):
    """Another source of figures: counts what it is asked, and is away on demand."""

    asked: list[tuple[StatsTarget, ...]] = field(default_factory=list)
    forgotten: list[StatsTarget] = field(default_factory=list)
    away: bool = False
    missing: set[str] = field(default_factory=set)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: the next answers wait until it is set."""

    def __post_init__(self) -> None:
        self.answers.set()

    async def sample(self, targets: Sequence[StatsTarget]) -> Sweep:
        self.asked.append(tuple(targets))
        await self.answers.wait()
        if self.away:
            raise Unavailable("It is away.")
        now = asyncio.get_running_loop().time()
        samples = {
            target: Sample(StatsSource.ONE_SHOT, int(now * 1e9), int(now * 1e9), 5_000_000)
            for target in targets
            if target.id not in self.missing
        }
        return Sweep(source=StatsSource.ONE_SHOT, reason="a test", samples=samples)

    async def forget(self, targets: Sequence[StatsTarget]) -> None:
        self.forgotten.extend(targets)


@dataclass
class Measured:
    """The containers area on a fake Docker, with the watch beside it."""

    docker: FakeDocker
    live: Watched
    stats: CountingStats

    @property
    def resources(self) -> Resources:
        return self.live.resources

    @property
    def total(self) -> EngineStats | None:
        found = self.resources.get(ENGINE_STATS_KIND, ENGINE_STATS_KEY)
        return found if isinstance(found, EngineStats) else None

    def figures(self, key: str) -> ContainerStats | None:
        found = self.resources.get(CONTAINER_STATS_KIND, key)
        return found if isinstance(found, ContainerStats) else None

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait without listening to figures: that would have an effect."""

        async def look() -> bool:
            return bool(holds())

        await wait_until(look, what="the figures")


@asynccontextmanager
async def measured(docker: FakeDocker, *, always: bool = False) -> AsyncIterator[Measured]:
    stats = CountingStats()
    async with watched(docker.url) as live:
        watch = StatisticsWatch(
            Sampler(stats), live.resources, interval_s=INTERVAL_S, always=always
        )
        task = asyncio.create_task(watch.run())
        made = Measured(docker, live, stats)
        try:
            await made.until(lambda: made.total is not None)
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as server:
        yield server


async def test_nothing_is_sampled_while_nobody_listens(docker: FakeDocker) -> None:
    docker.add("web")
    async with measured(docker) as area:
        known = len(area.stats.asked)
        with area.resources.subscribe(kinds=("container",)):
            await asyncio.sleep(INTERVAL_S * 3)

        assert len(area.stats.asked) == known
        assert area.figures("web") is None


async def test_where_figures_come_from_is_known_before_anybody_listens(docker: FakeDocker) -> None:
    docker.add("web")
    async with measured(docker) as area:
        assert area.total is not None
        assert (area.total.source, area.total.source_reason) == (StatsSource.ONE_SHOT, "a test")
        assert area.total.cpu_percent is None


async def test_who_comes_gets_figures_and_who_leaves_ends_the_sampling(docker: FakeDocker) -> None:
    docker.add("web")
    async with measured(docker) as area:
        with area.resources.subscribe(kinds=KINDS):
            await area.until(lambda: area.figures("web"))
            shown = area.figures("web")
            assert shown is not None
            assert shown.cpu_percent == 100.0
            assert area.total is not None
            assert area.total.containers == 1
        await area.until(lambda: area.figures("web") is None)
        known = len(area.stats.asked)
        await asyncio.sleep(INTERVAL_S * 3)

        assert len(area.stats.asked) == known
        assert area.total.source_reason == "a test"


async def test_history_can_be_had_without_anybody_listening(docker: FakeDocker) -> None:
    docker.add("web")
    async with measured(docker, always=True) as area:
        await area.until(lambda: area.figures("web"))


async def test_all_figures_of_a_sweep_travel_in_one_message(docker: FakeDocker) -> None:
    names = {f"web-{number}" for number in range(30)}
    for name in names:
        docker.add(name)
    async with measured(docker) as area:
        with area.resources.subscribe(kinds=KINDS) as changes:
            async with asyncio.timeout(10):
                async for batch in changes.batches():
                    keys = {c.key for c in batch if c.kind == CONTAINER_STATS_KIND}
                    if keys:
                        break
        assert keys == names


async def test_a_container_that_stops_has_no_figures_at_once_and_is_not_sampled_again(
    docker: FakeDocker,
) -> None:
    web, other = docker.add("web"), docker.add("other")
    async with measured(docker) as area:
        with area.resources.subscribe(kinds=KINDS):
            await area.until(lambda: area.figures("web"))
            docker.end(web, 0)
            await area.until(lambda: area.figures("web") is None)
            known = len(area.stats.asked)
            await area.until(lambda: len(area.stats.asked) > known + 1)

            assert area.figures("other") is not None
            assert {target.id for target in area.stats.asked[-1]} == {other.id}
            assert web.id in {target.id for target in area.stats.forgotten}


async def test_a_container_that_stops_while_it_is_sampled_gets_no_figures_any_more(
    docker: FakeDocker,
) -> None:
    web = docker.add("web")
    docker.add("other")
    async with measured(docker) as area:
        with area.resources.subscribe(kinds=KINDS):
            await area.until(lambda: area.figures("web"))
            area.stats.answers.clear()
            known = len(area.stats.asked)
            await area.until(lambda: len(area.stats.asked) > known)
            docker.end(web, 0)
            await area.until(lambda: area.figures("web") is None)
            async with area.live.recorded() as seen:
                area.stats.answers.set()
                await area.until(lambda: len(area.stats.asked) > known + 2)
        shown = {change.key for change in seen if change.kind == CONTAINER_STATS_KIND}
        assert "web" not in shown


async def test_a_container_that_starts_meanwhile_has_figures_after_the_next_sweep(
    docker: FakeDocker,
) -> None:
    docker.add("web")
    late = docker.add("late", running=False)
    async with measured(docker) as area:
        with area.resources.subscribe(kinds=KINDS):
            await area.until(lambda: area.figures("web"))
            docker.change(late, "start")
            await area.until(lambda: area.figures("late"))


async def test_a_restart_begins_anew(docker: FakeDocker) -> None:
    web = docker.add("web")
    async with measured(docker) as area:
        with area.resources.subscribe(kinds=KINDS) as changes:
            await area.until(lambda: area.figures("web"))
            docker.change(web, "restart")
            async with asyncio.timeout(10):
                async for batch in changes.batches():
                    if any(change.key == "web" and change.data is None for change in batch):
                        break
            await area.until(lambda: area.figures("web"))


async def test_figures_vanish_while_the_engine_is_away_and_come_back_with_it(
    docker: FakeDocker,
) -> None:
    docker.add("web")
    async with measured(docker) as area:
        with area.resources.subscribe(kinds=KINDS):
            await area.until(lambda: area.figures("web"))
            await docker.stop()
            await area.until(lambda: area.figures("web") is None)
            assert area.total is not None
            assert area.total.cpu_percent is None
            await docker.start()
            await area.until(lambda: area.figures("web"))


async def test_one_that_could_not_be_sampled_has_no_old_figures(docker: FakeDocker) -> None:
    web = docker.add("web")
    docker.add("other")
    async with measured(docker) as area:
        with area.resources.subscribe(kinds=KINDS):
            await area.until(lambda: area.figures("web"))
            area.stats.missing.add(web.id)
            await area.until(lambda: area.figures("web") is None)
            assert area.figures("other") is not None
            area.stats.away = True
            await area.until(lambda: area.figures("other") is None)
            area.stats.away = False
            await area.until(lambda: area.figures("other"))


async def test_the_real_reader_of_docker_gives_figures_too(docker: FakeDocker) -> None:
    docker.add("web")
    transport = Transport(docker.url)
    async with watched(docker.url) as live:
        watch = StatisticsWatch(
            Sampler(DockerStats(transport)), live.resources, interval_s=INTERVAL_S, always=True
        )
        task = asyncio.create_task(watch.run())
        try:
            await live.until(lambda: live.resources.get(CONTAINER_STATS_KIND, "web"))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await transport.close()
