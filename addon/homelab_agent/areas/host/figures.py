"""What the machine's own figures are to a person: differences between two looks, and rounded."""

from collections.abc import Iterable
from dataclasses import dataclass

from homelab_agent.areas.host.models import BlockDevice, HostSensor, HostStats, Pressure
from homelab_agent.platform.host.machine import (
    CpuTimes,
    DiskCounters,
    HostSensorType,
    MachineSample,
    PressureReading,
    SensorReading,
)
from homelab_agent.platform.rounding import rounded

SHORTEST_S = 0.4
"""Two looks closer together than this say too little about a rate."""

_PERCENT_STEP = 0.1
_BYTES_STEP = 1_000_000
_RATE_STEP_BYTES_PER_S = 100
_FREQUENCY_STEP_MHZ = 10
_TURNS_STEP = 10
_DEGREES_STEP = 0.5
_ALL = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What one disk did between two looks; None where that is not known. Not rounded."""

    disk: DiskCounters
    read_bytes_per_s: float | None = None
    write_bytes_per_s: float | None = None
    busy_percent: float | None = None


def host_stats(
    before: MachineSample | None, now: MachineSample, users_count: int | None
) -> HostStats:
    """Return what the machine does; what needs two looks is None with the first."""
    cpu = _Shares(before.cpu if before else None, now.cpu)
    memory, disks = now.memory, activities(before, now)
    load_1m, load_5m, load_15m = map(_load, now.load or (None, None, None))
    return HostStats(
        cpu_percent=cpu.busy(),
        cpu_user_percent=cpu.of("user_s"),
        cpu_system_percent=cpu.of("system_s"),
        cpu_iowait_percent=cpu.of("iowait_s"),
        cpu_steal_percent=cpu.of("steal_s"),
        cores_percent=_cores(before, now),
        cpu_frequency_mhz=_in_steps(now.cpu_frequency_mhz, _FREQUENCY_STEP_MHZ),
        load_1m=load_1m,
        load_5m=load_5m,
        load_15m=load_15m,
        memory_available_bytes=_size(memory.available_bytes) if memory else None,
        memory_used_bytes=_size(memory.used_bytes) if memory else None,
        memory_cached_bytes=_size(memory.cached_bytes) if memory else None,
        memory_percent=percent_of(memory.used_bytes, memory.total_bytes) if memory else None,
        swap_used_bytes=_size(memory.swap_used_bytes) if memory else None,
        swap_percent=percent_of(memory.swap_used_bytes, memory.swap_total_bytes)
        if memory
        else None,
        pressure_cpu=_pressure(now.pressure.get("cpu")),
        pressure_memory=_pressure(now.pressure.get("memory")),
        pressure_io=_pressure(now.pressure.get("io")),
        disk_read_bytes_per_s=_rate(_sum(each.read_bytes_per_s for each in disks)),
        disk_write_bytes_per_s=_rate(_sum(each.write_bytes_per_s for each in disks)),
        process_count=now.process_count,
        users_count=users_count,
    )


def activities(before: MachineSample | None, now: MachineSample) -> tuple[Activity, ...]:
    """Return what each disk did since the look before."""
    earlier = {disk.name: disk for disk in before.disks} if before else {}
    elapsed_s = now.taken_s - before.taken_s if before else 0.0
    return tuple(_activity(earlier.get(disk.name), disk, elapsed_s) for disk in now.disks)


def block_device(activity: Activity) -> BlockDevice:
    """Return a disk as it is shown."""
    disk = activity.disk
    return BlockDevice(
        key=disk.name,
        model=disk.model,
        size_bytes=disk.size_bytes,
        rotational=disk.rotational,
        read_bytes=disk.read_bytes // _BYTES_STEP * _BYTES_STEP,
        write_bytes=disk.write_bytes // _BYTES_STEP * _BYTES_STEP,
        read_bytes_per_s=_rate(activity.read_bytes_per_s),
        write_bytes_per_s=_rate(activity.write_bytes_per_s),
        busy_percent=_percent(activity.busy_percent),
    )


def host_sensor(reading: SensorReading) -> HostSensor:
    """Return a sensor as it is shown."""
    is_temperature = reading.type is HostSensorType.TEMPERATURE
    step = _DEGREES_STEP if is_temperature else _TURNS_STEP
    return HostSensor(
        key=reading.key,
        name=reading.name,
        type=reading.type,
        value=round(reading.value / step) * step,
        high=reading.high,
        critical=reading.critical,
    )


def percent_of(part: int, whole: int) -> float | None:
    """Return how much of the whole a part is; None where there is no whole."""
    return rounded(part / whole * _ALL, _PERCENT_STEP) if whole else None


class _Shares:
    """How the processors' time was spent between two looks."""

    def __init__(self, before: CpuTimes | None, now: CpuTimes | None) -> None:
        self._before, self._now = before, now
        elapsed_s = now.total_s - before.total_s if before and now else 0.0
        self._elapsed_s = elapsed_s if elapsed_s > 0 else None

    def of(self, field: str) -> float | None:
        """Return the share of one kind of time."""
        if self._elapsed_s is None:
            return None
        spent_s = float(getattr(self._now, field) - getattr(self._before, field))
        # The kernel's time of waiting is known to step back a little.
        return _percent(min(max(spent_s / self._elapsed_s * _ALL, 0.0), _ALL))

    def busy(self) -> float | None:
        """Return the share of all but idling and waiting for a disk."""
        if self._elapsed_s is None or self._now is None or self._before is None:
            return None
        idle_s = self._now.rest_s - self._before.rest_s
        return _percent(min(max(_ALL - idle_s / self._elapsed_s * _ALL, 0.0), _ALL))


