"""A machine whose figures a test sets."""

from collections.abc import Sequence
from typing import override

from homelab_agent.platform.host.demo_machine import DemoMachine
from homelab_agent.platform.host.machine import (
    DiskHealthReading,
    EnergyCounter,
    EnergyReading,
    MachineSample,
    MountReading,
    ProcessReading,
    ProcessSweep,
    Space,
    StopRefused,
)
from tests.clock import HandClock

MINUTE_S = 60.0
FULL_AT_UJ = 262_143_328_850


class SetMachine(DemoMachine):
    """The demo's machine, but for what a test sets. It counts how often it is looked at."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.samples = 0
        self.mounts: Sequence[MountReading] | None = ()
        self.energy_uj: int | None = 0
        self.boot = "first"
        self.taken_s = 0.0
        self.running: list[ProcessReading] = []
        self.own: frozenset[int] = frozenset({50, 51})
        self.refuses: StopRefused | None = None
        self.stopped: list[tuple[int, int]] = []
        self.disks_say: Sequence[DiskHealthReading] = ()

    @override
    async def sample(self) -> MachineSample:
        self.samples += 1
        return await super().sample()

    @override
    async def filesystems(self) -> tuple[MountReading, ...] | None:
        return None if self.mounts is None else tuple(self.mounts)

    @override
    async def energy(self) -> EnergyReading | None:
        """Return the next reading, a minute after the one before."""
        self.taken_s += MINUTE_S
        if self.energy_uj is None:
            return None
        counter = EnergyCounter(name="package-0", energy_uj=self.energy_uj, full_at_uj=FULL_AT_UJ)
        return EnergyReading(taken_s=self.taken_s, boot_id=self.boot, counters=(counter,))

    @override
    async def disk_health(self) -> tuple[DiskHealthReading, ...]:
        return tuple(self.disks_say)

    @override
    async def processes(self) -> ProcessSweep:
        return ProcessSweep(taken_s=self.taken_s, processes=tuple(self.running))

    @override
    async def own_processes(self) -> frozenset[int]:
        return self.own

    @override
    async def stop(self, process: ProcessReading, signal: int) -> StopRefused | None:
        if self.refuses is None:
            self.stopped.append((process.pid, signal))
        return self.refuses


def mounted(place: str, *, used_bytes: int = 40_000_000_000, **more: object) -> MountReading:
    """Return a file system of 100 GB of which 5 are kept for root."""
    space = Space(
        size_bytes=100_000_000_000,
        used_bytes=used_bytes,
        available_bytes=95_000_000_000 - used_bytes,
        inodes=1_000_000,
        inodes_used=123_456,
    )
    told: dict[str, object] = {
        "device": "/dev/sda1",
        "type": "ext4",
        "read_only": False,
        "is_image": False,
        "space": space,
    }
    return MountReading(mount_point=place, **(told | more))  # type: ignore[arg-type]
