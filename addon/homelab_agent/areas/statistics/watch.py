"""Samples and publishes for as long as somebody listens; takes away at once what has stopped."""

import asyncio
from collections.abc import Mapping

from homelab_agent.areas.containers.models import CONTAINER_KIND, ENGINE_KIND
from homelab_agent.areas.statistics.figures import container_stats, engine_stats
from homelab_agent.areas.statistics.models import (
    CONTAINER_STATS_KIND,
    ENGINE_STATS_KEY,
    ENGINE_STATS_KIND,
    EngineStats,
)
from homelab_agent.areas.statistics.running import Running
from homelab_agent.areas.statistics.sampler import Look, Sampler
from homelab_agent.platform.engine.stats import StatsTarget
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Change, Overflow, Resources

FIRST_PAUSE_S = 1.0
"""From the first sample of all to the second: whoever comes does not wait a whole interval."""

_GATHER_S = 0.2
"""Containers start together, and Docker's own time of the start follows the event."""

_log = get_logger(__name__)


class StatisticsWatch:
    """Publishes the figures. `always`: also while nobody listens."""

    def __init__(
        self, sampler: Sampler, resources: Resources, *, interval_s: float, always: bool
    ) -> None:
        self._sampler = sampler
        self._resources = resources
        self._running = Running(resources)
        self._interval_s = interval_s
        self._always = always
        self._shown: dict[str, StatsTarget] = {}
        self._newcomers = asyncio.Event()
        self._fresh = False

    @property
    def is_fresh(self) -> bool:
        """Whether what is published is not older than an interval."""
        return self._fresh

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow())
                group.create_task(self._measure())
        finally:
            await self._sampler.keep(set())

    async def _follow(self) -> None:
        while True:
            with self._resources.subscribe(kinds=(CONTAINER_KIND, ENGINE_KIND)) as changes:
                self._take_away_what_stopped()
                try:
                    async for batch in changes.batches():
                        self._notice(batch)
                except Overflow:
                    continue

    def _notice(self, batch: tuple[Change, ...]) -> None:
        if any(change.kind == ENGINE_KIND for change in batch):
            self._take_away_what_stopped()
        for key in {change.key for change in batch if change.kind == CONTAINER_KIND}:
            target = self._running.target(key)
            if target != self._shown.get(key):
                self._take_away(key)
                if target is not None:
                    self._newcomers.set()

    def _take_away_what_stopped(self) -> None:
        targets = self._running.targets()
        for key, target in tuple(self._shown.items()):
            if targets.get(key) != target:
                self._take_away(key)
        if not targets:
            self._take_away_totals()

    def _take_away(self, key: str) -> None:
        if self._shown.pop(key, None) is not None:
            self._resources.remove(CONTAINER_STATS_KIND, key)

    def _take_away_totals(self) -> None:
        """Leave of the engine's figures only how they are made."""
        known = self._resources.get(ENGINE_STATS_KIND, ENGINE_STATS_KEY)
        if isinstance(known, EngineStats):
            self._publish_engine(engine_stats(known.source, known.source_reason, self._interval_s))

    async def _measure(self) -> None:
        await self._learn_source()
        while True:
            if not self._always:
                await self._resources.listener(CONTAINER_STATS_KIND, ENGINE_STATS_KIND)
            await self._measure_while_wanted()
            self._withdraw()

    async def _learn_source(self) -> None:
        """Find out how figures are to be had, as soon as there is an engine to look at."""
        with self._resources.subscribe(kinds=(ENGINE_KIND,)) as changes:
            batches = changes.batches()
            while not self._running.is_engine_there():
                await anext(batches)
        some = tuple(self._running.targets().values())[:1]
        try:
            sweep = await self._sampler.begin(set(some))
            # It is to start with all the others.
            await self._sampler.keep(set())
        except AgentError as error:
            _log.debug("statistics_failed", why=error.message)
            return
        self._publish_engine(engine_stats(sweep.source, sweep.reason, self._interval_s))

    async def _measure_while_wanted(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = min(FIRST_PAUSE_S, self._interval_s)
        while self._is_wanted():
            began = loop.time()
            await self._sweep()
            took_s = loop.time() - began
            # An engine that is slow to answer is not kept busy all the time.
            await self._pause(max(pause_s - took_s, took_s))
            pause_s = self._interval_s

    def _is_wanted(self) -> bool:
        listened = self._resources.has_listener(CONTAINER_STATS_KIND, ENGINE_STATS_KIND)
        return self._always or listened

    async def _sweep(self) -> None:
        self._newcomers.clear()
        running = self._running.targets()
        try:
            look = await self._sampler.look(running)
        except AgentError as error:
            # Whether the engine is there is told by its own resource.
            _log.debug("statistics_failed", why=error.message)
            self._withdraw()
            return
        self._publish(look, running)

    async def _pause(self, pause_s: float) -> None:
        """Wait; containers that start meanwhile get their first sample."""
        until = asyncio.get_running_loop().time() + pause_s
        try:
            async with asyncio.timeout_at(until):
                while True:
                    await self._newcomers.wait()
                    await asyncio.sleep(_GATHER_S)
                    self._newcomers.clear()
                    await self._begin()
        except TimeoutError:
            return

    async def _begin(self) -> None:
        try:
            await self._sampler.begin(set(self._running.targets().values()))
        except AgentError as error:
            _log.debug("statistics_failed", why=error.message)

    def _publish(self, look: Look, sampled: Mapping[str, StatsTarget]) -> None:
        """Publish everything in one turn. What has stopped since it was sampled stays away."""
        running, host = self._running.targets(), self._running.host()
        usages = {
            key: usage for key, usage in look.usages.items() if running.get(key) == sampled[key]
        }
        for key in tuple(self._shown):
            if key not in usages:
                self._take_away(key)
        for key, usage in usages.items():
            self._shown[key] = sampled[key]
            stats = container_stats(key, usage, host)
            self._resources.publish(CONTAINER_STATS_KIND, key, stats)
        self._fresh = bool(usages) or not running
        self._publish_engine(
            engine_stats(look.source, look.reason, self._interval_s, tuple(usages.values()), host)
        )

    def _publish_engine(self, stats: EngineStats) -> None:
        self._resources.publish(ENGINE_STATS_KIND, ENGINE_STATS_KEY, stats)

    def _withdraw(self) -> None:
        """Take all figures away: they would be old."""
        self._fresh = False
        for key in tuple(self._shown):
            self._take_away(key)
        self._take_away_totals()
