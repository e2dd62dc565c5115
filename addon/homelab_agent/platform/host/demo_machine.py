"""An invented machine: believable, and moving gently with the time of day."""

import math
from datetime import UTC, datetime, timedelta
from typing import override

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.host.demo_processes import demo_processes
from homelab_agent.platform.host.machine import (
    CpuTimes,
    DiskCounters,
    DiskHealthReading,
    DiskHealthState,
    EnergyCounter,
    EnergyReading,
    Facts,
    HostSensorType,
    LoggedIn,
    Machine,
    MachineSample,
    MachineView,
    Memory,
    MountReading,
    PressureReading,
    ProcessReading,
    ProcessSweep,
    SensorReading,
    Space,
    StopRefused,
)
from homelab_agent.platform.host.paths import View

CORES = 4

_GIB = 1024**3
_BOOTED_BEFORE = timedelta(days=12, hours=7, minutes=30)
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_MEMORY_BYTES = 16 * _GIB
_SWAP_BYTES = 4 * _GIB
_WAVE_S = 300.0
_MEAN_LOAD = 0.18
_IDLE_W, _FULL_W = 9.0, 45.0
_FULL_AT_UJ = 262_143_328_850
_BOOT_ID = "5b8c5e2e-4a3d-4f0e-9d53-000000000000"
_NVME, _USB_DISK = "nvme0n1", "sda"
_MEDIA_BYTES = 4000 * 10**9
_MEDIA_LEFT_BYTES = 400 * 10**9
_MEDIA_GROWS_BYTES_PER_S = 20 * 10**9 / 86_400
"""So it is full after three weeks at the latest."""


