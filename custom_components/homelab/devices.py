"""The devices of one agent: its host, and one for each thing that is more than a part of it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Final, TypedDict

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.event import async_call_later
from yarl import URL

from .client import AgentInfo, Container, Domain, Monitor, ProxyStatus, ServiceType
from .client.kinds import (
    CERTIFICATE,
    CONTAINER,
    DYNAMIC_ADDRESS,
    MANAGED_CERTIFICATE,
    MONITOR,
    PROXY,
    STACK,
    SWARM_SERVICE,
)
from .client.kinds import (
    DOMAIN as DOMAINS,
)
from .const import DOMAIN
from .subjects import Subject, Thing, name_of, subject_of

REMOVAL_DELAY_S: Final = 60.0
"""A container that returns within this time, as in a recreate, keeps its device and entities."""

type IsGone = Callable[[Subject], bool]


class Devices:
    """Registers and removes devices of one config entry. Only a settled absence removes.

    Parts of the host, and services that share the device of another, have entities only: those
    go in the same way.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        instance_id: str,
        is_gone: IsGone,
        on_leaving: Callable[[Subject], None],
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._instance_id = instance_id
        self._is_gone = is_gone
        self._on_leaving = on_leaving
        self._registry = dr.async_get(hass)
        self._entities = er.async_get(hass)
        self._leaving: dict[Subject, CALLBACK_TYPE] = {}
        self._without_device: set[Subject] | None = None
        self._invented = False

    @property
    def host_info(self) -> DeviceInfo:
        """What an entity of the host needs to find its device."""
        return DeviceInfo(identifiers={(DOMAIN, self._instance_id)})

    @property
    def host_id(self) -> str | None:
        """The id of the host's device."""
        device = self._registry.async_get_device_by_identifier(
            (DOMAIN, self._instance_id), self._entry.entry_id
        )
        return None if device is None else device.id

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
        """Register the device of something, below its stack or its host, or bring it up to date."""
        subject = subject_of(thing)
        self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={self._identifier(subject)},
            configuration_url=_address_of(thing),
            entry_type=DeviceEntryType.SERVICE,
            manufacturer="Docker" if subject.kind in _OF_DOCKER else "Homelab",
            model=_MODELS[subject.kind],
            model_id="demo" if self._invented else None,  # each page says that it is invented
            via_device_id=self._parent_of(thing),
            **_named(thing),
        )

    @callback
    def note(self, subject: Subject) -> None:
        """Take note of something that has entities, but no device of its own."""
        self._those_without_device().add(subject)

    @callback
    def move_below_stack(self, container: Container) -> None:
        """Hang a container's device below its stack, which came after it."""
        device_id = self.id_of(container.key)
        if device_id is not None:
            self._registry.async_update_device(device_id, via_device_id=self._parent_of(container))

    @callback
    def rename(self, thing: Thing) -> None:
        """Give the device of something the present name."""
        device_id = self.id_of_subject(subject_of(thing))
        if device_id is not None:
            self._registry.async_update_device(device_id, name=name_of(thing))

    @callback
    def move(self, thing: Thing, former: Subject, home: Subject) -> None:
        """Take the entities of something from one device to another; nothing else of them changes.

        A device of its own comes or goes with that.
        """
        subject = subject_of(thing)
        if home == subject:
            self.register(thing)
        else:
            self.note(subject)
        former_id, home_id = self.id_of_subject(former), self.id_of_subject(home)
        if former_id is None:
            return
        for entry in er.async_entries_for_device(
            self._entities, former_id, include_disabled_entities=True
        ):
            if self._is_of(entry, subject):
                self._entities.async_update_entity(entry.entity_id, device_id=home_id)
        if former == subject:
            self._registry.async_remove_device(former_id)

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
    def review(self) -> None:
        """Begin to remove what is gone, and leave off where it is not, or no longer for sure."""
        for subject in [one for one in self._leaving if not self._is_gone(one)]:
            self._leaving.pop(subject)()
        for subject in set(self._known()) - self._leaving.keys():
            if self._is_gone(subject):
                self._leaving[subject] = async_call_later(
                    self._hass, REMOVAL_DELAY_S, partial(self._remove, subject)
                )

    @callback
    def cancel(self) -> None:
        """Forget every removal that was begun."""
        while self._leaving:
            self._leaving.popitem()[1]()

    @callback
    def _remove(self, subject: Subject, _now: datetime) -> None:
        del self._leaving[subject]
        if not self._is_gone(subject):
            return
        self._on_leaving(subject)
        self._those_without_device().discard(subject)
        device_id = self.id_of_subject(subject)
        if device_id is not None:
            self._registry.async_remove_device(device_id)  # and all its entities
            return
        for entry in self._all_entities():
            if self._is_of(entry, subject):
                self._entities.async_remove(entry.entity_id)

    def _known(self) -> Iterator[Subject]:
        """Yield everything that has a device or entities."""
        for device in dr.async_entries_for_config_entry(self._registry, self._entry.entry_id):
            subject = self.subject_of(device)
            if subject is not None:
                yield subject
        yield from self._those_without_device()

    def _those_without_device(self) -> set[Subject]:
        """Return what has entities only. Those of earlier times are looked for once."""
        if self._without_device is None:
            found = (self._without_device_of(entry) for entry in self._all_entities())
            self._without_device = {subject for subject in found if subject is not None}
        return self._without_device

    def _without_device_of(self, entry: er.RegistryEntry) -> Subject | None:
        """Return the part, or what shares the device of another, that an entity belongs to."""
        thing, _, _ = entry.unique_id.removeprefix(f"{self._instance_id}:").rpartition(":")
        device = self._registry.async_get(entry.device_id) if entry.device_id else None
        if device is None or not thing:
            return None
        home = self.subject_of(device)
        if home is None:
            return Subject.part_of_id(thing)
        found = Subject.from_id(thing)
        return found if found != home and found.kind in _OF_SERVICES else None

    def _is_of(self, entry: er.RegistryEntry, subject: Subject) -> bool:
        return entry.unique_id.rpartition(":")[0] == f"{self._instance_id}:{subject.id}"

    def _all_entities(self) -> list[er.RegistryEntry]:
        return er.async_entries_for_config_entry(self._entities, self._entry.entry_id)

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
    MONITOR.name: "Monitor",
    CERTIFICATE.name: "Certificate",
    DOMAINS.name: "Domain",
    PROXY.name: "Caddy",
    DYNAMIC_ADDRESS.name: "Dynamic DNS",
    MANAGED_CERTIFICATE.name: "Managed certificate",
}
_OF_SERVICES: Final = frozenset(
    {MONITOR.name, CERTIFICATE.name, DYNAMIC_ADDRESS.name, MANAGED_CERTIFICATE.name}
)
"""What may share the device of another."""
_OF_DOCKER: Final = frozenset({CONTAINER.name, STACK.name, SWARM_SERVICE.name})


class _Name(TypedDict, total=False):
    """What a device is called: its name, or the key of the words for it."""

    name: str
    translation_key: str


def _named(thing: Thing) -> _Name:
    if isinstance(thing, ProxyStatus):
        return {"translation_key": "reverse_proxy"}
    return {"name": name_of(thing)}


def _address_of(thing: Thing) -> str | None:
    """Return the page of a domain, or that a monitor looks at, without what somebody logs in with.

    A wildcard is no page.
    """
    if isinstance(thing, Domain):
        is_page = thing.service_type is ServiceType.WEB and not thing.id.startswith("*")
        return f"https://{thing.id}" if is_page else None
    if not isinstance(thing, Monitor) or not thing.target.startswith(("http://", "https://")):
        return None
    try:
        address = URL(thing.target)
    except ValueError:
        return None
    return str(address.with_user(None)) if address.host else None
