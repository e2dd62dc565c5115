"""Diagnostics: what was known at the moment, without what could open or locate anything."""

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .client import CONTRACT_VERSION, Certificate, Container, Kind, Stack
from .client.kinds import (
    BLOCK_DEVICE,
    CERTIFICATE,
    CERTIFICATE_EVENT,
    CONTAINER,
    CONTAINER_EVENT,
    CONTAINER_RECREATE,
    CONTAINER_STATS,
    CONTAINER_UPDATE,
    DISK_FORECAST,
    DISK_HEALTH,
    DISK_USAGE,
    DNS_PROVIDER,
    DOMAIN,
    DOMAIN_EVENT,
    DYNAMIC_ADDRESS,
    DYNAMIC_ADDRESS_EVENT,
    ENGINE_STATS,
    FILESYSTEM,
    FINDING,
    HOST_INFO,
    HOST_KEY,
    HOST_POWER,
    HOST_SENSOR,
    HOST_STATS,
    JOB,
    LISTENING_PORT,
    MACHINE_KEY,
    MANAGED_CERTIFICATE,
    MANAGED_CERTIFICATE_EVENT,
    MONITOR,
    MONITOR_EVENT,
    MONITOR_REPORT,
    MONITOR_RESULT,
    NETWORK_CONNECTIONS,
    NETWORK_INTERFACE,
    NETWORK_STATUS,
    PROXY,
    PROXY_ROUTE,
    STACK,
    SWARM,
    SWARM_SERVICE,
)
from .const import CONF_FINGERPRINT
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .subjects import Subject

# What an agent was discovered by has the name of its host in it.
_ENTRY = {CONF_TOKEN, CONF_FINGERPRINT, CONF_HOST, "unique_id", "title", "discovery_keys"}
_RESOURCE = {"instance_id", "host_name", "host_ip", "name", "reason", "source_reason"}
# Paths tell who lives here, and a container's own words may tell anything.
_STACK = {"config_files", "working_dir"}
_SAID = {"reason", "log", "message", "release_notes_url"}
# What a service or a certificate is called on the network, and what a machine can be found by.
_MACHINE = {"host_name", "users", "reason", "address", "serial", "mac", "addresses", "agreed_by"}
_NETWORK = {"gateway_ipv4", "gateway_ipv6", "dns_servers"}
_SERVICE = {"target", "reason", "warning", "details"}
_CERTIFICATE = {"key", "name", "host", "server_name", "path", "reason"}
_PRINT = {"subject", "issuer", "names", "serial", "fingerprint_sha256", "chain"}

# A name on the internet tells who lives here, and its records and routes where everything is.
_NAMED = {
    *("id", "key", "name", "names", "zone", "zones", "provider"),
    *("reason", "note", "container", "records"),
}
_ADDRESSES = {
    *("addresses", "ipv4", "ipv6", "wanted_ipv4", "wanted_ipv6"),
    *("old_ipv4", "new_ipv4", "old_ipv6", "new_ipv6"),
}
_PROXY = {"admin", "warning", "aliases", "upstreams", "users", "options", "difference"}
_RENEWAL = {"serial", "fingerprint_sha256", "directory", "hand_over", "message", "authority_says"}
_HIDDEN = {
    *_NAMED,
    *_ADDRESSES,
    *_PROXY,
    *_RENEWAL,
    *("upstream_states", "settings", "name_servers", "what_to_do", "issuer"),
}

type Kinds = tuple[Kind[Any], ...]
_OF_CONTAINER: Kinds = (CONTAINER_STATS, CONTAINER_UPDATE, CONTAINER_RECREATE, CONTAINER_EVENT)
_OF_MACHINE: Kinds = (HOST_INFO, HOST_STATS, HOST_POWER, NETWORK_STATUS, NETWORK_CONNECTIONS)
_OF_DOMAINS: Kinds = (
    DOMAIN,
    DYNAMIC_ADDRESS,
    MANAGED_CERTIFICATE,
    PROXY,
    PROXY_ROUTE,
    DNS_PROVIDER,
)
_OF_A_DOMAIN: dict[str, Kinds] = {
    DOMAIN.name: (DOMAIN, DOMAIN_EVENT, PROXY_ROUTE),
    DYNAMIC_ADDRESS.name: (DYNAMIC_ADDRESS, DYNAMIC_ADDRESS_EVENT),
    MANAGED_CERTIFICATE.name: (MANAGED_CERTIFICATE, MANAGED_CERTIFICATE_EVENT),
    PROXY.name: (PROXY,),
}
_OF_MONITOR: Kinds = (MONITOR, MONITOR_RESULT, MONITOR_REPORT, MONITOR_EVENT)
# The place where a disk is mounted tells who lives here too: what is said of it is enough.
_PARTS: dict[Kind[Any], set[str]] = {
    FILESYSTEM: {"key", "device", "reason"},
    DISK_FORECAST: {"key", "reason"},
    BLOCK_DEVICE: _MACHINE,
    DISK_HEALTH: _MACHINE,
    NETWORK_INTERFACE: _MACHINE,
    HOST_SENSOR: _MACHINE,
}


