"""What can be asked about the machine."""

import asyncio

from homelab_agent.areas.host.figures import activities, block_device, host_sensor, host_stats
from homelab_agent.areas.host.filesystems import FilesystemWatch
from homelab_agent.areas.host.models import (
    BLOCK_DEVICE_KIND,
    DISK_HEALTH_KIND,
    FILESYSTEM_KIND,
    HOST_INFO_KIND,
    HOST_KEY,
    HOST_POWER_KIND,
    HOST_SENSOR_KIND,
    HOST_STATS_KIND,
    BlockDevice,
    DiskHealth,
    DiskReport,
    Filesystem,
    HostInfo,
    HostPower,
    HostReport,
    HostSensor,
    HostStats,
)
from homelab_agent.areas.host.watch import HostWatch
from homelab_agent.platform.host.machine import Machine, MachineSample
from homelab_agent.platform.resources import Resources

BETWEEN_LOOKS_S = 1.0


class HostService:
    """The newest figures; taken on the spot while nobody listens to them."""

    def __init__(
        self,
        machine: Machine,
        watch: HostWatch,
        filesystems: FilesystemWatch,
        resources: Resources,
    ) -> None:
        self._machine = machine
        self._watch = watch
        self._filesystems = filesystems
        self._resources = resources
        self._looking = asyncio.Lock()

    def memory_bytes(self) -> int | None:
        """Return how much memory the machine has."""
        known = self._resources.get(HOST_INFO_KIND, HOST_KEY)
        return known.memory_bytes if isinstance(known, HostInfo) else None

    async def info(self) -> HostInfo:
        """Return what the machine is, as of now."""
        return await self._watch.read_facts()

    async def report(self) -> HostReport:
        """Return what the machine does; takes a second while nobody listens."""
        power = self._resources.get(HOST_POWER_KIND, HOST_KEY)
        stats = self._resources.get(HOST_STATS_KIND, HOST_KEY)
        if self._watch.is_fresh and isinstance(stats, HostStats):
            sensors = self._resources.every(HOST_SENSOR_KIND, HostSensor)
        else:
            before, now = await self._two_looks()
            stats = host_stats(before, now, self._watch.users_count)
            sensors = tuple(host_sensor(reading) for reading in now.sensors)
        return HostReport(
            stats=stats, power=power if isinstance(power, HostPower) else None, sensors=sensors
        )

    async def disks(self) -> DiskReport:
        """Return file systems and disks; takes a second while nobody listens."""
        if self._watch.is_fresh:
            devices = self._resources.every(BLOCK_DEVICE_KIND, BlockDevice)
        else:
            devices = tuple(block_device(each) for each in activities(*await self._two_looks()))
        if not self._resources.keys(FILESYSTEM_KIND):
            await self._filesystems.look()
        return DiskReport(
            filesystems=self._resources.every(FILESYSTEM_KIND, Filesystem),
            devices=devices,
            health=self._resources.every(DISK_HEALTH_KIND, DiskHealth),
        )

    async def _two_looks(self) -> tuple[MachineSample, MachineSample]:
        """Look twice. One caller after the other: who asks often is not served at once."""
        async with self._looking:
            before = await self._machine.sample()
            await asyncio.sleep(BETWEEN_LOOKS_S)
            return before, await self._machine.sample()
