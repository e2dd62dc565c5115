"""Figures for the invented homelab: believable, and moving slowly."""

import hashlib
import math
from collections.abc import Sequence
from time import monotonic_ns
from typing import override

from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.engine.stats import (
    Sample,
    StatsEngine,
    StatsSource,
    StatsTarget,
    Sweep,
)

_ALIVE = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})
_MIB = 1024**2
_SECOND_NS = 1_000_000_000
_HISTORY_S = 86_400
"""The totals look as if the containers had run for a day already."""

_WAVE_S = 300.0
_LIMIT_BYTES = 2048 * _MIB
_LIMITED = 64
"""Of 256 containers this many have a limit."""

_REASON = "This homelab is invented, and so are its figures."


class DemoStats(StatsEngine):
    """Implements `StatsEngine`: every container has a size and a load of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @override
    async def sample(self, targets: Sequence[StatsTarget]) -> Sweep:
        now_ns = monotonic_ns()
        rows = await self._engine.list_containers()
        alive = {row.id for row in rows if row.state in _ALIVE}
        samples = {target: _sample(target, now_ns) for target in targets if target.id in alive}
        return Sweep(source=StatsSource.DEMO, reason=_REASON, samples=samples)

    @override
    async def forget(self, targets: Sequence[StatsTarget]) -> None:
        """Nothing is kept."""


def _sample(target: StatsTarget, now_ns: int) -> Sample:
    draw = hashlib.sha256(target.id.encode()).digest()
    lived_s = now_ns / _SECOND_NS + _HISTORY_S
    phase = draw[0] / 256 * math.tau
    # The integral of a wave around the mean: a total that never falls, at a rate that moves.
    waved_s = lived_s + 0.6 * _WAVE_S / math.tau * math.sin(math.tau * lived_s / _WAVE_S + phase)
    breath = 1 + 0.05 * math.sin(math.tau * lived_s / (2 * _WAVE_S) + phase)
    load = (draw[1] / 256) ** 3 * 0.4 + 0.002
    traffic = (draw[2] / 256) ** 4 * 2_000_000
    disk = (draw[3] / 256) ** 4 * 800_000
    return Sample(
        StatsSource.DEMO,
        now_ns,
        cpu_ns=int(load * waved_s * _SECOND_NS),
        memory_bytes=int((20 + (draw[4] / 256) ** 2 * 900) * breath * _MIB),
        memory_limit_bytes=_LIMIT_BYTES if draw[5] < _LIMITED else None,
        network_receive_bytes=int(traffic * waved_s),
        network_transmit_bytes=int(traffic * 0.3 * waved_s),
        block_read_bytes=int(disk * waved_s),
        block_write_bytes=int(disk * 0.5 * waved_s),
        processes=2 + draw[6] % 30,
    )
