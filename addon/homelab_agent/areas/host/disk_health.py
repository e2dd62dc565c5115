"""Publishes how the disks are, by what they say of themselves."""

import asyncio

from homelab_agent.areas.host.models import DISK_HEALTH_KIND, DiskHealth
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.host.machine import DiskHealthReading, Machine
from homelab_agent.platform.resources import Resources

INTERVAL_S = 3 * 3600.0


class DiskHealthWatch:
    """Asks every few hours. What a sleeping disk said last stays."""

    def __init__(
        self,
        machine: Machine,
        resources: Resources,
        clock: Clock,
        *,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._machine = machine
        self._resources = resources
        self._clock = clock
        self._interval_s = interval_s

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """Ask all of them now."""
        readings = await self._machine.disk_health()
        known = self._resources.keys(DISK_HEALTH_KIND)
        for name in set(known) - {reading.name for reading in readings}:
            self._resources.remove(DISK_HEALTH_KIND, name)
        for reading in readings:
            if not (reading.asleep and reading.name in known):
                self._resources.publish(DISK_HEALTH_KIND, reading.name, self._shown(reading))

    def _shown(self, reading: DiskHealthReading) -> DiskHealth:
        return DiskHealth(
            key=reading.name,
            state=reading.verdict,
            reason=reading.reason,
            model=reading.model,
            serial=reading.serial,
            temperature_c=reading.temperature_c,
            power_on_hours=reading.power_on_hours,
            wear_percent=reading.wear_percent,
            reallocated_sectors=reading.reallocated_sectors,
            pending_sectors=reading.pending_sectors,
            checked_at=self._clock(),
        )
