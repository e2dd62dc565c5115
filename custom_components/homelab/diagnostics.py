"""Diagnostics: what was known at the moment, without what could open or locate anything."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_HOST, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .client import CONTRACT_VERSION, Container, Kind, Stack
from .client.kinds import (
    CONTAINER_EVENT,
    CONTAINER_RECREATE,
    CONTAINER_STATS,
    CONTAINER_UPDATE,
    DISK_USAGE,
    ENGINE_STATS,
    HOST_KEY,
    JOB,
    STACK,
    SWARM,
    SWARM_SERVICE,
)
from .const import CONF_FINGERPRINT
from .coordinator import HomelabConfigEntry, HomelabCoordinator

_ENTRY = {CONF_TOKEN, CONF_FINGERPRINT, CONF_HOST, "unique_id", "title"}
_RESOURCE = {"instance_id", "host_name", "host_ip", "name", "reason", "source_reason"}
# Paths tell who lives here, and a container's own words may tell anything.
_STACK = {"config_files", "working_dir"}
_SAID = {"reason", "log", "message", "release_notes_url"}


async def async_get_config_entry_diagnostics(
    _hass: HomeAssistant, entry: HomelabConfigEntry
) -> dict[str, Any]:
    """Return what is known of an agent and its host."""
    coordinator = entry.runtime_data
    mirror = coordinator.mirror
    return {
        "entry": async_redact_data(entry.as_dict(), _ENTRY),
        **_connection(coordinator),
        "resources": mirror.counts(),
        "statistics": _of_host(coordinator, ENGINE_STATS),
        "disk_usage": _of_host(coordinator, DISK_USAGE),
        "swarm": _of_host(coordinator, SWARM),
        "updates": dict(Counter(one.state.value for one in mirror.every(CONTAINER_UPDATE))),
        "jobs": dict(Counter(f"{one.kind}: {one.state.value}" for one in mirror.every(JOB))),
        "stacks": [_stack(stack) for stack in mirror.every(STACK)],
        "containers": [_container(container) for container in coordinator.containers],
    }


async def async_get_device_diagnostics(
    _hass: HomeAssistant, entry: HomelabConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return what is known of a host, a container, a stack or a swarm service."""
    coordinator = entry.runtime_data
    subject = coordinator.devices.subject_of(device)
    found = _connection(coordinator)
    if subject is None:
        return found
    mirror = coordinator.mirror
    container = coordinator.devices.key_of(device)
    if container is not None:
        known = coordinator.container(container)
        found["container"] = None if known is None else _container(known)
        for kind in (CONTAINER_STATS, CONTAINER_UPDATE, CONTAINER_RECREATE, CONTAINER_EVENT):
            found[kind.name] = _of_thing(coordinator, kind, container)
    elif subject.kind == STACK.name:
        stack = mirror.get(STACK, subject.key)
        found["stack"] = None if stack is None else _stack(stack)
    else:
        found["swarm_service"] = _of_thing(coordinator, SWARM_SERVICE, subject.key)
    return found


def _connection(coordinator: HomelabCoordinator) -> dict[str, Any]:
    agent, engine = coordinator.agent, coordinator.engine
    return {
        "connected": coordinator.connected,
        "contract": CONTRACT_VERSION,
        "agent": None if agent is None else async_redact_data(asdict(agent), _RESOURCE),
        "engine": None if engine is None else async_redact_data(asdict(engine), _RESOURCE),
    }


def _of_host(coordinator: HomelabCoordinator, kind: Kind[Any]) -> dict[str, Any] | None:
    found = coordinator.mirror.get(kind, HOST_KEY)
    return None if found is None else async_redact_data(asdict(found), _RESOURCE)


def _of_thing(coordinator: HomelabCoordinator, kind: Kind[Any], key: str) -> dict[str, Any] | None:
    found = coordinator.mirror.get(kind, key)
    return None if found is None else async_redact_data(asdict(found), _SAID)


def _stack(stack: Stack) -> dict[str, Any]:
    return async_redact_data(asdict(stack), _STACK)


def _container(container: Container) -> dict[str, Any]:
    # The container's own name stays: without it a report could not be followed.
    return {
        **asdict(container),
        "ports": [async_redact_data(asdict(port), _RESOURCE) for port in container.ports],
        "labels": dict.fromkeys(container.labels, REDACTED),
    }
