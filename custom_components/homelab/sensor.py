"""Sensors: the state of each container, and counts and versions of the host."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Container, ContainerHealth, ContainerState, EngineStatus
from .client.kinds import CONTAINER
from .client.models import ContainerCounts
from .coordinator import THE_AGENT, THE_ENGINE, HomelabConfigEntry, HomelabCoordinator
from .entity import ContainerEntity, HostEntity
from .listeners import Listened

PARALLEL_UPDATES = 0

type Value = str | int | datetime | None


@dataclass(frozen=True, kw_only=True)
class ContainerSensorDescription(SensorEntityDescription):
    """A sensor of a container. `default_fn` says whether it is on for a new container."""

    value_fn: Callable[[Container], Value]
    default_fn: Callable[[Container], bool] | None = None


@dataclass(frozen=True, kw_only=True)
class HostSensorDescription(SensorEntityDescription):
    """A sensor of the host."""

    value_fn: Callable[[HomelabCoordinator], Value]
    resource: Listened = THE_ENGINE
    needs_docker: bool = True


def _options(values: type[ContainerState | ContainerHealth]) -> list[str]:
    return [value.value for value in values if value.value != "unknown"]


def _known(value: ContainerState | ContainerHealth) -> str | None:
    return None if value.value == "unknown" else value.value


def _health(container: Container) -> str | None:
    """Return the verdict; one that is still to come, as while it is stopped, is unknown."""
    if container.has_health_check and container.health is ContainerHealth.NONE:
        return None
    return _known(container.health)


CONTAINER_SENSORS = (
    ContainerSensorDescription(
        key="state",
        translation_key="state",
        device_class=SensorDeviceClass.ENUM,
        options=_options(ContainerState),
        value_fn=lambda container: _known(container.state),
    ),
    ContainerSensorDescription(
        key="health",
        translation_key="health",
        device_class=SensorDeviceClass.ENUM,
        options=_options(ContainerHealth),
        value_fn=_health,
        default_fn=lambda container: container.has_health_check,
    ),
    ContainerSensorDescription(
        key="image",
        translation_key="image",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda container: container.image,
    ),
    ContainerSensorDescription(
        key="started_at",
        translation_key="started_at",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda container: container.started_at,
    ),
    ContainerSensorDescription(
        key="restart_count",
        translation_key="restart_count",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda container: container.restart_count,
    ),
    ContainerSensorDescription(
        key="exit_code",
        translation_key="exit_code",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda container: container.exit_code,
    ),
)


def _count(read: Callable[[ContainerCounts], int]) -> Callable[[HomelabCoordinator], Value]:
    def value(coordinator: HomelabCoordinator) -> Value:
        counts = coordinator.engine.counts if coordinator.engine else None
        return None if counts is None else read(counts)

    return value


def _engine(read: Callable[[EngineStatus], Value]) -> Callable[[HomelabCoordinator], Value]:
    return lambda coordinator: read(coordinator.engine) if coordinator.engine else None


def _counter(
    key: str, read: Callable[[ContainerCounts], int], *, default: bool = True
) -> HostSensorDescription:
    return HostSensorDescription(
        key=key,
        translation_key=key,
        state_class=SensorStateClass.MEASUREMENT,
        entity_registry_enabled_default=default,
        value_fn=_count(read),
    )


HOST_SENSORS = (
    _counter("containers_running", lambda counts: counts.running),
    _counter("containers_stopped", lambda counts: counts.stopped),
    _counter("containers_unhealthy", lambda counts: counts.unhealthy),
    _counter("containers_paused", lambda counts: counts.paused, default=False),
    _counter("containers_restarting", lambda counts: counts.restarting, default=False),
    _counter("containers_total", lambda counts: counts.total, default=False),
    HostSensorDescription(
        key="agent_version",
        translation_key="agent_version",
        entity_category=EntityCategory.DIAGNOSTIC,
        resource=THE_AGENT,
        needs_docker=False,
        value_fn=lambda coordinator: coordinator.agent.version if coordinator.agent else None,
    ),
    HostSensorDescription(
        key="docker_version",
        translation_key="docker_version",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_engine(lambda engine: engine.version),
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the host's sensors, and each container's as it comes."""
    coordinator = entry.runtime_data
    async_add_entities(HostSensor(coordinator, description) for description in HOST_SENSORS)

    @callback
    def add(containers: Sequence[Container]) -> None:
        async_add_entities(
            ContainerSensor(coordinator, description, container)
            for container in containers
            for description in CONTAINER_SENSORS
        )

    entry.async_on_unload(coordinator.async_on_new(CONTAINER, add))


class ContainerSensor(ContainerEntity, SensorEntity):
    """One fact about one container."""

    entity_description: ContainerSensorDescription

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: ContainerSensorDescription,
        container: Container,
    ) -> None:
        super().__init__(coordinator, description, container)
        if description.default_fn is not None:
            self._attr_entity_registry_enabled_default = description.default_fn(container)

    @override
    def value(self) -> Value:
        return self.of_thing(self.entity_description.value_fn)

    @property
    @override
    def native_value(self) -> Value:
        """The fact as it is now."""
        return self.value()


class HostSensor(HostEntity, SensorEntity):
    """One fact about the host."""

    entity_description: HostSensorDescription

    def __init__(self, coordinator: HomelabCoordinator, description: HostSensorDescription) -> None:
        super().__init__(coordinator, description, description.resource)

    @property
    @override
    def available(self) -> bool:
        """Counts and the like are only known while Docker answers."""
        if self.entity_description.needs_docker:
            return self.coordinator.engine_connected
        return super().available

    @override
    def value(self) -> Value:
        return self.entity_description.value_fn(self.coordinator)

    @property
    @override
    def native_value(self) -> Value:
        """The fact as it is now."""
        return self.value()