async def async_get_config_entry_diagnostics(
    _hass: HomeAssistant, entry: HomelabConfigEntry
) -> dict[str, Any]:
    """Return what is known of an agent and its host; little of one that was never reached."""
    about = async_redact_data(entry.as_dict(), _ENTRY)
    if entry.state is not ConfigEntryState.LOADED:
        return {"entry": about, "state": entry.state.value, "contract": CONTRACT_VERSION}
    coordinator = entry.runtime_data
    mirror = coordinator.mirror
    return {
        "entry": about,
        **_connection(coordinator),
        "resources": mirror.counts(),
        "statistics": _of_host(coordinator, ENGINE_STATS),
        "disk_usage": _of_host(coordinator, DISK_USAGE),
        "swarm": _of_host(coordinator, SWARM),
        "updates": dict(Counter(one.state.value for one in mirror.every(CONTAINER_UPDATE))),
        "jobs": dict(Counter(f"{one.kind}: {one.state.value}" for one in mirror.every(JOB))),
        "machine": {kind.name: _of_machine(coordinator, kind) for kind in _OF_MACHINE},
        "parts": {
            kind.name: [async_redact_data(asdict(one), hidden) for one in mirror.every(kind)]
            for kind, hidden in _PARTS.items()
        },
        "findings": dict(
            Counter(f"{one.type.value}: {one.severity.value}" for one in mirror.every(FINDING))
        ),
        "ports": dict(Counter(one.reach.value for one in mirror.every(LISTENING_PORT))),
        "monitors": [async_redact_data(asdict(one), _SERVICE) for one in mirror.every(MONITOR)],
        "certificates": [_certificate(one) for one in mirror.every(CERTIFICATE)],
        "domains": {
            kind.name: [async_redact_data(asdict(one), _HIDDEN) for one in mirror.every(kind)]
            for kind in _OF_DOMAINS
        },
        "stacks": [_stack(stack) for stack in mirror.every(STACK)],
        "containers": [_container(container) for container in coordinator.containers],
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: HomelabConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return what is known of a host, or of a thing that has a device."""
    if entry.state is not ConfigEntryState.LOADED:
        return await async_get_config_entry_diagnostics(hass, entry)
    coordinator = entry.runtime_data
    subject = coordinator.devices.subject_of(device)
    of_it = {} if subject is None else _of_subject(coordinator, subject)
    return {**_connection(coordinator), **of_it}


def _of_subject(coordinator: HomelabCoordinator, subject: Subject) -> dict[str, Any]:
    kind, key, mirror = subject.kind, subject.key, coordinator.mirror
    if kind == CONTAINER.name:
        known = coordinator.container(key)
        about = None if known is None else _container(known)
        return {"container": about, **_each(coordinator, _OF_CONTAINER, key)}
    if kind == STACK.name:
        stack = mirror.get(STACK, key)
        return {"stack": None if stack is None else _stack(stack)}
    if kind == MONITOR.name:
        return _each(coordinator, _OF_MONITOR, key, hidden=_SERVICE)
    if kind == CERTIFICATE.name:
        certificate = mirror.get(CERTIFICATE, key)
        hidden = _CERTIFICATE | _PRINT | {"old_fingerprint_sha256", "new_fingerprint_sha256"}
        return {
            "certificate": None if certificate is None else _certificate(certificate),
            **_each(coordinator, (CERTIFICATE_EVENT,), key, hidden=hidden),
        }
    if kind in _OF_A_DOMAIN:
        return _each(coordinator, _OF_A_DOMAIN[kind], key, hidden=_HIDDEN)
    return _each(coordinator, (SWARM_SERVICE,), key)


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


def _of_machine(coordinator: HomelabCoordinator, kind: Kind[Any]) -> dict[str, Any] | None:
    found = coordinator.mirror.get(kind, MACHINE_KEY)
    return None if found is None else async_redact_data(asdict(found), _MACHINE | _NETWORK)


def _each(
    coordinator: HomelabCoordinator,
    kinds: Kinds,
    key: str,
    *,
    hidden: Collection[str] = _SAID,
) -> dict[str, Any]:
    """Return what is known under a key, by kind."""
    found = {kind.name: coordinator.mirror.get(kind, key) for kind in kinds}
    return {
        name: None if one is None else async_redact_data(asdict(one), hidden)
        for name, one in found.items()
    }


def _certificate(certificate: Certificate) -> dict[str, Any]:
    found = asdict(certificate)
    details = found.pop("details")
    return {
        **async_redact_data(found, _CERTIFICATE | {"monitor", "container"}),
        "details": None if details is None else async_redact_data(details, _PRINT),
    }


def _stack(stack: Stack) -> dict[str, Any]:
    return async_redact_data(asdict(stack), _STACK)


def _container(container: Container) -> dict[str, Any]:
    # The container's own name stays: without it a report could not be followed.
    return {
        **asdict(container),
        "ports": [async_redact_data(asdict(port), _RESOURCE) for port in container.ports],
        "labels": dict.fromkeys(container.labels, REDACTED),
    }
