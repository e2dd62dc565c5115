"""What the kernel's files say, read from folders written as the kernel writes them."""

from pathlib import Path

import pytest

from homelab_agent.areas.host.figures import activities
from homelab_agent.platform.host.linux_disks import Disks
from homelab_agent.platform.host.linux_energy import read_energy
from homelab_agent.platform.host.linux_memory import read_memory, read_pressure
from homelab_agent.platform.host.linux_processor import (
    count_processes,
    frequency_files,
    read_cpu_times,
    read_frequency_mhz,
    read_load,
)
from homelab_agent.platform.host.linux_sensors import LOOK_AFTER_SWEEPS, Sensors
from homelab_agent.platform.host.machine import HostSensorType, MachineSample, PressureReading
from tests.fakes.machine_files import MEMINFO, MachineFiles


@pytest.fixture
def files(tmp_path: Path) -> MachineFiles:
    return MachineFiles(tmp_path / "machine")


def test_a_machine_that_tells_nothing_is_unknown_and_not_zero(files: MachineFiles) -> None:
    proc, sys = str(files.proc), str(files.sys)
    assert read_cpu_times(proc) == (None, ())
    assert read_load(proc) is None
    assert read_memory(proc) is None
    assert read_pressure(proc) == {}
    assert read_frequency_mhz(frequency_files(sys)) is None
    assert Disks(proc, sys).read() == ()
    assert Sensors(sys).read() == ()
    assert read_energy(sys) == ()
    assert count_processes(f"{proc}/none") is None


def test_time_given_to_guests_is_not_counted_twice(files: MachineFiles) -> None:
    files.put(
        "proc/stat",
        "cpu  1000 200 300 4000 50 10 20 7 600 0\ncpu0 500 100 150 2000 25 5 10 3 300 0\n"
        "cpu1 500 100 150 2000 25 5 10 4 300 0\nintr 1 2 3\nbtime 1790000000\n",
    )
    together, cores = read_cpu_times(str(files.proc))
    assert together is not None
    assert (together.user_s, together.system_s) == pytest.approx((12.0, 3.3))
    assert (together.rest_s, together.steal_s) == pytest.approx((40.5, 0.07))
    assert len(cores) == 2


def test_used_memory_is_without_the_cache_that_the_kernel_gives_back(files: MachineFiles) -> None:
    files.put("proc/meminfo", MEMINFO)
    memory = read_memory(str(files.proc))
    assert memory is not None
    assert memory.used_bytes == 6_000_000 * 1024
    assert memory.cached_bytes == 6_800_000 * 1024
    assert memory.swap_used_bytes == 1_000_000 * 1024


def test_pressure_is_read_also_from_kernels_without_full_for_processors(
    files: MachineFiles,
) -> None:
    files.put("proc/pressure/cpu", "some avg10=1.97 avg60=4.67 avg300=2.23 total=3284147014\n")
    files.put(
        "proc/pressure/io",
        "some avg10=0.50 avg60=0.20 avg300=0.00 total=1\n"
        "full avg10=0.40 avg60=0.10 avg300=0.00 total=1\n",
    )
    files.put("proc/pressure/memory", "something else\n")
    assert read_pressure(str(files.proc)) == {
        "cpu": PressureReading(
            some_10s_percent=1.97,
            some_60s_percent=4.67,
            full_10s_percent=None,
            full_60s_percent=None,
        ),
        "io": PressureReading(
            some_10s_percent=0.5, some_60s_percent=0.2, full_10s_percent=0.4, full_60s_percent=0.1
        ),
    }


def test_only_whole_disks_count_so_that_nothing_is_counted_twice(files: MachineFiles) -> None:
    files.disk(read=2000, write=4000, busy_ms=1500)
    disks = Disks(str(files.proc), str(files.sys)).read()
    assert [disk.name for disk in disks] == ["sda"]
    assert (disks[0].read_bytes, disks[0].write_bytes, disks[0].busy_s) == (
        1_024_000,
        2_048_000,
        1.5,
    )
    assert (disks[0].model, disks[0].size_bytes) == ("ST4000DM004-2CV1", 4_000_787_030_016)
    assert disks[0].rotational is True


def test_a_disk_whose_name_has_a_slash_is_found(files: MachineFiles) -> None:
    files.put("proc/diskstats", " 104 0 cciss/c0d0 1 0 8 1 1 0 8 1 0 1 2 0 0 0 0 0 0\n")
    files.put("sys/block/cciss!c0d0/device/model", "RAID\n")
    (disk,) = Disks(str(files.proc), str(files.sys)).read()
    assert (disk.name, disk.model) == ("cciss/c0d0", "RAID")


