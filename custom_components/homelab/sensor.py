"""Sensors: what containers, stacks, swarm services and their host are, do and use."""

from collections.abc import Sequence
from typing import Any, override

from homeassistant.components.sensor import (
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Kind, Swarm, SwarmRole, UpdateState
from .client.kinds import (
    AGENT,
    AGENT_KEY,
    CONTAINER,
    CONTAINER_UPDATE,
    HOST_KEY,
    STACK,
    SWARM,
    SWARM_SERVICE,
)
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import HostEntity, ThingEntity
from .sensor_container import CONTAINER_SENSORS
from .sensor_description import ResourceSensorDescription, Value
from .sensor_host import HOST_SENSORS, MANAGER_SENSORS
from .sensor_stack import STACK_SENSORS, SWARM_SERVICE_SENSORS
from .subjects import Thing, subject_of

PARALLEL_UPDATES = 0

UPDATES_AVAILABLE = SensorEntityDescription(
    key="updates_available",
    translation_key="updates_available",
    state_class=SensorStateClass.MEASUREMENT,
)

_OF_THINGS: tuple[tuple[Kind[Any], tuple[ResourceSensorDescription[Any], ...]], ...] = (
    (CONTAINER, CONTAINER_SENSORS),
    (STACK, STACK_SENSORS),
    (SWARM_SERVICE, SWARM_SERVICE_SENSORS),
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the host's sensors, and those of each thing as it comes."""
    coordinator = entry.runtime_data
    async_add_entities(HostSensor(coordinator, description) for description in HOST_SENSORS)
    async_add_entities([UpdatesAvailable(coordinator)])

    @callback
    def add_manager(_swarm: Sequence[Swarm]) -> None:
        async_add_entities(HostSensor(coordinator, description) for description in MANAGER_SENSORS)

    entry.async_on_unload(coordinator.async_on_new(SWARM, add_manager, wanted=_manages))
    for kind, descriptions in _OF_THINGS:
        entry.async_on_unload(_add_new(coordinator, kind, descriptions, async_add_entities))


class ThingSensor[T](ThingEntity[T], SensorEntity):
    """One fact about a container, a stack or a swarm service."""

    entity_description: ResourceSensorDescription[T]

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: ResourceSensorDescription[T],
        thing: Thing,
    ) -> None:
        super().__init__(coordinator, description, subject_of(thing), description.kind)
        if description.default_fn is not None:
            self._attr_entity_registry_enabled_default = bool(self.of_thing(description.default_fn))

    @override
    def value(self) -> Value:
        return self.of_thing(self.entity_description.value_fn)

    @property
    @override
    def native_value(self) -> Value:
        """The fact as it is now."""
        return self.value()


class HostSensor[T](HostEntity, SensorEntity):
    """One fact about the host."""

    entity_description: ResourceSensorDescription[T]

    def __init__(
        self, coordinator: HomelabCoordinator, description: ResourceSensorDescription[T]
    ) -> None:
        self._kind = description.kind
        self._key = AGENT_KEY if description.kind.name == AGENT.name else HOST_KEY
        super().__init__(coordinator, description, (self._kind.name, self._key))

    @property
    @override
    def available(self) -> bool:
        """What is said of Docker is only known while Docker answers."""
        if self._kind.name == AGENT.name:
            return super().available
        return self.coordinator.engine_connected

    @override
    def value(self) -> Value:
        found = self.coordinator.mirror.get(self._kind, self._key)
        return None if found is None else self.entity_description.value_fn(found)

    @property
    @override
    def native_value(self) -> Value:
        """The fact as it is now."""
        return self.value()


class UpdatesAvailable(HostEntity, SensorEntity):
    """How many containers could run a newer image; unknown while nothing was looked for."""

    def __init__(self, coordinator: HomelabCoordinator) -> None:
        super().__init__(coordinator, UPDATES_AVAILABLE, (CONTAINER_UPDATE.name, None))

    @property
    @override
    def available(self) -> bool:
        """Known only while Docker answers."""
        return self.coordinator.engine_connected

    @override
    def value(self) -> int | None:
        updates = self.coordinator.mirror.every(CONTAINER_UPDATE)
        if not updates:
            return None
        return sum(update.state is UpdateState.AVAILABLE for update in updates)

    @property
    @override
    def native_value(self) -> int | None:
        """The number as it is now."""
        return self.value()


def _manages(swarm: Swarm) -> bool:
    return swarm.role is SwarmRole.MANAGER


def _add_new(
    coordinator: HomelabCoordinator,
    kind: Kind[Any],
    descriptions: Sequence[ResourceSensorDescription[Any]],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> CALLBACK_TYPE:
    @callback
    def add(things: Sequence[Thing]) -> None:
        async_add_entities(
            ThingSensor(coordinator, description, thing)
            for thing in things
            for description in descriptions
        )

    return coordinator.async_on_new(kind, add)
