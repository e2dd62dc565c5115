"""What all entities share: one resource each, written only when what it shows changed."""

from abc import abstractmethod
from collections.abc import Callable
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .client import Container, EngineStatus, Kind, Stack
from .client.kinds import CONTAINER, STACK
from .coordinator import THE_ENGINE, HomelabCoordinator
from .listeners import Listened
from .subjects import Subject


class HomelabEntity(Entity):
    """An entity that listens to one resource of the agent."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        resource: Listened,
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
        resource: Listened = THE_ENGINE,
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


class ThingEntity[T](HomelabEntity):
    """An entity of a container, a stack or a swarm service.

    `subject` is whose device it belongs to, `kind` what it shows of that: the thing itself, or
    something that is known of it under the same key.
    """

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        subject: Subject,
        kind: Kind[T],
    ) -> None:
        super().__init__(
            coordinator,
            description,
            (kind.name, subject.key),
            f"{coordinator.instance_id}:{subject.id}:{description.key}",
            coordinator.devices.info_of(subject),
        )
        self.key = subject.key
        self._kind = kind

    @property
    @override
    def available(self) -> bool:
        """Whether what is known of the thing is true right now."""
        return self.coordinator.engine_connected and self.thing is not None

    @property
    def thing(self) -> T | None:
        """What this shows, as last seen; None where it is gone."""
        return self.coordinator.mirror.get(self._kind, self.key)

    def of_thing[V](self, read: Callable[[T], V]) -> V | None:
        """Return something of the thing; None where it is gone."""
        thing = self.thing
        return None if thing is None else read(thing)


class ContainerEntity(ThingEntity[Container]):
    """An entity of one container."""

    def __init__(
        self, coordinator: HomelabCoordinator, description: EntityDescription, container: Container
    ) -> None:
        subject = Subject(CONTAINER.name, container.key)
        super().__init__(coordinator, description, subject, CONTAINER)


class StackEntity(ThingEntity[Stack]):
    """An entity of one compose project."""

    def __init__(
        self, coordinator: HomelabCoordinator, description: EntityDescription, stack: Stack
    ) -> None:
        super().__init__(coordinator, description, Subject(STACK.name, stack.key), STACK)