def test_another_disk_that_is_plugged_in_under_the_same_name_is_looked_at_anew(
    files: MachineFiles,
) -> None:
    files.disk()
    disks = Disks(str(files.proc), str(files.sys))
    disks.read()
    files.put("proc/diskstats", "")
    assert disks.read() == ()
    files.disk()
    files.put("sys/block/sda/device/model", "Another\n")
    assert disks.read()[0].model == "Another"


def test_a_disk_that_is_swapped_while_nobody_looks_is_another_one(files: MachineFiles) -> None:
    files.disk(read=1000)
    files.put("sys/block/sda/diskseq", 7)
    disks = Disks(str(files.proc), str(files.sys))
    before = MachineSample(taken_s=0, disks=disks.read())
    files.disk(read=9_000_000_000)
    files.put("sys/block/sda/device/model", "Another\n")
    files.put("sys/block/sda/diskseq", 8)
    now = MachineSample(taken_s=10, disks=disks.read())
    assert now.disks[0].model == "Another"
    # What the other one had read before is not what was read in these ten seconds.
    assert [each.read_bytes_per_s for each in activities(before, now)] == [None]


def test_the_frequency_is_the_mean_of_all_cores(files: MachineFiles) -> None:
    for policy, khz in enumerate((800_000, 2_400_000)):
        files.put(f"sys/devices/system/cpu/cpufreq/policy{policy}/scaling_cur_freq", khz)
    assert read_frequency_mhz(frequency_files(str(files.sys))) == 1600


def test_a_sensor_keeps_its_key_although_the_kernel_numbers_chips_anew(tmp_path: Path) -> None:
    keys = []
    for boot, (first, second) in enumerate(((0, 1), (1, 0))):
        files = MachineFiles(tmp_path / str(boot))
        files.chip(first, "nvme", "nvme0", temp1_input=38850, temp1_label="Composite\n")
        files.chip(second, "nvme", "nvme1", temp1_input=41850, temp1_label="Composite\n")
        keys.append({sensor.key for sensor in Sensors(str(files.sys)).read()})
    assert keys[0] == keys[1] == {"nvme-nvme0-temp1", "nvme-nvme1-temp1"}


def test_sensors_have_names_limits_and_no_absurd_values(files: MachineFiles) -> None:
    files.chip(
        0,
        "coretemp",
        "coretemp.0",
        temp1_input=45000,
        temp1_label="Package id 0\n",
        temp1_max=100000,
        temp1_crit=105000,
        temp2_input=-128000,
    )
    files.chip(1, "nct6798", "nct6775.656", fan2_input=0, temp3_input="no number\n")
    files.chip(2, "drivetemp", "0:0:0:0", temp1_input=30000)
    sensors = Sensors(str(files.sys)).read()
    assert [(each.name, each.type, each.value) for each in sensors] == [
        ("coretemp Package id 0", HostSensorType.TEMPERATURE, 45.0),
        ("nct6798 fan 2", HostSensorType.FAN, 0.0),
    ]
    assert (sensors[0].high, sensors[0].critical) == (100.0, 105.0)


def test_a_board_without_such_chips_shows_its_thermal_zones(files: MachineFiles) -> None:
    files.put("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    files.put("sys/class/thermal/thermal_zone0/temp", 52100)
    (sensor,) = Sensors(str(files.sys)).read()
    assert (sensor.key, sensor.value) == ("cpu-thermal-thermal_zone0", 52.1)


def test_a_sensor_that_comes_later_is_found(files: MachineFiles) -> None:
    sensors = Sensors(str(files.sys))
    assert sensors.read() == ()
    files.chip(0, "k10temp", "0000:00:18.3", temp1_input=40000)
    seen = [len(sensors.read()) for _ in range(LOOK_AFTER_SWEEPS)]
    assert seen[-1] == 1


def test_the_parts_of_a_processor_are_not_added_to_the_whole(files: MachineFiles) -> None:
    files.energy("intel-rapl:0", "package-0", 5_000_000)
    files.energy("intel-rapl:0:0", "core", 3_000_000)
    files.energy("intel-rapl:1", "psys", 9_000_000)
    files.energy("intel-rapl-mmio:0", "package-0", 5_000_000)
    (counter,) = read_energy(str(files.sys))
    assert (counter.name, counter.energy_uj) == ("package-0", 5_000_000)
    assert counter.full_at_uj == 262_143_328_850


def test_a_counter_that_may_not_be_read_is_unknown(files: MachineFiles) -> None:
    files.put("sys/class/powercap/intel-rapl:0/name", "package-0\n")
    assert read_energy(str(files.sys)) == ()
