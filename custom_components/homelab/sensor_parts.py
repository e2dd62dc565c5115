"""The sensors of the parts of a host: file systems, interfaces, disks, temperatures and fans."""

import re
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    REVOLUTIONS_PER_MINUTE,
    EntityCategory,
    UnitOfDataRate,
    UnitOfInformation,
    UnitOfTime,
)

from .client import (
    Filesystem,
    HostSensor,
    HostSensorType,
    InterfaceType,
    Kind,
    NetworkInterface,
)
from .client.kinds import (
    BLOCK_DEVICE,
    DISK_FORECAST,
    DISK_HEALTH,
    FILESYSTEM,
    HOST_SENSOR,
    NETWORK_INTERFACE,
    NETWORK_TRAFFIC,
)
from .sensor_description import ResourceSensorDescription, count, percent, rate, size, temperature

_DIAGNOSTIC: Final = EntityCategory.DIAGNOSTIC
_TOTAL: Final = SensorStateClass.TOTAL_INCREASING
_GIB: Final = UnitOfInformation.GIBIBYTES
_MBIT: Final = UnitOfDataRate.MEGABITS_PER_SECOND

_PROCESSOR: Final = re.compile(
    r"coretemp Package id 0|k10temp Tctl|zenpower Tdie|cpu.thermal|soc.thermal|x86_pkg_temp"
)
"""What the drivers of common processors call the temperature of the whole of it."""
_OF_FIRMWARE: Final = frozenset({"/boot/efi", "/boot/firmware", "/efi"})
"""File systems that only updates of the system write to."""
_DOCKER_BRIDGE: Final = re.compile(r"br-[0-9a-f]{12}")


def _is_processor(sensor: HostSensor) -> bool:
    return _PROCESSOR.match(sensor.name) is not None


def _is_temperature(sensor: HostSensor) -> bool:
    return sensor.type is HostSensorType.TEMPERATURE


def _is_fan(sensor: HostSensor) -> bool:
    return sensor.type is HostSensorType.FAN


def _fills_up(filesystem: Filesystem) -> bool:
    return filesystem.key not in _OF_FIRMWARE


def _leads_outside(interface: NetworkInterface) -> bool:
    return interface.carries_default_route


def has_entities(interface: NetworkInterface) -> bool:
    """Return whether an interface is worth a look.

    The one within the machine is not, nor are the bridges of Docker's networks: there are many,
    and they have another name after each `docker compose down`.
    """
    of_docker = _DOCKER_BRIDGE.fullmatch(interface.key) is not None
    return interface.type is not InterfaceType.LOOPBACK and not of_docker


_FILESYSTEM: Final = (
    percent("used_percent", FILESYSTEM, lambda found: found.used_percent, default_fn=_fills_up),
    size("available", FILESYSTEM, lambda found: found.available_bytes, unit=_GIB),
    percent("inodes_percent", FILESYSTEM, lambda found: found.inodes_percent, category=_DIAGNOSTIC),
    ResourceSensorDescription(
        key="full_in",
        translation_key="full_in",
        kind=DISK_FORECAST,
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.DAYS,
        suggested_display_precision=0,
        value_fn=lambda forecast: forecast.days_until_full,
        default_fn=_fills_up,
    ),
)

_INTERFACE: Final = (
    rate(
        "receive_rate",
        NETWORK_TRAFFIC,
        lambda traffic: traffic.receive_bytes_per_s,
        unit=_MBIT,
        default_fn=_leads_outside,
    ),
    rate(
        "transmit_rate",
        NETWORK_TRAFFIC,
        lambda traffic: traffic.transmit_bytes_per_s,
        unit=_MBIT,
        default_fn=_leads_outside,
    ),
    size(
        "received",
        NETWORK_TRAFFIC,
        lambda traffic: traffic.receive_bytes,
        state_class=_TOTAL,
        unit=_GIB,
    ),
    size(
        "transmitted",
        NETWORK_TRAFFIC,
        lambda traffic: traffic.transmit_bytes,
        state_class=_TOTAL,
        unit=_GIB,
    ),
    count(
        "errors",
        NETWORK_TRAFFIC,
        lambda traffic: traffic.receive_errors + traffic.transmit_errors,
        state_class=_TOTAL,
        category=_DIAGNOSTIC,
    ),
    count(
        "drops",
        NETWORK_TRAFFIC,
        lambda traffic: traffic.receive_drops + traffic.transmit_drops,
        state_class=_TOTAL,
        category=_DIAGNOSTIC,
    ),
)

_SENSOR: Final = (
    temperature(
        "temperature",
        HOST_SENSOR,
        lambda sensor: sensor.value,
        default_fn=_is_processor,
        applies_fn=_is_temperature,
    ),
    ResourceSensorDescription(
        key="fan",
        translation_key="fan",
        kind=HOST_SENSOR,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=REVOLUTIONS_PER_MINUTE,
        suggested_display_precision=0,
        entity_category=_DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda sensor: sensor.value,
        applies_fn=_is_fan,
    ),
)

_DISK: Final = (
    percent("busy_percent", BLOCK_DEVICE, lambda disk: disk.busy_percent),
    rate("read_rate", BLOCK_DEVICE, lambda disk: disk.read_bytes_per_s),
    rate("write_rate", BLOCK_DEVICE, lambda disk: disk.write_bytes_per_s),
    size("disk_read", BLOCK_DEVICE, lambda disk: disk.read_bytes, state_class=_TOTAL, unit=_GIB),
    size(
        "disk_written", BLOCK_DEVICE, lambda disk: disk.write_bytes, state_class=_TOTAL, unit=_GIB
    ),
)

_DISK_HEALTH: Final = (
    temperature("disk_temperature", DISK_HEALTH, lambda health: health.temperature_c),
    percent(
        "wear", DISK_HEALTH, lambda health: health.wear_percent, precision=0, category=_DIAGNOSTIC
    ),
)

PART_SENSORS: Final[tuple[tuple[Kind[Any], tuple[ResourceSensorDescription[Any], ...]], ...]] = (
    (FILESYSTEM, _FILESYSTEM),
    (NETWORK_INTERFACE, _INTERFACE),
    (HOST_SENSOR, _SENSOR),
    (BLOCK_DEVICE, _DISK),
    (DISK_HEALTH, _DISK_HEALTH),
)
