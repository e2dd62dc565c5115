"""Temperatures and fans."""

import os
import re
from dataclasses import dataclass

from homelab_agent.platform.host.linux_files import read_int, read_word
from homelab_agent.platform.host.machine import HostSensorType, SensorReading

LOOK_AFTER_SWEEPS = 30
"""Drivers are loaded and disks plugged in: after so many readings it is looked anew."""

_INPUT = re.compile(r"(temp|fan)(\d+)_input")
_ASLEEP = frozenset({"drivetemp"})
"""Asking these keeps a disk from going to sleep; SMART tells its temperature now and then."""

_THOUSANDTHS = 1000
_COLDEST_C, _HOTTEST_C = -60, 250
"""What is beyond is a sensor that is not connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sensor:
    file: str
    key: str
    name: str
    type: HostSensorType
    high: float | None
    critical: float | None


class Sensors:
    """Reads the sensors of the machine; where they are is looked for now and then."""

    def __init__(self, sys: str) -> None:
        self._sys = sys
        self._sensors: tuple[_Sensor, ...] = ()
        self._left = 0

    def read(self) -> tuple[SensorReading, ...]:
        """Return every sensor that tells something."""
        if self._left == 0:
            self._sensors = _find(self._sys)
            self._left = LOOK_AFTER_SWEEPS
        self._left -= 1
        return tuple(reading for sensor in self._sensors if (reading := _read(sensor)) is not None)


def _read(sensor: _Sensor) -> SensorReading | None:
    raw = read_int(sensor.file)
    if raw is None:
        return None
    value = float(raw)
    if sensor.type is HostSensorType.TEMPERATURE:
        value /= _THOUSANDTHS
        if not _COLDEST_C < value < _HOTTEST_C:
            return None
    return SensorReading(
        key=sensor.key,
        name=sensor.name,
        type=sensor.type,
        value=value,
        high=sensor.high,
        critical=sensor.critical,
    )


def _find(sys: str) -> tuple[_Sensor, ...]:
    found: list[_Sensor] = []
    folder = f"{sys}/class/hwmon"
    for chip in _names(folder):
        found += _of_chip(f"{folder}/{chip}")
    if not any(each.type is HostSensorType.TEMPERATURE for each in found):
        found += _zones(f"{sys}/class/thermal")
    # Two alike, as two disks of one kind on one connection, could not be told apart.
    return tuple({sensor.key: sensor for sensor in reversed(found)}.values())[::-1]


def _of_chip(folder: str) -> list[_Sensor]:
    chip = read_word(f"{folder}/name")
    if chip is None or chip in _ASLEEP:
        return []
    # The number in hwmon3 is given anew at each boot; where the chip sits stays the same.
    device = os.path.basename(os.path.realpath(f"{folder}/device"))  # noqa: PTH119
    place = f"{chip}-{device}" if os.path.exists(f"{folder}/device") else chip  # noqa: PTH110
    sensors = []
    for file in _names(folder):
        match = _INPUT.fullmatch(file)
        if match is None:
            continue
        kind, number = match.groups()
        label = read_word(f"{folder}/{kind}{number}_label")
        is_temperature = kind == "temp"
        sensors.append(
            _Sensor(
                file=f"{folder}/{file}",
                key=f"{place}-{kind}{number}",
                name=f"{chip} {label or f'{kind} {number}'}",
                type=HostSensorType.TEMPERATURE if is_temperature else HostSensorType.FAN,
                high=_limit(f"{folder}/{kind}{number}_max") if is_temperature else None,
                critical=_limit(f"{folder}/{kind}{number}_crit") if is_temperature else None,
            )
        )
    return sensors


def _zones(folder: str) -> list[_Sensor]:
    """Return the thermal zones, which small boards have instead."""
    return [
        _Sensor(
            file=f"{folder}/{zone}/temp",
            key=f"{kind}-{zone}",
            name=kind,
            type=HostSensorType.TEMPERATURE,
            high=None,
            critical=None,
        )
        for zone in _names(folder)
        if zone.startswith("thermal_zone")
        and (kind := read_word(f"{folder}/{zone}/type")) is not None
    ]


def _limit(file: str) -> float | None:
    """Return a limit in degrees; some chips have absurd ones, which mean none."""
    raw = read_int(file)
    if raw is None:
        return None
    degrees = raw / _THOUSANDTHS
    return degrees if 0 < degrees < _HOTTEST_C else None


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  # names only
    except OSError:
        return []
