"""Samples running containers and keeps the newest sample of each for the next time."""

from collections.abc import Mapping
from dataclasses import dataclass

from homelab_agent.areas.statistics.usage import Usage, usage_between
from homelab_agent.platform.engine.stats import (
    Sample,
    StatsEngine,
    StatsSource,
    StatsTarget,
    Sweep,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one sweep brought, by the containers' keys."""

    source: StatsSource
    reason: str | None
    usages: Mapping[str, Usage]


class Sampler:
    """Makes usages out of samples. Every method raises the errors of `StatsEngine`."""

    def __init__(self, engine: StatsEngine) -> None:
        self._engine = engine
        self._before: dict[StatsTarget, Sample] = {}
        self._kept: set[StatsTarget] = set()

    async def begin(self, targets: set[StatsTarget]) -> Sweep:
        """Take the first sample of those that have none yet, so that the next one gives figures."""
        new = targets - self._before.keys()
        self._kept |= new
        sweep = await self._engine.sample(tuple(new))
        self._before = {**sweep.samples, **self._before}
        return sweep

    async def look(self, running: Mapping[str, StatsTarget]) -> Look:
        """Sample everything that runs; what has no earlier sample has no usage yet."""
        await self.keep(set(running.values()))
        self._kept.update(running.values())
        sweep = await self._engine.sample(tuple(running.values()))
        usages: dict[str, Usage] = {}
        for key, target in running.items():
            after = sweep.samples.get(target)
            if after is None:
                continue
            before = self._before.setdefault(target, after)
            usage = usage_between(before, after)
            if usage is not None:
                usages[key] = usage
            if usage is not None or before.source is not after.source:
                self._before[target] = after
        return Look(source=sweep.source, reason=sweep.reason, usages=usages)

    async def keep(self, targets: set[StatsTarget]) -> None:
        """Let go of what is kept of all others."""
        gone = tuple(self._kept - targets)
        if gone:
            self._kept.difference_update(gone)
            for target in gone:
                self._before.pop(target, None)
            await self._engine.forget(gone)
