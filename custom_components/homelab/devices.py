"""The devices of one agent: its host, and one for each container, stack and swarm service."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.event import async_call_later

from .client import AgentInfo, Container, Kind, Stack, SwarmService
from .client.kinds import CONTAINER, STACK, SWARM_SERVICE
from .const import DOMAIN

type Thing = Container | Stack | SwarmService

REMOVAL_DELAY_S: Final = 60.0
"""A container that returns within this time, as in a recreate, keeps its device and entities."""

WITH_DEVICES: Final[tuple[Kind[Any], ...]] = (STACK, CONTAINER, SWARM_SERVICE)
"""Parents come first: a container of a stack hangs below it."""

_PREFIXED: Final = frozenset({STACK.name, SWARM_SERVICE.name})


@dataclass(frozen=True, slots=True)
class Subject:
    """What a device stands for: a resource of a kind that has devices."""

    kind: str
    key: str

    @property
    def id(self) -> str:
        """The name it is known by within its host. A container's has no colon or two of them."""
        return f"{self.kind}:{self.key}" if self.kind in _PREFIXED else self.key

    @classmethod
    def from_id(cls, text: str) -> Self:
        """Return what an id stands for."""
        kind, _, key = text.partition(":")
        if kind in _PREFIXED and ":" not in key:
            return cls(kind, key)
        return cls(CONTAINER.name, text)


class Devices:
    """Registers and removes devices of one config entry. Only a settled absence removes."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        instance_id: str,
        on_removed: Callable[[Subject], None],
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._instance_id = instance_id
        self._on_removed = on_removed
        self._registry = dr.async_get(hass)
        self._leaving: dict[Subject, CALLBACK_TYPE] = {}
        self._invented = False

    @property
    def host_info(self) -> DeviceInfo:
        """What an entity of the host needs to find its device."""
        return DeviceInfo(identifiers={(DOMAIN, self._instance_id)})

    def info_of(self, subject: Subject) -> DeviceInfo:
        """Return what an entity needs to find its device, which is registered already."""
        return DeviceInfo(identifiers={self._identifier(subject)})

    @callback
    def register_host(self, agent: AgentInfo | None) -> None:
        """Register the host device, or bring it up to date."""
        self._invented = agent is not None and agent.demo
        self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={(DOMAIN, self._instance_id)},
            entry_type=DeviceEntryType.SERVICE,
            manufacturer="Homelab",
            model="Demo Docker host" if self._invented else "Docker host",
            name=agent.name if agent else self._entry.title,
            sw_version=agent.version if agent else None,
        )

    @callback
    def register(self, thing: Thing) -> None:
        """Register the device of something new, below its stack or its host."""
        subject = subject_of(thing)
        self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={self._identifier(subject)},
            entry_type=DeviceEntryType.SERVICE,
            manufacturer="Docker",
            model=_MODELS[subject.kind],
            model_id="demo" if self._invented else None,  # each page says that it is invented
            name=thing.name,
            via_device_id=self._parent_of(thing),
        )

    @callback
    def move_below_stack(self, container: Container) -> None:
        """Hang a container's device below its stack, which came after it."""
        device_id = self.id_of(container.key)
        if device_id is not None:
            self._registry.async_update_device(device_id, via_device_id=self._parent_of(container))

    @callback
    def rename(self, container: Container) -> None:
        """Give the device the container's present name."""
        device_id = self.id_of(container.key)
        if device_id is not None:
            self._registry.async_update_device(device_id, name=container.name)

    @callback
    def id_of(self, key: str) -> str | None:
        """Return the id of a container's device."""
        return self.id_of_subject(Subject(CONTAINER.name, key))

    @callback
    def id_of_subject(self, subject: Subject) -> str | None:
        """Return the id of the device of something."""
        device = self._registry.async_get_device_by_identifier(
            self._identifier(subject), self._entry.entry_id
        )
        return None if device is None else device.id

    @callback
    def subject_of(self, device: dr.AnyDeviceEntry) -> Subject | None:
        """Return what a device stands for; None for the host."""
        prefix = f"{self._instance_id}:"
        for domain, identifier in device.identifiers:
            if domain == DOMAIN and identifier.startswith(prefix):
                return Subject.from_id(identifier.removeprefix(prefix))
        return None

    @callback
    def key_of(self, device: dr.AnyDeviceEntry) -> str | None:
        """Return the key of the container that a device stands for; None for all else."""
        subject = self.subject_of(device)
        return subject.key if subject and subject.kind == CONTAINER.name else None

    @callback
    def review(self, present: Collection[Subject], *, settled: bool) -> None:
        """Begin to remove the devices of what is gone.

        Without a settled view (agent or Docker away) nothing is known to be gone.
        """
        for subject in list(self._leaving):
            if subject in present or not settled:
                self._leaving.pop(subject)()
        if not settled:
            return
        for device in dr.async_entries_for_config_entry(self._registry, self._entry.entry_id):
            gone = self.subject_of(device)
            if gone is not None and gone not in present and gone not in self._leaving:
                self._leaving[gone] = async_call_later(
                    self._hass, REMOVAL_DELAY_S, partial(self._remove, gone)
                )

    @callback
    def cancel(self) -> None:
        """Forget every removal that was begun."""
        while self._leaving:
            self._leaving.popitem()[1]()

    @callback
    def _remove(self, subject: Subject, _now: datetime) -> None:
        del self._leaving[subject]
        device_id = self.id_of_subject(subject)
        if device_id is not None:
            self._registry.async_remove_device(device_id)
        self._on_removed(subject)

    def _parent_of(self, thing: Thing) -> str:
        """Return the device id of a container's stack where there is one, else of the host."""
        if isinstance(thing, Container) and thing.compose is not None:
            stack = self.id_of_subject(Subject(STACK.name, thing.compose.project))
            if stack is not None:
                return stack
        return dr.async_get_device_id_by_identifier(
            self._hass, (DOMAIN, self._instance_id), config_entry_id=self._entry.entry_id
        )

    def _identifier(self, subject: Subject) -> tuple[str, str]:
        return DOMAIN, f"{self._instance_id}:{subject.id}"


_MODELS: Final = {
    CONTAINER.name: "Container",
    STACK.name: "Compose stack",
    SWARM_SERVICE.name: "Swarm service",
}


def subject_of(thing: Thing) -> Subject:
    """Return what the device of a resource stands for."""
    match thing:
        case Container():
            return Subject(CONTAINER.name, thing.key)
        case Stack():
            return Subject(STACK.name, thing.key)
        case SwarmService():
            return Subject(SWARM_SERVICE.name, thing.key)
