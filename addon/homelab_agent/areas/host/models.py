"""The machine, as the API and the stream show it.

What cannot be known is None, never 0. Figures are rounded to what a person can see, so that a
resource that did not really change is not published.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from homelab_agent.platform.host.machine import DiskHealthState, HostSensorType
from homelab_agent.platform.host.paths import View
from homelab_agent.platform.model import Model

HOST_INFO_KIND = "host_info"
HOST_STATS_KIND = "host_stats"
HOST_POWER_KIND = "host_power"
HOST_SENSOR_KIND = "host_sensor"
FILESYSTEM_KIND = "filesystem"
BLOCK_DEVICE_KIND = "block_device"
DISK_HEALTH_KIND = "disk_health"
HOST_KEY = "host"
"""The key of what there is once per machine."""

type Pid = Annotated[int, Field(ge=1)]


class HostView(Model):
    """How much of the machine is seen, part by part, and what to do about the rest.

    `hint` is None where everything is seen.
    """

    processes: View
    network: View
    filesystems: View
    hint: str | None = None


class HostUser(Model):
    """Somebody who is logged in."""

    name: str
    terminal: str | None = None
    host: str | None = None
    since: datetime | None = None


class HostInfo(Model):
    """What the machine is. `reboot_required` is None where the system does not tell.

    `clock_synchronized` is what the kernel says of its clock.
    """

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
    users: tuple[HostUser, ...] = ()
    view: HostView


class Pressure(Model):
    """How much of the last 10 and 60 seconds tasks waited for something, percent (PSI)."""

    some_10s_percent: float
    some_60s_percent: float
    full_10s_percent: float | None = None
    full_60s_percent: float | None = None


class HostStats(Model):
    """What the machine does right now. Percent of processors are of all of them: 100 is the whole.

    `memory_used_bytes` is without the cache that the kernel gives back: total - available.
    """

    cpu_percent: float | None = None
    cpu_user_percent: float | None = None
    cpu_system_percent: float | None = None
    cpu_iowait_percent: float | None = None
    cpu_steal_percent: float | None = None
    cores_percent: tuple[float, ...] = ()
    cpu_frequency_mhz: float | None = None
    load_1m: float | None = None
    load_5m: float | None = None
    load_15m: float | None = None
    memory_available_bytes: int | None = None
    memory_used_bytes: int | None = None
    memory_cached_bytes: int | None = None
    memory_percent: float | None = None
    swap_used_bytes: int | None = None
    swap_percent: float | None = None
    pressure_cpu: Pressure | None = None
    pressure_memory: Pressure | None = None
    pressure_io: Pressure | None = None
    disk_read_bytes_per_s: float | None = None
    disk_write_bytes_per_s: float | None = None
    process_count: int | None = None
    users_count: int | None = None


class HostPower(Model):
    """What the processors take (RAPL). `energy_kwh` only grows, also across reboots."""

    power_w: float | None = None
    energy_kwh: float
    since: datetime


class HostSensor(Model):
    """One sensor: degrees Celsius, or turns per minute. `key` stays the same across reboots."""

    key: str
    name: str
    type: HostSensorType
    value: float
    high: float | None = None
    critical: float | None = None


class FilesystemState(StrEnum):
    """How a file system is. GONE: it was there. HANGING: it does not answer, as a lost NFS server.

    READ_ONLY: mounted so that nothing can be written; an image like squashfs is OK as it is.
    """

    OK = "ok"
    READ_ONLY = "read_only"
    HANGING = "hanging"
    GONE = "gone"
    UNREADABLE = "unreadable"


class Filesystem(Model):
    """One real file system. `key` is its mount point as the machine sees it.

    `available_bytes` is what is left for everybody but root; `used_percent` as `df` shows it.
    """

    key: str
    device: str
    type: str
    state: FilesystemState
    reason: str | None = None
    size_bytes: int | None = None
    used_bytes: int | None = None
    available_bytes: int | None = None
    used_percent: float | None = None
    inodes: int | None = None
    inodes_used: int | None = None
    inodes_percent: float | None = None


class BlockDevice(Model):
    """What a disk does. `busy_percent`: of the time, it had something to do. Totals since boot."""

    key: str
    model: str | None = None
    size_bytes: int | None = None
    rotational: bool | None = None
    read_bytes: int
    write_bytes: int
    read_bytes_per_s: float | None = None
    write_bytes_per_s: float | None = None
    busy_percent: float | None = None


class DiskHealth(Model):
    """The health of one disk, as it tells itself. `reason` says why UNKNOWN, or what is bad."""

    key: str
    state: DiskHealthState
    reason: str | None = None
    model: str | None = None
    serial: str | None = None
    temperature_c: float | None = None
    power_on_hours: int | None = None
    wear_percent: float | None = None
    reallocated_sectors: int | None = None
    pending_sectors: int | None = None
    checked_at: datetime


class DiskReport(Model):
    """File systems, disks and their health."""

    filesystems: tuple[Filesystem, ...]
    devices: tuple[BlockDevice, ...]
    health: tuple[DiskHealth, ...]


class HostReport(Model):
    """What the machine does right now, all at once."""

    stats: HostStats
    power: HostPower | None = None
    sensors: tuple[HostSensor, ...]


class ProcessOrder(StrEnum):
    """Which processes come first."""

    CPU = "cpu"
    MEMORY = "memory"


class ProcessQuery(Model):
    """Which processes to list. `search` is plain text in name or command, capitals or not."""

    sort: ProcessOrder = ProcessOrder.CPU
    search: str | None = Field(default=None, min_length=1, max_length=200)
    limit: int = Field(default=20, ge=1, le=1000)


class Process(Model):
    """One process. `command` has secrets masked. `cpu_percent`: 100 is one core, of the last look.

    `container` is the key of the container it runs in.
    """

    pid: int
    name: str
    command: str | None = None
    user: str | None = None
    state: str
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    memory_percent: float | None = None
    threads: int | None = None
    started_at: datetime | None = None
    container: str | None = None


class ProcessList(Model):
    """The processes asked for; `total` of those that match."""

    processes: tuple[Process, ...]
    total: int
    view: View


class StopSignal(StrEnum):
    """How a process is asked to stop: TERM lets it tidy up, KILL does not."""

    TERM = "TERM"
    KILL = "KILL"


class StopProcessBody(Model):
    """Which process exactly: `started_at` as listed, so that a pid given anew is never hit."""

    started_at: datetime
    signal: StopSignal = StopSignal.TERM