class DemoMachine(Machine):
    """Implements `Machine`. What it shows depends on the time alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock()
        self._stopped: set[int] = set()

    @property
    @override
    def view(self) -> MachineView:
        return MachineView(processes=View.HOST, network=View.HOST, filesystems=View.HOST, hint=None)

    @override
    async def facts(self) -> Facts:
        return Facts(
            host_name="homelab",
            operating_system="Debian GNU/Linux 13 (trixie)",
            kernel_version="6.12.48+deb13-amd64",
            architecture="x86_64",
            cpu_model="Intel(R) N100",
            cpu_count=CORES,
            cpu_core_count=CORES,
            memory_bytes=_MEMORY_BYTES,
            swap_bytes=_SWAP_BYTES,
            booted_at=self._booted_at,
            reboot_required=True,
            reboot_reason="Kernel 6.12.57+deb13-amd64 is installed, 6.12.48+deb13-amd64 is running",
            clock_synchronized=True,
            users=(
                LoggedIn(
                    name="ada",
                    terminal="pts/0",
                    host="192.0.2.20",
                    since=self._began - timedelta(hours=2),
                ),
            ),
        )

    @override
    async def sample(self) -> MachineSample:
        up_s = self._up_s()
        load = _load(up_s)
        busy_s = _MEAN_LOAD * _waved(up_s)
        each = tuple(_cpu_times(busy_s * share, up_s) for share in (1.3, 0.9, 1.1, 0.7))
        used = int((0.52 + 0.02 * _wave(up_s, 3)) * _MEMORY_BYTES)
        return MachineSample(
            taken_s=up_s,
            cpu=_cpu_times(busy_s * CORES, up_s * CORES),
            cores=each,
            cpu_frequency_mhz=800 + 2600 * load,
            load=(load * CORES, _MEAN_LOAD * CORES, _MEAN_LOAD * CORES),
            memory=Memory(
                total_bytes=_MEMORY_BYTES,
                available_bytes=_MEMORY_BYTES - used,
                cached_bytes=5 * _GIB,
                swap_total_bytes=_SWAP_BYTES,
                swap_free_bytes=_SWAP_BYTES - _GIB // 4,
            ),
            pressure={
                "cpu": PressureReading(
                    some_10s_percent=5 * load,
                    some_60s_percent=0.9,
                    full_10s_percent=0,
                    full_60s_percent=0,
                ),
                "memory": PressureReading(
                    some_10s_percent=0,
                    some_60s_percent=0,
                    full_10s_percent=0,
                    full_60s_percent=0,
                ),
                "io": PressureReading(
                    some_10s_percent=2 * load,
                    some_60s_percent=0.4,
                    full_10s_percent=load,
                    full_60s_percent=0.2,
                ),
            },
            disks=_disks(up_s),
            sensors=_sensors(load),
            process_count=len(demo_processes(up_s, self._booted_at)) + 160,
        )

    @override
    async def filesystems(self) -> tuple[MountReading, ...]:
        # Somebody makes room when it is nearly full.
        filling_s = _MEDIA_LEFT_BYTES * 0.97 / _MEDIA_GROWS_BYTES_PER_S
        grown = int(self._lived_s() % filling_s * _MEDIA_GROWS_BYTES_PER_S)
        return (
            _mount("/", "/dev/nvme0n1p2", "ext4", 234 * _GIB, 121 * _GIB),
            _mount("/boot/efi", "/dev/nvme0n1p1", "vfat", _GIB // 2, 6_000_000),
            _mount(
                "/mnt/media",
                "/dev/sda1",
                "ext4",
                _MEDIA_BYTES,
                _MEDIA_BYTES - _MEDIA_LEFT_BYTES + grown,
            ),
            _mount("/mnt/nas", "nas.home.example:/backup", "nfs4", 8000 * 10**9, 2900 * 10**9),
        )

    @override
    async def energy(self) -> EnergyReading:
        lived_s = self._lived_s()
        taken_j = _IDLE_W * lived_s + (_FULL_W - _IDLE_W) * _MEAN_LOAD * _waved(lived_s)
        counter = EnergyCounter(
            name="package-0", energy_uj=int(taken_j * 1e6) % _FULL_AT_UJ, full_at_uj=_FULL_AT_UJ
        )
        return EnergyReading(taken_s=lived_s, boot_id=_BOOT_ID, counters=(counter,))

    @override
    async def disk_health(self) -> tuple[DiskHealthReading, ...]:
        hours = int(self._up_s() // 3600)
        return (
            DiskHealthReading(
                name=_NVME,
                verdict=DiskHealthState.OK,
                model="WD Blue SN580 250GB",
                serial="23450A800001",
                temperature_c=41,
                power_on_hours=9_120 + hours,
                wear_percent=7,
            ),
            DiskHealthReading(
                name=_USB_DISK,
                verdict=DiskHealthState.WORN,
                reason="8 sectors cannot be read, 24 sectors had to be replaced.",
                model="ST4000DM004-2CV104",
                serial="ZFN00001",
                temperature_c=36,
                power_on_hours=31_400 + hours,
                reallocated_sectors=24,
                pending_sectors=8,
            ),
        )

    @override
    async def processes(self) -> ProcessSweep:
        up_s = self._up_s()
        return ProcessSweep(
            taken_s=up_s,
            processes=tuple(
                process
                for process in demo_processes(up_s, self._booted_at)
                if process.pid not in self._stopped
            ),
        )

    @override
    async def own_processes(self) -> frozenset[int]:
        return frozenset({1})

    @override
    async def stop(self, process: ProcessReading, signal: int) -> StopRefused | None:
        if process.pid in self._stopped:
            return StopRefused.GONE
        self._stopped.add(process.pid)
        return None

    @property
    def _booted_at(self) -> datetime:
        return self._began - _BOOTED_BEFORE

    def _up_s(self) -> float:
        return (self._clock() - self._booted_at).total_seconds()

    def _lived_s(self) -> float:
        """Return what goes on when the demo is started again."""
        return (self._clock() - _BEGAN).total_seconds()


def _wave(up_s: float, times: float = 1) -> float:
    return math.sin(math.tau * up_s / (_WAVE_S * times))


def _load(up_s: float) -> float:
    return _MEAN_LOAD * (1 + 0.6 * _wave(up_s))


def _waved(up_s: float) -> float:
    """Return the integral of the wave around one: a total that never falls."""
    return up_s - 0.6 * _WAVE_S / math.tau * math.cos(math.tau * up_s / _WAVE_S)


def _cpu_times(busy_s: float, all_s: float) -> CpuTimes:
    waiting_s = 0.01 * all_s
    return CpuTimes(
        user_s=0.7 * busy_s,
        system_s=0.3 * busy_s,
        idle_s=all_s - busy_s - waiting_s,
        iowait_s=waiting_s,
        steal_s=0,
    )


def _disks(up_s: float) -> tuple[DiskCounters, ...]:
    moved = _waved(up_s)
    return (
        DiskCounters(
            name=_NVME,
            read_bytes=int(180_000 * moved),
            write_bytes=int(420_000 * moved),
            busy_s=0.012 * moved,
            model="WD Blue SN580 250GB",
            size_bytes=250_059_350_016,
            rotational=False,
        ),
        DiskCounters(
            name=_USB_DISK,
            read_bytes=int(900_000 * moved),
            write_bytes=int(_MEDIA_GROWS_BYTES_PER_S * moved),
            busy_s=0.06 * moved,
            model="ST4000DM004-2CV104",
            size_bytes=4_000_787_030_016,
            rotational=True,
        ),
    )


def _sensors(load: float) -> tuple[SensorReading, ...]:
    return (
        SensorReading(
            key="coretemp-coretemp.0-temp1",
            name="coretemp Package id 0",
            type=HostSensorType.TEMPERATURE,
            value=41 + 60 * load,
            high=105,
            critical=105,
        ),
        SensorReading(
            key="nvme-nvme0-temp1",
            name="nvme Composite",
            type=HostSensorType.TEMPERATURE,
            value=39 + 12 * load,
            high=84.8,
            critical=87.8,
        ),
        SensorReading(
            key="nct6798-nct6775.656-fan2",
            name="nct6798 fan 2",
            type=HostSensorType.FAN,
            value=640 + 900 * load,
        ),
    )


def _mount(place: str, device: str, kind: str, size_bytes: int, used_bytes: int) -> MountReading:
    has_inodes = kind.startswith(("ext", "nfs"))
    kept_bytes = size_bytes // 20 if place == "/" else 0
    return MountReading(
        mount_point=place,
        device=device,
        type=kind,
        read_only=False,
        is_image=False,
        space=Space(
            size_bytes=size_bytes,
            used_bytes=used_bytes,
            available_bytes=size_bytes - used_bytes - kept_bytes,
            inodes=size_bytes // 16_384 if has_inodes else None,
            inodes_used=used_bytes // 160_000 if has_inodes else None,
        ),
    )
