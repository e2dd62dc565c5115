"""What can be asked about what containers use."""

import asyncio
from collections.abc import Mapping

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.statistics.figures import container_stats, engine_stats
from homelab_agent.areas.statistics.models import (
    CONTAINER_STATS_KIND,
    ENGINE_STATS_KEY,
    ENGINE_STATS_KIND,
    ContainerStats,
    EngineStats,
    StatisticsReport,
)
from homelab_agent.areas.statistics.running import Running
from homelab_agent.areas.statistics.sampler import Look, Sampler
from homelab_agent.areas.statistics.watch import StatisticsWatch
from homelab_agent.platform.engine.stats import StatsEngine, StatsTarget
from homelab_agent.platform.errors import Conflict, TimedOut
from homelab_agent.platform.resources import Resources

BETWEEN_SAMPLES_S = 1.0


class StatisticsService:
    """The newest figures; taken on the spot while nobody listens to them."""

    def __init__(
        self,
        engine: StatsEngine,
        containers: ContainerService,
        watch: StatisticsWatch,
        resources: Resources,
        *,
        interval_s: float,
    ) -> None:
        self._engine = engine
        self._containers = containers
        self._watch = watch
        self._resources = resources
        self._running = Running(resources)
        self._interval_s = interval_s
        self._looking = asyncio.Lock()

    async def report(self) -> StatisticsReport:
        """Return the figures of everything that runs; takes a second while nobody listens."""
        self._containers.require_readable()
        known = self._known_engine()
        if self._watch.is_fresh and known is not None:
            return StatisticsReport(engine=known, containers=self._known_containers())
        look = await self._look(self._running.targets())
        host = self._running.host()
        return StatisticsReport(
            engine=engine_stats(
                look.source, look.reason, self._interval_s, tuple(look.usages.values()), host
            ),
            containers=tuple(
                container_stats(key, look.usages[key], host) for key in sorted(look.usages)
            ),
        )

    async def container(self, name_or_key: str) -> ContainerStats:
        """Return the figures of one running container.

        Raises:
            NotFound: there is no such container.
            Conflict: it does not run.
        """
        container = self._containers.get(name_or_key)
        target = self._running.target(container.key)
        if target is None:
            raise Conflict(
                f"{container.name} is {container.state}: only a running container has statistics."
            )
        known = self._resources.get(CONTAINER_STATS_KIND, container.key)
        if isinstance(known, ContainerStats):
            return known
        look = await self._look({container.key: target})
        if container.key not in look.usages:
            raise TimedOut(f"What {container.name} uses could not be read in time.")
        return container_stats(container.key, look.usages[container.key], self._running.host())

    async def _look(self, targets: Mapping[str, StatsTarget]) -> Look:
        """Sample twice. One caller after the other: who asks often is not served at once."""
        async with self._looking:
            sampler = Sampler(self._engine)
            try:
                await sampler.begin(set(targets.values()))
                if targets:
                    await asyncio.sleep(BETWEEN_SAMPLES_S)
                return await sampler.look(targets)
            finally:
                await sampler.keep(set())

    def _known_engine(self) -> EngineStats | None:
        known = self._resources.get(ENGINE_STATS_KIND, ENGINE_STATS_KEY)
        return known if isinstance(known, EngineStats) else None

    def _known_containers(self) -> tuple[ContainerStats, ...]:
        return self._resources.every(CONTAINER_STATS_KIND, ContainerStats)
