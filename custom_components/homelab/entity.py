"""What all entities share: one resource each, written only when what it shows changed."""

from abc import abstractmethod
from collections.abc import Callable
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .client import (
    Container,
    DnsProvider,
    EngineStatus,
    HostSensor,
    Kind,
    Stack,
)
from .client.kinds import CONTAINER, MACHINE_KEY, STACK
from .coordinator import THE_ENGINE, HomelabCoordinator
from .listeners import Listened
from .subjects import Part, Subject, Thing, part_of, subject_of


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


class ResourceEntity[T](HomelabEntity):
    """An entity that shows something of one resource, and is there while that is."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        kind: Kind[T],
        key: str,
        unique_id: str,
        device_info: DeviceInfo,
    ) -> None:
        super().__init__(coordinator, description, (kind.name, key), unique_id, device_info)
        self.key = key
        self._kind = kind

    @property
    @override
    def available(self) -> bool:
        """Whether the agent tells of it."""
        return self.coordinator.connected and self.thing is not None

    @property
    def thing(self) -> T | None:
        """What this shows, as last seen; None where it is gone."""
        return self.coordinator.mirror.get(self._kind, self.key)

    def of_thing[V](self, read: Callable[[T], V]) -> V | None:
        """Return something of the thing; None where it is gone."""
        thing = self.thing
        return None if thing is None else read(thing)


class MachineEntity[T](ResourceEntity[T]):
    """An entity of what there is once per machine; it does not need Docker."""

    def __init__(
        self, coordinator: HomelabCoordinator, description: EntityDescription, kind: Kind[T]
    ) -> None:
        unique_id = f"{coordinator.instance_id}:{description.key}"
        device_info = coordinator.devices.host_info
        super().__init__(coordinator, description, kind, MACHINE_KEY, unique_id, device_info)


class SubjectEntity[T](ResourceEntity[T]):
    """An entity of a thing or of a part of the host.

    `subject` is what it is named after, `kind` what it shows of that: itself, or something that is
    known of it under the same key.
    """

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        subject: Subject,
        kind: Kind[T],
        device_info: DeviceInfo,
    ) -> None:
        unique_id = f"{coordinator.instance_id}:{subject.id}:{description.key}"
        super().__init__(coordinator, description, kind, subject.key, unique_id, device_info)
        self._subject = subject


class ThingEntity[T](SubjectEntity[T]):
    """An entity of a container, a stack or a swarm service."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        subject: Subject,
        kind: Kind[T],
    ) -> None:
        device_info = coordinator.devices.info_of(subject)
        super().__init__(coordinator, description, subject, kind, device_info)

    @property
    @override
    def available(self) -> bool:
        """Whether what is known of the thing is true right now."""
        return self.coordinator.engine_connected and self.thing is not None


class DetailEntity[T](SubjectEntity[T]):
    """An entity that is there while its subject is; what is not known of that yet is unknown."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the subject too, where something else is shown of it."""
        await super().async_added_to_hass()
        resource = (self._subject.kind, self._subject.key)
        if resource != self._resource:
            self.async_on_remove(self.coordinator.async_listen(resource, self._on_change))

    @property
    @override
    def available(self) -> bool:
        """Whether the agent tells of the subject."""
        subject = (self._subject.kind, self._subject.key)
        return self.coordinator.connected and self.coordinator.mirror.has(subject)


class PartEntity[T](DetailEntity[T]):
    """An entity of a part of the host, such as a disk; on the host's device, named after it."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        part: Part,
        kind: Kind[T],
    ) -> None:
        subject, device_info = part_of(part), coordinator.devices.host_info
        super().__init__(coordinator, description, subject, kind, device_info)
        self._attr_translation_placeholders = {"name": _name_of(part)}


class ServiceEntity[T](DetailEntity[T]):
    """An entity of something that the agent looks after; it does not need Docker.

    It is on a device of its own, or on that of another. Where there may be several, as on a
    container's, its name begins with that of the monitor or certificate.
    """

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EntityDescription,
        service: Thing,
        kind: Kind[T],
    ) -> None:
        subject = subject_of(service)
        device_info = coordinator.devices.info_of(coordinator.homes.where(subject))
        super().__init__(coordinator, description, subject, kind, device_info)
        self._place: tuple[Subject, str] | None = None
        self._settle()

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for another place, too; it may have moved since it was made."""
        await super().async_added_to_hass()
        self._settle()
        self.async_on_remove(self.coordinator.async_listen_place(self._subject, self._on_settled))

    @callback
    @override
    def async_registry_entry_updated(self) -> None:
        """Bear the name that is right on the device where it is now."""
        self._settle()

    @callback
    def _on_settled(self) -> None:
        if self._settle():
            self.async_write_ha_state()

    def _settle(self) -> bool:
        """Take the device and the name that are right now; return whether they are others."""
        homes = self.coordinator.homes
        place = homes.where(self._subject), homes.name_before(self._subject)
        if place == self._place:
            return False
        self._place = place
        home, name = place
        self._attr_device_info = self.coordinator.devices.info_of(home)
        self._attr_translation_placeholders = {"of": f"{name} " if name else ""}
        # Home Assistant composes a name once only.
        self.__dict__.pop("name", None)
        return True


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


def _name_of(part: Part) -> str:
    """Return what people know a part of the host by."""
    return part.name if isinstance(part, HostSensor | DnsProvider) else part.key
