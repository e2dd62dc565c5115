"""The devices of one agent: its host, and a device per container while the container exists."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.event import async_call_later

from .client import AgentInfo, Container
from .const import DOMAIN

REMOVAL_DELAY_S: Final = 60.0
"""A container that returns within this time, as in a recreate, keeps its device and entities."""


class Devices:
    """Registers and removes devices of one config entry. Only a settled absence removes."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        instance_id: str,
        on_removed: Callable[[str], None],
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._instance_id = instance_id
        self._on_removed = on_removed
        self._registry = dr.async_get(hass)
        self._leaving: dict[str, CALLBACK_TYPE] = {}

    @property
    def host_info(self) -> DeviceInfo:
        """What an entity of the host needs to find its device."""
        return DeviceInfo(identifiers={(DOMAIN, self._instance_id)})

    @callback
    def register_host(self, agent: AgentInfo | None) -> None:
        """Register the host device, or bring it up to date."""
        self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={(DOMAIN, self._instance_id)},
            entry_type=DeviceEntryType.SERVICE,
            manufacturer="Homelab",
            model="Demo Docker host" if agent and agent.demo else "Docker host",
            name=agent.name if agent else self._entry.title,
            sw_version=agent.version if agent else None,
        )

    def container_info(self, container: Container) -> DeviceInfo:
        """Return the device of a container, below that of its host."""
        return DeviceInfo(
            identifiers={self._identifier(container.key)},
            entry_type=DeviceEntryType.SERVICE,
            manufacturer="Docker",
            model="Container",
            name=container.name,
            via_device_id=dr.async_get_device_id_by_identifier(
                self._hass, (DOMAIN, self._instance_id), config_entry_id=self._entry.entry_id
            ),
        )

    @callback
    def rename(self, container: Container) -> None:
        """Give the device the container's present name."""
        device_id = self.id_of(container.key)
        if device_id is not None:
            self._registry.async_update_device(device_id, name=container.name)

    @callback
    def id_of(self, key: str) -> str | None:
        """Return the id of a container's device."""
        device = self._registry.async_get_device_by_identifier(
            self._identifier(key), self._entry.entry_id
        )
        return None if device is None else device.id

    @callback
    def key_of(self, device: dr.AnyDeviceEntry) -> str | None:
        """Return the key of the container that a device stands for; None for the host."""
        prefix = f"{self._instance_id}:"
        for domain, identifier in device.identifiers:
            if domain == DOMAIN and identifier.startswith(prefix):
                return identifier.removeprefix(prefix)
        return None

    @callback
    def review(self, present: Collection[str], *, settled: bool) -> None:
        """Begin to remove the devices of containers that are gone.

        Without a settled view (agent or Docker away) nothing is known to be gone.
        """
        for key in list(self._leaving):
            if key in present or not settled:
                self._leaving.pop(key)()
        if not settled:
            return
        for device in dr.async_entries_for_config_entry(self._registry, self._entry.entry_id):
            gone = self.key_of(device)
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
    def _remove(self, key: str, _now: datetime) -> None:
        del self._leaving[key]
        device_id = self.id_of(key)
        if device_id is not None:
            self._registry.async_remove_device(device_id)
        self._on_removed(key)

    def _identifier(self, key: str) -> tuple[str, str]:
        return DOMAIN, f"{self._instance_id}:{key}"
