"""What a person is shown of two looks at the machine."""

from dataclasses import replace

import pytest

from homelab_agent.areas.host.figures import activities, block_device, host_sensor, host_stats
from homelab_agent.platform.host.machine import (
    CpuTimes,
    DiskCounters,
    HostSensorType,
    MachineSample,
    Memory,
    SensorReading,
)

IDLE = CpuTimes(user_s=100, system_s=50, idle_s=1000, iowait_s=20, steal_s=0)
DISK = DiskCounters(
    name="sda",
    read_bytes=10_000_000,
    write_bytes=20_000_000,
    busy_s=5,
    model=None,
    size_bytes=None,
    rotational=None,
)
MEMORY = Memory(
    total_bytes=16_000_000_000,
    available_bytes=10_000_400_000,
    cached_bytes=6_000_000_000,
    swap_total_bytes=0,
    swap_free_bytes=0,
)
BEFORE = MachineSample(
    taken_s=100, cpu=IDLE, cores=(IDLE, IDLE), memory=MEMORY, disks=(DISK,), load=(0.501, 0.4, 0.3)
)


def later(**changes: object) -> MachineSample:
    return replace(BEFORE, taken_s=110, **changes)  # type: ignore[arg-type]


def spent(
    user_s: float = 0, system_s: float = 0, idle_s: float = 0, iowait_s: float = 0
) -> CpuTimes:
    return CpuTimes(
        user_s=IDLE.user_s + user_s,
        system_s=IDLE.system_s + system_s,
        idle_s=IDLE.idle_s + idle_s,
        iowait_s=IDLE.iowait_s + iowait_s,
        steal_s=IDLE.steal_s,
    )


def test_shares_are_of_all_processors_and_waiting_for_a_disk_is_not_work() -> None:
    now = later(cpu=spent(4, 1, 13, 2), cores=(spent(4, 1, 5, 0), spent(0, 0, 8, 2)))
    stats = host_stats(BEFORE, now, None)
    assert (stats.cpu_percent, stats.cpu_user_percent, stats.cpu_system_percent) == (25, 20, 5)
    assert (stats.cpu_iowait_percent, stats.cpu_steal_percent) == (10, 0)
    assert stats.cores_percent == (50, 0)


def test_the_first_look_has_no_rates_and_does_not_say_zero() -> None:
    stats = host_stats(None, BEFORE, 2)
    assert stats.cpu_percent is None
    assert stats.cores_percent == ()
    assert stats.disk_read_bytes_per_s is None
    assert stats.memory_used_bytes == 6_000_000_000
    assert (stats.load_1m, stats.users_count) == (0.5, 2)


def test_a_machine_without_swap_uses_no_share_of_it() -> None:
    stats = host_stats(None, BEFORE, None)
    assert (stats.swap_used_bytes, stats.swap_percent) == (0, None)


def test_a_counter_that_steps_back_is_never_shown_below_zero() -> None:
    now = later(cpu=replace(spent(4, 1, 15), iowait_s=IDLE.iowait_s - 1))
    assert host_stats(BEFORE, now, None).cpu_iowait_percent == 0


def test_a_core_that_is_switched_off_meanwhile_leaves_the_cores_unknown() -> None:
    assert host_stats(BEFORE, later(cores=(spent(1),)), None).cores_percent == ()


def test_two_looks_at_the_same_moment_say_nothing() -> None:
    assert host_stats(BEFORE, replace(BEFORE, taken_s=100.01), None).cpu_percent is None


def test_a_disk_has_rates_and_a_share_of_the_time_that_it_was_busy() -> None:
    now = later(disks=(replace(DISK, read_bytes=30_000_000, busy_s=9),))
    (activity,) = activities(BEFORE, now)
    shown = block_device(activity)
    assert (shown.read_bytes_per_s, shown.write_bytes_per_s, shown.busy_percent) == (2e6, 0, 40)
    assert host_stats(BEFORE, now, None).disk_read_bytes_per_s == 2e6


@pytest.mark.parametrize("fallen", ["read_bytes", "write_bytes", "busy_s"])
def test_a_disk_counter_that_began_anew_makes_no_absurd_rate(fallen: str) -> None:
    now = later(disks=(replace(DISK, **{fallen: 1}),))  # type: ignore[arg-type]
    (activity,) = activities(BEFORE, now)
    assert (activity.read_bytes_per_s, activity.busy_percent) == (None, None)


def test_a_disk_that_was_just_plugged_in_has_no_rates_yet() -> None:
    (known, new) = activities(BEFORE, later(disks=(DISK, replace(DISK, name="sdb"))))
    assert known.read_bytes_per_s == 0
    assert new.read_bytes_per_s is None


def test_small_changes_of_a_sensor_are_not_published() -> None:
    sensor = SensorReading(key="a", name="a", type=HostSensorType.TEMPERATURE, value=45.1)
    fan = SensorReading(key="f", name="f", type=HostSensorType.FAN, value=1233)
    assert host_sensor(sensor) == host_sensor(replace(sensor, value=45.2))
    assert host_sensor(sensor).value == 45.0
    assert host_sensor(fan).value == 1230
