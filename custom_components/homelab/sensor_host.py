"""The sensors of a host."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import EntityCategory, UnitOfInformation

from .client import EngineStatus, Kind
from .client.kinds import AGENT, DISK_USAGE, ENGINE, ENGINE_STATS, SWARM
from .client.models import ContainerCounts, StatsSource
from .sensor_description import (
    ResourceSensorDescription,
    count,
    known,
    options_of,
    percent,
    rate,
    size,
)


def _containers(
    key: str, read: Callable[[ContainerCounts], int], *, enabled: bool = True
) -> ResourceSensorDescription[EngineStatus]:
    return count(
        key,
        ENGINE,
        lambda engine: None if engine.counts is None else read(engine.counts),
        enabled=enabled,
    )


def _size[T](
    key: str, kind: Kind[T], read: Callable[[T], int | None], *, enabled: bool = False
) -> ResourceSensorDescription[T]:
    return size(key, kind, read, unit=UnitOfInformation.GIBIBYTES, enabled=enabled)


_COUNTS: Final = (
    _containers("containers_running", lambda counts: counts.running),
    _containers("containers_stopped", lambda counts: counts.stopped),
    _containers("containers_unhealthy", lambda counts: counts.unhealthy),
    _containers("containers_paused", lambda counts: counts.paused, enabled=False),
    _containers("containers_restarting", lambda counts: counts.restarting, enabled=False),
    _containers("containers_total", lambda counts: counts.total, enabled=False),
)

_USE: Final = (
    percent("containers_cpu", ENGINE_STATS, lambda stats: stats.cpu_percent, enabled=True),
    _size("containers_memory", ENGINE_STATS, lambda stats: stats.memory_bytes, enabled=True),
    percent("containers_memory_percent", ENGINE_STATS, lambda stats: stats.memory_percent),
    rate(
        "containers_network_receive_rate",
        ENGINE_STATS,
        lambda stats: stats.network_receive_bytes_per_s,
    ),
    rate(
        "containers_network_transmit_rate",
        ENGINE_STATS,
        lambda stats: stats.network_transmit_bytes_per_s,
    ),
    rate("containers_block_read_rate", ENGINE_STATS, lambda stats: stats.block_read_bytes_per_s),
    rate("containers_block_write_rate", ENGINE_STATS, lambda stats: stats.block_write_bytes_per_s),
    count("containers_processes", ENGINE_STATS, lambda stats: stats.processes),
    ResourceSensorDescription(
        key="statistics_source",
        translation_key="statistics_source",
        kind=ENGINE_STATS,
        device_class=SensorDeviceClass.ENUM,
        options=options_of(StatsSource),
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda stats: known(stats.source),
    ),
)

_DISK: Final = (
    _size("disk_images", DISK_USAGE, lambda usage: usage.images_bytes),
    _size("disk_volumes", DISK_USAGE, lambda usage: usage.volumes_bytes),
    _size("disk_containers", DISK_USAGE, lambda usage: usage.containers_bytes),
    _size("disk_build_cache", DISK_USAGE, lambda usage: usage.build_cache_bytes),
    _size("disk_reclaimable", DISK_USAGE, lambda usage: usage.reclaimable_bytes, enabled=True),
)

_VERSIONS: Final = (
    ResourceSensorDescription(
        key="agent_version",
        translation_key="agent_version",
        kind=AGENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda agent: agent.version,
    ),
    ResourceSensorDescription(
        key="docker_version",
        translation_key="docker_version",
        kind=ENGINE,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda engine: engine.version,
    ),
)

HOST_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    *_COUNTS,
    *_USE,
    *_DISK,
    *_VERSIONS,
)

MANAGER_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    count("swarm_nodes_ready", SWARM, lambda swarm: swarm.nodes_ready, enabled=True),
)
"""Of a host that manages a swarm."""
