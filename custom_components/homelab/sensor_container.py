"""The sensors of a container."""

from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory

from .client import Container, ContainerHealth, ContainerState
from .client.kinds import CONTAINER, CONTAINER_STATS
from .sensor_description import (
    ResourceSensorDescription,
    count,
    known,
    options_of,
    percent,
    rate,
    size,
)

_TOTAL: Final = SensorStateClass.TOTAL_INCREASING


def _health(container: Container) -> str | None:
    """Return the verdict; one that is still to come, as while it is stopped, is unknown."""
    if container.has_health_check and container.health is ContainerHealth.NONE:
        return None
    return known(container.health)


_FACTS: Final = (
    ResourceSensorDescription(
        key="state",
        translation_key="state",
        kind=CONTAINER,
        device_class=SensorDeviceClass.ENUM,
        options=options_of(ContainerState),
        value_fn=lambda container: known(container.state),
    ),
    ResourceSensorDescription(
        key="health",
        translation_key="health",
        kind=CONTAINER,
        device_class=SensorDeviceClass.ENUM,
        options=options_of(ContainerHealth),
        value_fn=_health,
        default_fn=lambda container: container.has_health_check,
    ),
    ResourceSensorDescription(
        key="image",
        translation_key="image",
        kind=CONTAINER,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda container: container.image,
    ),
    ResourceSensorDescription(
        key="started_at",
        translation_key="started_at",
        kind=CONTAINER,
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda container: container.started_at,
    ),
    ResourceSensorDescription(
        key="last_exit",
        translation_key="last_exit",
        kind=CONTAINER,
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda container: container.finished_at,
    ),
    ResourceSensorDescription(
        key="exit_code",
        translation_key="exit_code",
        kind=CONTAINER,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda container: container.exit_code,
    ),
    ResourceSensorDescription(
        key="restart_count",
        translation_key="restart_count",
        kind=CONTAINER,
        state_class=_TOTAL,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda container: container.restart_count,
    ),
)

_USE: Final = (
    percent("cpu", CONTAINER_STATS, lambda stats: stats.cpu_percent, enabled=True),
    size("memory", CONTAINER_STATS, lambda stats: stats.memory_bytes, enabled=True),
    size("memory_limit", CONTAINER_STATS, lambda stats: stats.memory_limit_bytes),
    percent("memory_percent", CONTAINER_STATS, lambda stats: stats.memory_percent),
    size(
        "network_receive",
        CONTAINER_STATS,
        lambda stats: stats.network_receive_bytes,
        state_class=_TOTAL,
    ),
    size(
        "network_transmit",
        CONTAINER_STATS,
        lambda stats: stats.network_transmit_bytes,
        state_class=_TOTAL,
    ),
    rate("network_receive_rate", CONTAINER_STATS, lambda stats: stats.network_receive_bytes_per_s),
    rate(
        "network_transmit_rate", CONTAINER_STATS, lambda stats: stats.network_transmit_bytes_per_s
    ),
    size("block_read", CONTAINER_STATS, lambda stats: stats.block_read_bytes, state_class=_TOTAL),
    size("block_write", CONTAINER_STATS, lambda stats: stats.block_write_bytes, state_class=_TOTAL),
    rate("block_read_rate", CONTAINER_STATS, lambda stats: stats.block_read_bytes_per_s),
    rate("block_write_rate", CONTAINER_STATS, lambda stats: stats.block_write_bytes_per_s),
    count("processes", CONTAINER_STATS, lambda stats: stats.processes),
)

CONTAINER_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (*_FACTS, *_USE)
