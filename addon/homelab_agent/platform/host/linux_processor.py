"""What the processors do."""

import os
from collections.abc import Sequence

from homelab_agent.platform.host.linux_files import read_int, read_text
from homelab_agent.platform.host.machine import CpuTimes

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_TIMES = 8
"""user, nice, system, idle, iowait, irq, softirq, steal; what follows is in `user` already."""

_KHZ_PER_MHZ = 1000


def read_cpu_times(proc: str) -> tuple[CpuTimes | None, tuple[CpuTimes, ...]]:
    """Return the times of all processors together, and of each."""
    together: CpuTimes | None = None
    cores: list[CpuTimes] = []
    for line in (read_text(f"{proc}/stat") or "").splitlines():
        if not line.startswith("cpu"):
            break
        name, *times = line.split()
        if len(times) < _TIMES:
            continue
        if name == "cpu":
            together = _cpu_times(times)
        else:
            cores.append(_cpu_times(times))
    return together, tuple(cores)


def read_load(proc: str) -> tuple[float, float, float] | None:
    """Return the load averages of one, five and fifteen minutes."""
    words = (read_text(f"{proc}/loadavg") or "").split()
    try:
        return float(words[0]), float(words[1]), float(words[2])
    except IndexError, ValueError:
        return None


def count_processes(proc: str) -> int | None:
    """Return how many processes there are."""
    try:
        return sum(name.isdigit() for name in os.listdir(proc))  # noqa: PTH208  # names only
    except OSError:
        return None


def frequency_files(sys: str) -> tuple[str, ...]:
    """Return the files that tell how fast the processors run now."""
    folder = f"{sys}/devices/system/cpu/cpufreq"
    try:
        policies = sorted(os.listdir(folder))  # noqa: PTH208  # names only
    except OSError:
        return ()
    return tuple(
        f"{folder}/{name}/scaling_cur_freq" for name in policies if name.startswith("policy")
    )


def read_frequency_mhz(files: Sequence[str]) -> float | None:
    """Return how fast the processors run, on average."""
    known = [khz for file in files if (khz := read_int(file)) is not None]
    return sum(known) / len(known) / _KHZ_PER_MHZ if known else None


def _cpu_times(times: Sequence[str]) -> CpuTimes:
    user, nice, system, idle, iowait, irq, softirq, steal = (
        int(each) / _TICKS_PER_S for each in times[:_TIMES]
    )
    return CpuTimes(
        user_s=user + nice,
        system_s=system + irq + softirq,
        idle_s=idle,
        iowait_s=iowait,
        steal_s=steal,
    )
