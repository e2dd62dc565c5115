"""The sensors of what there is once per machine: its load, its power, its network."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfEnergy, UnitOfInformation, UnitOfPower

from .client import HostStats, Kind
from .client.kinds import (
    HOST_INFO,
    HOST_POWER,
    HOST_STATS,
    NETWORK_CONNECTIONS,
    NETWORK_STATUS,
)
from .client.models import Pressure
from .sensor_description import (
    ResourceSensorDescription,
    count,
    fact,
    percent,
    rate,
    size,
)

_DIAGNOSTIC: Final = EntityCategory.DIAGNOSTIC


def _load(
    key: str, value_fn: Callable[[HostStats], float | None]
) -> ResourceSensorDescription[HostStats]:
    """Return a sensor of how many processes wanted to run; the figure has no unit."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=HOST_STATS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        entity_registry_enabled_default=False,
        value_fn=value_fn,
    )


def _waiting(pressure: Pressure | None) -> float | None:
    return None if pressure is None else pressure.some_60s_percent


_LOAD: Final = (
    percent("host_cpu", HOST_STATS, lambda stats: stats.cpu_percent, enabled=True),
    percent("host_memory_percent", HOST_STATS, lambda stats: stats.memory_percent, enabled=True),
    size(
        "host_memory_used",
        HOST_STATS,
        lambda stats: stats.memory_used_bytes,
        unit=UnitOfInformation.GIBIBYTES,
    ),
    size(
        "host_memory_available",
        HOST_STATS,
        lambda stats: stats.memory_available_bytes,
        unit=UnitOfInformation.GIBIBYTES,
    ),
    percent("host_swap_percent", HOST_STATS, lambda stats: stats.swap_percent),
    percent("host_iowait", HOST_STATS, lambda stats: stats.cpu_iowait_percent),
    _load("host_load_1m", lambda stats: stats.load_1m),
    _load("host_load_5m", lambda stats: stats.load_5m),
    _load("host_load_15m", lambda stats: stats.load_15m),
    rate("host_disk_read_rate", HOST_STATS, lambda stats: stats.disk_read_bytes_per_s),
    rate("host_disk_write_rate", HOST_STATS, lambda stats: stats.disk_write_bytes_per_s),
    percent(
        "host_pressure_cpu",
        HOST_STATS,
        lambda stats: _waiting(stats.pressure_cpu),
        category=_DIAGNOSTIC,
    ),
    percent(
        "host_pressure_memory",
        HOST_STATS,
        lambda stats: _waiting(stats.pressure_memory),
        category=_DIAGNOSTIC,
    ),
    percent(
        "host_pressure_io",
        HOST_STATS,
        lambda stats: _waiting(stats.pressure_io),
        category=_DIAGNOSTIC,
    ),
    count("host_processes", HOST_STATS, lambda stats: stats.process_count, category=_DIAGNOSTIC),
    count("host_users", HOST_STATS, lambda stats: stats.users_count, category=_DIAGNOSTIC),
)

_POWER: Final = (
    ResourceSensorDescription(
        key="host_power",
        translation_key="host_power",
        kind=HOST_POWER,
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=1,
        value_fn=lambda power: power.power_w,
    ),
    ResourceSensorDescription(
        key="host_energy",
        translation_key="host_energy",
        kind=HOST_POWER,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=3,
        value_fn=lambda power: power.energy_kwh,
    ),
)

_NETWORK: Final = (
    fact("public_ipv4", NETWORK_STATUS, lambda status: status.public_ipv4.address, enabled=True),
    fact("public_ipv6", NETWORK_STATUS, lambda status: status.public_ipv6.address),
    count("exposed_ports", NETWORK_STATUS, lambda status: status.exposed_ports, enabled=True),
    count("listening_ports", NETWORK_STATUS, lambda status: status.listening_ports),
    count("neighbours", NETWORK_STATUS, lambda status: status.neighbours, category=_DIAGNOSTIC),
)

_CONNECTIONS: Final = (
    count("connections", NETWORK_CONNECTIONS, lambda connections: connections.established),
)

MACHINE_SENSORS: Final[tuple[tuple[Kind[Any], tuple[ResourceSensorDescription[Any], ...]], ...]] = (
    (
        HOST_INFO,
        (
            fact(
                "last_boot",
                HOST_INFO,
                lambda info: info.booted_at,
                device_class=SensorDeviceClass.TIMESTAMP,
                enabled=True,
            ),
            *_LOAD,
        ),
    ),
    (HOST_POWER, _POWER),
    (NETWORK_STATUS, (*_NETWORK, *_CONNECTIONS)),
)
"""Sensors, by the kind that has to be there first: what is asked for on demand comes later."""
