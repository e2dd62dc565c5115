"""What goes through the interfaces: rates between two samples, totals that outlive reboots."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import asdict

from homelab_agent.areas.network.models import NetworkTraffic
from homelab_agent.platform.counters import Counters, Total
from homelab_agent.platform.host.network import InterfaceCounts, MachineNetwork

SHORTEST_S = 0.4
"""Two samples closer together than this say too little about a rate."""

type _Totals = Mapping[str, Total]


class TrafficMeter:
    """Samples the interfaces; every sample is counted, so that no total misses anything."""

    def __init__(self, network: MachineNetwork, counters: Counters) -> None:
        self._network = network
        self._counters = counters
        self._sampling = asyncio.Lock()
        self._before: Mapping[str, _Totals] = {}
        self._before_s = 0.0
        self.newest: tuple[NetworkTraffic, ...] = ()
        """What the last sample told, by name."""

    async def sample(self, interfaces: Collection[str]) -> tuple[NetworkTraffic, ...]:
        """Return the totals of these interfaces, and the rates since the sample before."""
        async with self._sampling:
            sample = await self._network.traffic(interfaces)
            totals = {name: self._count(name, counts) for name, counts in sample.counts.items()}
            elapsed_s = sample.taken_s - self._before_s
            is_telling = bool(self._before) and elapsed_s >= SHORTEST_S
            before = self._before if is_telling else {}
            if is_telling or not self._before:
                self._before, self._before_s = totals, sample.taken_s
            self.newest = tuple(
                _traffic(name, totals[name], before.get(name), elapsed_s) for name in sorted(totals)
            )
            return self.newest

    async def load(self) -> None:
        """Read the totals of before the agent's restart."""
        await self._counters.load()

    async def save(self) -> None:
        """Write the totals down."""
        await self._counters.save()

    def _count(self, name: str, counts: InterfaceCounts) -> _Totals:
        counted = asdict(counts)
        epoch = str(counted.pop("epoch"))
        return {
            field: self._counters.count(f"network/{name}/{field}", raw, epoch=epoch)
            for field, raw in counted.items()
        }


def _traffic(name: str, now: _Totals, before: _Totals | None, elapsed_s: float) -> NetworkTraffic:
    def rate(field: str) -> float | None:
        # Of totals and not of counters: one that was full in between has its rate all the same.
        if before is None:
            return None
        return round((now[field].amount - before[field].amount) / elapsed_s, 1)

    return NetworkTraffic(
        key=name,
        since=now["receive_bytes"].since,
        receive_bytes_per_s=rate("receive_bytes"),
        transmit_bytes_per_s=rate("transmit_bytes"),
        **{field: total.amount for field, total in now.items()},
    )
