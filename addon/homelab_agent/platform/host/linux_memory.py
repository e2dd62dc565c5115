"""What of the memory is in use, and how long tasks wait."""

from collections.abc import Mapping

from homelab_agent.platform.host.linux_files import read_text
from homelab_agent.platform.host.machine import Memory, PressureReading

_KIB = 1024
_WAITED_FOR = ("cpu", "memory", "io")


def read_memory(proc: str) -> Memory | None:
    """Return what /proc/meminfo tells; None where it tells not enough."""
    sizes: dict[str, int] = {}
    for line in (read_text(f"{proc}/meminfo") or "").splitlines():
        name, _, rest = line.partition(":")
        number = rest.split()[:1]
        if number and number[0].isdigit():
            sizes[name] = int(number[0]) * _KIB
    try:
        return Memory(
            total_bytes=sizes["MemTotal"],
            available_bytes=sizes["MemAvailable"],
            cached_bytes=sizes["Cached"] + sizes["Buffers"] + sizes.get("SReclaimable", 0),
            swap_total_bytes=sizes["SwapTotal"],
            swap_free_bytes=sizes["SwapFree"],
        )
    except KeyError:
        return None


def read_pressure(proc: str) -> Mapping[str, PressureReading]:
    """Return the pressure of cpu, memory and io; a kernel without it has none."""
    return {
        name: reading
        for name in _WAITED_FOR
        if (text := read_text(f"{proc}/pressure/{name}")) is not None
        and (reading := _pressure(text)) is not None
    }


def _pressure(text: str) -> PressureReading | None:
    # "some avg10=1.97 avg60=4.67 avg300=2.23 total=3284147014", and the same of "full"
    shares: dict[str, float] = {}
    for line in text.splitlines():
        who, *pairs = line.split()
        for pair in pairs:
            name, _, value = pair.partition("=")
            try:
                shares[f"{who} {name}"] = float(value)
            except ValueError:
                return None
    if "some avg10" not in shares or "some avg60" not in shares:
        return None
    return PressureReading(
        some_10s_percent=shares["some avg10"],
        some_60s_percent=shares["some avg60"],
        full_10s_percent=shares.get("full avg10"),
        full_60s_percent=shares.get("full avg60"),
    )
