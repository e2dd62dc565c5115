"""The machine: what it is and what it does, as its kernel tells. Raw figures; nothing is rounded.

What the machine does not tell is None. Counters only grow until the machine boots again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from homelab_agent.platform.host.paths import View


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineView:
    """How much of the machine is seen; `hint` says what would show the rest."""

    processes: View
    network: View
    filesystems: View
    hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """Somebody who is logged in."""

    name: str
    terminal: str | None
    host: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the machine is; changes rarely. `users` is None where nobody keeps a list of them."""

    host_name: str | None = None
    operating_system: str | None = None
    kernel_version: str | None = None
    architecture: str | None = None
    cpu_model: str | None = None
    cpu_count: int | None = None
    cpu_core_count: int | None = None
    memory_bytes: int | None = None
    swap_bytes: int | None = None
    booted_at: datetime | None = None
    reboot_required: bool | None = None
    reboot_reason: str | None = None
    clock_synchronized: bool | None = None
    users: tuple[LoggedIn, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTimes:
    """Seconds spent since boot, of one core or of all together."""

    user_s: float
    system_s: float
    idle_s: float
    iowait_s: float
    steal_s: float

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.user_s + self.system_s + self.rest_s + self.steal_s

    @property
    def rest_s(self) -> float:
        """Idle, or with nothing to do until a disk answers."""
        return self.idle_s + self.iowait_s


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureReading:
    """Percent of the time that some, or all, tasks waited (PSI)."""

    some_10s_percent: float
    some_60s_percent: float
    full_10s_percent: float | None
    full_60s_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What of the memory is in use."""

    total_bytes: int
    available_bytes: int
    cached_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int

    @property
    def used_bytes(self) -> int:
        """What is not available: without the cache that the kernel gives back."""
        return self.total_bytes - self.available_bytes

    @property
    def swap_used_bytes(self) -> int:
        """What was swapped out."""
        return self.swap_total_bytes - self.swap_free_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskCounters:
    """What one disk has done since boot; `busy_s`: how long it had something to do.

    `sequence`: no disk that is plugged in later has the same; None before Linux 5.15.
    """

    name: str
    sequence: int | None = None
    read_bytes: int
    write_bytes: int
    busy_s: float
    model: str | None
    size_bytes: int | None
    rotational: bool | None


class HostSensorType(StrEnum):
    """What a sensor of the machine measures."""

    TEMPERATURE = "temperature"
    FAN = "fan"


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorReading:
    """Degrees Celsius or turns per minute. `key` stays the same across reboots."""

    key: str
    name: str
    type: HostSensorType
    value: float
    high: float | None = None
    critical: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSample:
    """One look at what the machine does. `taken_s` is of a clock that is never set."""

    taken_s: float
    cpu: CpuTimes | None = None
    cores: tuple[CpuTimes, ...] = ()
    cpu_frequency_mhz: float | None = None
    load: tuple[float, float, float] | None = None
    memory: Memory | None = None
    pressure: Mapping[str, PressureReading] = field(default_factory=dict)
    disks: tuple[DiskCounters, ...] = ()
    sensors: tuple[SensorReading, ...] = ()
    process_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What of a file system is in use. Inodes are None where it has no fixed number of them."""

    size_bytes: int
    used_bytes: int
    available_bytes: int
    inodes: int | None
    inodes_used: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MountReading:
    """One mounted file system. `space` None: it did not answer since `hanging_since`, or `error`.

    `is_image`: it cannot be written by its nature. `is_passing`: something mounts it when it is
    wanted and unmounts it afterwards, so that nobody misses it.
    """

    mount_point: str
    device: str
    type: str
    read_only: bool
    is_image: bool
    is_passing: bool = False
    space: Space | None = None
    hanging_since: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyCounter:
    """What one processor has taken; `full_at_uj`: where the counter begins anew."""

    name: str
    energy_uj: int
    full_at_uj: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyReading:
    """All counters at one moment; `boot_id` changes with every boot."""

    taken_s: float
    boot_id: str
    counters: tuple[EnergyCounter, ...]


class DiskHealthState(StrEnum):
    """What a disk says of itself (SMART)."""

    OK = "ok"
    WORN = "worn"
    FAILING = "failing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskHealthReading:
    """The health of one disk. `asleep`: it was not woken up to ask, so nothing is known anew."""

    name: str
    verdict: DiskHealthState
    reason: str | None = None
    asleep: bool = False
    model: str | None = None
    serial: str | None = None
    temperature_c: float | None = None
    power_on_hours: int | None = None
    wear_percent: float | None = None
    reallocated_sectors: int | None = None
    pending_sectors: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessReading:
    """One process. `command` is as it was started, secrets and all. `cpu_s` is since its start.

    `container_id` is the full id of the container it runs in. `is_kernel`: a thread of the kernel.
    """

    pid: int
    parent_pid: int
    name: str
    command: tuple[str, ...]
    user: str | None
    state: str
    cpu_s: float
    memory_bytes: int
    threads: int
    started_at: datetime
    is_kernel: bool
    container_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSweep:
    """All processes at one moment."""

    taken_s: float
    processes: tuple[ProcessReading, ...]


class StopRefused(StrEnum):
    """Why a process was not asked to stop."""

    GONE = "gone"
    NOT_PERMITTED = "not_permitted"
    OUT_OF_REACH = "out_of_reach"


class Machine(Protocol):
    """The machine. None of these waits for a file system or a disk that does not answer."""

    @property
    def view(self) -> MachineView:
        """How much of the machine is seen."""

    async def facts(self) -> Facts:
        """Return what the machine is."""

    async def sample(self) -> MachineSample:
        """Return what it does right now; cheap."""

    async def filesystems(self) -> tuple[MountReading, ...] | None:
        """Return every real file system, each once; None where the list of them is not there."""

    async def energy(self) -> EnergyReading | None:
        """Return what the processors have taken; None where that cannot be read."""

    async def disk_health(self) -> tuple[DiskHealthReading, ...]:
        """Ask every disk how it is; takes seconds. Empty where nothing can ask them."""

    async def processes(self) -> ProcessSweep:
        """Return all processes; not cheap. Raises `Unavailable` where one of them hangs."""

    async def own_processes(self) -> frozenset[int]:
        """Return the numbers of the agent's own process and of those that started it."""

    async def stop(self, process: ProcessReading, signal: int) -> StopRefused | None:
        """Send a signal to exactly this process; return why it was not sent.

        Raises:
            Unavailable: a process hangs, so that it cannot be seen which one this is.
        """
