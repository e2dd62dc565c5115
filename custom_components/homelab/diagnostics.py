"""Diagnostics: what was known at the moment, without what could open or locate anything."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_HOST, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .client import CONTRACT_VERSION, Container
from .const import CONF_FINGERPRINT
from .coordinator import HomelabConfigEntry, HomelabCoordinator

_ENTRY = {CONF_TOKEN, CONF_FINGERPRINT, CONF_HOST, "unique_id", "title"}
_RESOURCE = {"instance_id", "host_name", "host_ip", "name", "reason"}


async def async_get_config_entry_diagnostics(
    _hass: HomeAssistant, entry: HomelabConfigEntry
) -> dict[str, Any]:
    """Return what is known of an agent and its host."""
    coordinator = entry.runtime_data
    return {
        "entry": async_redact_data(entry.as_dict(), _ENTRY),
        **_connection(coordinator),
        "containers": [_container(container) for container in coordinator.containers],
    }


async def async_get_device_diagnostics(
    _hass: HomeAssistant, entry: HomelabConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return what is known of a host or of one container."""
    coordinator = entry.runtime_data
    key = coordinator.devices.key_of(device)
    container = None if key is None else coordinator.container(key)
    return {
        **_connection(coordinator),
        "container": None if container is None else _container(container),
    }


def _connection(coordinator: HomelabCoordinator) -> dict[str, Any]:
    agent, engine = coordinator.agent, coordinator.engine
    return {
        "connected": coordinator.connected,
        "contract": CONTRACT_VERSION,
        "agent": None if agent is None else async_redact_data(asdict(agent), _RESOURCE),
        "engine": None if engine is None else async_redact_data(asdict(engine), _RESOURCE),
    }


def _container(container: Container) -> dict[str, Any]:
    # The container's own name stays: without it a report could not be followed.
    return {
        **asdict(container),
        "ports": [async_redact_data(asdict(port), _RESOURCE) for port in container.ports],
        "labels": dict.fromkeys(container.labels, REDACTED),
    }
