"""Publishes what the processors take, and adds it up for the energy dashboard."""

import asyncio

from homelab_agent.areas.host.models import (
    HOST_KEY,
    HOST_POWER_KIND,
    HOST_STATS_KIND,
    HostPower,
)
from homelab_agent.platform.counters import Counters, Total
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.host.machine import EnergyCounter, EnergyReading, Machine
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources

SLOWEST_S = 60.0
"""A busy processor's counter is full after half an hour: it must be read more often than that."""

_LOAD_AGAIN_S = 10.0
_UJ_PER_J = 1e6
_UJ_PER_KWH = 3.6e12
_SHORTEST_S = 0.4
_log = get_logger(__name__)


class PowerWatch:
    """Reads the counters again and again; what was counted is kept every minute and at the end."""

    def __init__(
        self, machine: Machine, counters: Counters, resources: Resources, *, interval_s: float
    ) -> None:
        self._machine = machine
        self._counters = counters
        self._resources = resources
        self._interval_s = min(interval_s, SLOWEST_S)
        self._before: tuple[float, int] | None = None
        """When the reading before was taken, and the total then."""
        self._is_known = False

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._load()
        loop = asyncio.get_running_loop()
        saved_at = loop.time()
        try:
            while True:
                await self.look()
                if loop.time() - saved_at >= SLOWEST_S:
                    await self._save()
                    saved_at = loop.time()
                await asyncio.sleep(self._pause_s())
        finally:
            await self._save()

    async def look(self) -> None:
        """Read the counters and publish; nothing where the machine has none that may be read."""
        reading = await self._machine.energy()
        if reading is None:
            self._before, self._is_known = None, True
            self._resources.remove(HOST_POWER_KIND, HOST_KEY)
            return
        totals = [self._count(reading, counter) for counter in reading.counters]
        energy_uj = sum(total.amount for total in totals)
        power_w = self._power_w(reading.taken_s, energy_uj)
        self._is_known = power_w is not None
        self._resources.publish(
            HOST_POWER_KIND,
            HOST_KEY,
            HostPower(
                power_w=power_w,
                energy_kwh=round(energy_uj / _UJ_PER_KWH, 3),
                since=min(total.since for total in totals),
            ),
        )
        self._before = reading.taken_s, energy_uj

    def _count(self, reading: EnergyReading, counter: EnergyCounter) -> Total:
        return self._counters.count(
            f"energy {counter.name}",
            counter.energy_uj,
            epoch=reading.boot_id,
            full_at=counter.full_at_uj,
        )

    def _power_w(self, taken_s: float, energy_uj: int) -> float | None:
        """Return the mean power since the reading before."""
        if self._before is None:
            return None
        before_s, before_uj = self._before
        if taken_s - before_s < _SHORTEST_S:
            return None
        return round((energy_uj - before_uj) / _UJ_PER_J / (taken_s - before_s), 1)

    def _pause_s(self) -> float:
        # Nobody shall have to wait a minute for the first figure, which takes two readings.
        is_wanted = not self._is_known or self._resources.has_listener(HOST_STATS_KIND)
        return self._interval_s if is_wanted else SLOWEST_S

    async def _load(self) -> None:
        while True:
            try:
                await self._counters.load()
            except AgentError as error:
                # Without the totals of before, what is counted now would replace them.
                _log.warning("counters_not_loaded", why=error.message)
                await asyncio.sleep(_LOAD_AGAIN_S)
            else:
                return

    async def _save(self) -> None:
        try:
            await self._counters.save()
        except AgentError as error:
            # It is kept in mind and written with the next ones.
            _log.warning("counters_not_saved", why=error.message)
