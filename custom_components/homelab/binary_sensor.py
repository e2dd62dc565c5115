"""Binary sensors: whether a container runs, and whether the agent reaches Docker."""

from collections.abc import Sequence
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Container, ContainerState, EngineConnection
from .client.kinds import CONTAINER
from .coordinator import HomelabConfigEntry
from .entity import ContainerEntity, HostEntity

PARALLEL_UPDATES = 0

# The switch shows the same to most people, so this one waits to be asked for.
RUNNING = BinarySensorEntityDescription(
    key="running",
    device_class=BinarySensorDeviceClass.RUNNING,
    entity_registry_enabled_default=False,
)
DOCKER = BinarySensorEntityDescription(
    key="docker",
    translation_key="docker",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the host's connection, and each container as it comes."""
    coordinator = entry.runtime_data
    async_add_entities([DockerConnection(coordinator, DOCKER)])

    @callback
    def add(containers: Sequence[Container]) -> None:
        async_add_entities(
            ContainerRunning(coordinator, RUNNING, container) for container in containers
        )

    entry.async_on_unload(coordinator.async_on_new(CONTAINER, add))


class ContainerRunning(ContainerEntity, BinarySensorEntity):
    """Whether a container's processes run (a paused one's do not)."""

    @override
    def value(self) -> bool | None:
        return self.of_thing(lambda container: container.state is ContainerState.RUNNING)

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it runs."""
        return self.value()


class DockerConnection(HostEntity, BinarySensorEntity):
    """Whether the agent reaches its Docker engine. Stays available while it does not."""

    @override
    def value(self) -> bool | None:
        engine = self.engine
        return None if engine is None else engine.connection is EngineConnection.CONNECTED

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether Docker answers."""
        return self.value()
