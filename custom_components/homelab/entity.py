"""What all entities share: one resource each, written only when what it shows changed."""

from abc import abstractmethod
from collections.abc import Callable
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .client import Container, EngineStatus
from .client.models import CONTAINER_KIND
from .coordinator import ENGINE, HomelabCoordinator, ResourceId


class HomelabEntity(Entity):
    """An entity that listens to one resource of the agent."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        resource: ResourceId,
        unique_id: str,
        device_info: DeviceInfo,
    ) -> None:
        self.coordinator = coordinator
        self.entity_description = description
        self._attr_unique_id = unique_id
        self._attr_device_info = device_info
        self._resource = resource
        self._shown: tuple[bool, object] = (False, None)

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen; the first state is written right after this."""
        self._shown = (self.available, self.value())
        self.async_on_remove(self.coordinator.async_listen(self._resource, self._on_change))

    @abstractmethod
    def value(self) -> object:
        """Return what the state shows, to find out whether it changed."""

    @callback
    def _on_change(self) -> None:
        shown = (self.available, self.value())
        if shown != self._shown:
            self._shown = shown
            self.async_write_ha_state()


class HostEntity(HomelabEntity):
    """An entity of the host itself."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        resource: ResourceId = ENGINE,
    ) -> None:
        super().__init__(
            coordinator,
            description,
            resource,
            f"{coordinator.instance_id}:{description.key}",
            coordinator.devices.host_info,
        )

    @property
    @override
    def available(self) -> bool:
        """Whether the agent is connected; its Docker may still be away."""
        return self.coordinator.connected

    @property
    def engine(self) -> EngineStatus | None:
        """The host's Docker engine."""
        return self.coordinator.engine


class ContainerEntity(HomelabEntity):
    """An entity of one container."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        container: Container,
    ) -> None:
        super().__init__(
            coordinator,
            description,
            (CONTAINER_KIND, container.key),
            f"{coordinator.instance_id}:{container.key}:{description.key}",
            coordinator.devices.container_info(container),
        )
        self.key = container.key

    @property
    @override
    def available(self) -> bool:
        """Whether what is known of the container is true right now."""
        return self.coordinator.engine_connected and self.container is not None

    @property
    def container(self) -> Container | None:
        """The container as last seen; None where it is gone."""
        return self.coordinator.container(self.key)

    def of_container[T](self, read: Callable[[Container], T]) -> T | None:
        """Return something of the container; None where it is gone."""
        container = self.container
        return None if container is None else read(container)
