"""What a target (devices, entities, areas, floors, labels) means among the devices of ours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

from .client import MonitorTier
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
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .subjects import Subject

HOST: Final = "host"
"""Stands in for the kind of a device that is a host."""

CONF_TIER: Final = "tier"
TIERS: Final = tuple(tier.value for tier in MonitorTier if tier is not MonitorTier.UNKNOWN)
OF_MONITORS: Final = frozenset({HOST, STACK.name, CONTAINER.name, MONITOR.name})
"""The kinds of devices that have monitors, or are one."""
OF_DOMAINS: Final = frozenset({HOST, DOMAINS.name})
"""The kinds of devices that have domains, or are one."""


@dataclass(frozen=True, slots=True)
class Target:
    """One device of ours. `subject` is None for a host."""

    coordinator: HomelabCoordinator
    host: str
    device_id: str
    name: str
    subject: Subject | None

    @property
    def kind(self) -> str:
        """The kind of what the device stands for, or `HOST`."""
        return HOST if self.subject is None else self.subject.kind

    def containers(self) -> Iterator[str]:
        """Yield the key of the container, or of all of the stack or the host."""
        match self.subject:
            case None:
                yield from (container.key for container in self.coordinator.containers)
            case Subject(kind=CONTAINER.name, key=key):
                yield key
            case Subject(kind=STACK.name, key=key):
                stack = self.coordinator.stack(key)
                for service in stack.services if stack else ():
                    yield from service.containers

    def domains(self) -> Iterator[str]:
        """Yield the id of the domain, or of all of the host."""
        if self.subject is None:
            yield from (domain.id for domain in self.coordinator.mirror.every(DOMAINS))
        elif self.subject.kind == DOMAINS.name:
            yield self.subject.key

    def monitors(self) -> Iterator[str]:
        """Yield the key of the monitor, or of all of the container, the stack or the host."""
        if self.subject is not None and self.subject.kind == MONITOR.name:
            yield self.subject.key
            return
        containers = set(self.containers())
        for monitor in self.coordinator.mirror.every(MONITOR):
            if self.subject is None or monitor.container in containers:
                yield monitor.key


@callback
def selected_devices(hass: HomeAssistant, config: Mapping[str, Any]) -> set[str]:
    """Return the ids of all devices that a target names, by whatever means."""
    selected = async_extract_referenced_entity_ids(hass, TargetSelection(dict(config)))
    entities = er.async_get(hass)
    found = (
        entities.async_get(entity_id)
        for entity_id in selected.referenced | selected.indirectly_referenced
    )
    return selected.referenced_devices | {
        entry.device_id for entry in found if entry is not None and entry.device_id is not None
    }


@callback
def targets_of(hass: HomeAssistant, config: Mapping[str, Any]) -> list[Target]:
    """Return the devices of connected hosts that a target names; those of others are left out."""
    found = (target_of(hass, device_id) for device_id in sorted(selected_devices(hass, config)))
    return [target for target in found if target is not None]


@callback
def target_of(hass: HomeAssistant, device_id: str) -> Target | None:
    """Return a device of ours; None where it is another's or its host is not set up right now."""
    entry: HomelabConfigEntry | None
    device, entry = _device_of_ours(hass, device_id)
    if device is None or entry is None or entry.state is not ConfigEntryState.LOADED:
        return None
    coordinator = entry.runtime_data
    return Target(
        coordinator,
        entry.title,
        device.id,
        device.name_by_user or device.name or device_id,
        coordinator.devices.subject_of(device),
    )


@callback
def kind_of(hass: HomeAssistant, device_id: str) -> str | None:
    """Return the kind of a device, also while its host is not set up; None of another's."""
    device, entry = _device_of_ours(hass, device_id)
    return None if device is None or entry is None else _kind_of(device, entry)


@callback
def validate_target(hass: HomeAssistant, config: Mapping[str, Any], kinds: frozenset[str]) -> None:
    """Refuse a target that can never mean anything, in words.

    A device that is not there is passed over while there is another: containers come and go.

    Raises:
        vol.Invalid: nothing is targeted, or a device that is not of the `kinds`.
    """
    if not TargetSelection(dict(config)).has_any_target:
        raise vol.Invalid("Choose at least one device, entity, area, floor or label as the target")
    named: list[str] = cv.ensure_list(config.get(ATTR_DEVICE_ID))
    registry = dr.async_get(hass)
    there = [device_id for device_id in named if registry.async_get(device_id) is not None]
    if named and not there and set(config) == {ATTR_DEVICE_ID}:
        raise vol.Invalid(f"There is no device {', '.join(named)}")
    for device_id in there:
        device, entry = _device_of_ours(hass, device_id)
        if device is None or entry is None:
            raise vol.Invalid(f"Device {device_id} does not belong to the Homelab integration")
        kind = _kind_of(device, entry)
        if kind not in kinds:
            raise vol.Invalid(
                f"Device {device.name_by_user or device.name} is a {_WORDS.get(kind, kind)};"
                f" this needs a {' or a '.join(_WORDS[one] for one in sorted(kinds))}"
            )


_WORDS = {
    HOST: "host",
    CONTAINER.name: "container",
    STACK.name: "stack",
    SWARM_SERVICE.name: "Swarm service",
    MONITOR.name: "monitor",
    CERTIFICATE.name: "certificate",
    DOMAINS.name: "domain",
    DYNAMIC_ADDRESS.name: "dynamic address",
    MANAGED_CERTIFICATE.name: "managed certificate",
    PROXY.name: "reverse proxy",
}


def _device_of_ours(
    hass: HomeAssistant, device_id: str
) -> tuple[dr.AnyDeviceEntry | None, HomelabConfigEntry | None]:
    return dr.async_get_device_and_config_entry_for_domain(hass, device_id, domain=DOMAIN)


def _kind_of(device: dr.AnyDeviceEntry, entry: HomelabConfigEntry) -> str:
    """Return the kind of a device; its host need not be connected, nor even set up."""
    prefix = f"{entry.unique_id or entry.entry_id}:"
    for domain, identifier in device.identifiers:
        if domain == DOMAIN and identifier.startswith(prefix):
            return Subject.from_id(identifier.removeprefix(prefix)).kind
    return HOST