def _cores(before: MachineSample | None, now: MachineSample) -> tuple[float, ...]:
    """Return how busy each core is; nothing where one was switched on or off meanwhile."""
    if before is None or len(before.cores) != len(now.cores):
        return ()
    shares = (_Shares(*each).busy() for each in zip(before.cores, now.cores, strict=True))
    known = [share for share in shares if share is not None]
    return tuple(known) if len(known) == len(now.cores) else ()


def _activity(before: DiskCounters | None, now: DiskCounters, elapsed_s: float) -> Activity:
    if before is None or before.sequence != now.sequence or elapsed_s < SHORTEST_S:
        return Activity(disk=now)
    moved = (
        now.read_bytes - before.read_bytes,
        now.write_bytes - before.write_bytes,
        now.busy_s - before.busy_s,
    )
    if min(moved) < 0:  # a counter that is full, or that began anew
        return Activity(disk=now)
    read_bytes, write_bytes, busy_s = moved
    return Activity(
        disk=now,
        read_bytes_per_s=read_bytes / elapsed_s,
        write_bytes_per_s=write_bytes / elapsed_s,
        busy_percent=min(busy_s / elapsed_s * _ALL, _ALL),
    )


def _pressure(reading: PressureReading | None) -> Pressure | None:
    if reading is None:
        return None
    return Pressure(
        some_10s_percent=round(reading.some_10s_percent, 1),
        some_60s_percent=round(reading.some_60s_percent, 1),
        full_10s_percent=_percent(reading.full_10s_percent),
        full_60s_percent=_percent(reading.full_60s_percent),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _percent(value: float | None) -> float | None:
    return None if value is None else rounded(value, _PERCENT_STEP)


def _rate(bytes_per_s: float | None) -> float | None:
    return None if bytes_per_s is None else rounded(bytes_per_s, _RATE_STEP_BYTES_PER_S)


def _in_steps(value: float | None, step: float) -> float | None:
    return None if value is None else round(value / step) * step


def _load(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _size(value: int) -> int:
    return round(value / _BYTES_STEP) * _BYTES_STEP
