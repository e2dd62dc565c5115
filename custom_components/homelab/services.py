"""The actions: read logs, list containers, tell containers what to do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import service
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.util import dt as dt_util

from .client import (
    AgentError,
    CommandBody,
    Container,
    ContainerCommand,
    ContainerQuery,
    ContainerState,
    KillBody,
    LogsQuery,
    StopBody,
)
from .const import DOMAIN
from .coordinator import HomelabConfigEntry, HomelabCoordinator

ATTR_COMMAND: Final = "command"
ATTR_PROJECT: Final = "project"
ATTR_SIGNAL: Final = "signal"
ATTR_SINCE: Final = "since"
ATTR_STATE: Final = "state"
ATTR_TAIL: Final = "tail"
ATTR_TIMEOUT: Final = "timeout"
ATTR_UNTIL: Final = "until"
ATTR_WAIT: Final = "wait"

_TARGET: Any = cv.TARGET_SERVICE_FIELDS
_STATES = [state.value for state in ContainerState if state is not ContainerState.UNKNOWN]

GET_LOGS_SCHEMA = vol.Schema(
    {
        **_TARGET,
        vol.Optional(ATTR_TAIL, default=100): vol.All(vol.Coerce(int), vol.Range(1, 5000)),
        vol.Optional(ATTR_SINCE): cv.datetime,
        vol.Optional(ATTR_UNTIL): cv.datetime,
    }
)
LIST_CONTAINERS_SCHEMA = vol.Schema(
    {
        **_TARGET,
        vol.Optional(ATTR_STATE): vol.In(_STATES),
        vol.Optional(ATTR_PROJECT): cv.string,
    }
)
CONTAINER_COMMAND_SCHEMA = vol.Schema(
    {
        **_TARGET,
        vol.Required(ATTR_COMMAND): vol.Coerce(ContainerCommand),
        vol.Optional(ATTR_TIMEOUT): vol.All(vol.Coerce(int), vol.Range(0, 3600)),
        vol.Optional(ATTR_SIGNAL): vol.Match(r"^SIG[A-Z0-9+]{1,12}$"),
        vol.Optional(ATTR_WAIT, default=60): vol.All(vol.Coerce(float), vol.Range(0, 300)),
    }
)


@dataclass(frozen=True, slots=True)
class Target:
    """One device that an action is about. `key` is None for a host."""

    coordinator: HomelabCoordinator
    host: str
    device_id: str
    name: str
    key: str | None


def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions. What changes containers or shows their logs is for administrators."""
    service.async_register_admin_service(
        hass, DOMAIN, "get_logs", _get_logs, GET_LOGS_SCHEMA, SupportsResponse.ONLY
    )
    hass.services.async_register(
        DOMAIN,
        "list_containers",
        _list_containers,
        LIST_CONTAINERS_SCHEMA,
        SupportsResponse.ONLY,
    )
    service.async_register_admin_service(
        hass,
        DOMAIN,
        "container_command",
        _container_command,
        CONTAINER_COMMAND_SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _get_logs(call: ServiceCall) -> ServiceResponse:
    query = LogsQuery(
        tail=call.data[ATTR_TAIL],
        since=_moment(call.data.get(ATTR_SINCE)),
        until=_moment(call.data.get(ATTR_UNTIL)),
    )

    async def read(target: Target, key: str) -> dict[str, Any]:
        try:
            logs = await target.coordinator.client.logs(key, query)
        except AgentError as error:
            raise target.coordinator.translated(error) from error
        lines = [
            {"at": line.at and line.at.isoformat(), "stream": line.stream.value, "text": line.text}
            for line in logs.lines
        ]
        return {**_label(target), "truncated": logs.truncated, "lines": lines}

    return await _each(call, read)


async def _list_containers(call: ServiceCall) -> ServiceResponse:
    state = call.data.get(ATTR_STATE)
    query = ContainerQuery(
        state=None if state is None else ContainerState(state), project=call.data.get(ATTR_PROJECT)
    )

    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        try:
            found = await coordinator.client.containers(query)
        except AgentError as error:
            raise coordinator.translated(error) from error
        return {
            "host": entry.title,
            "containers": [_row(coordinator, container) for container in found],
        }

    return {"hosts": list(await asyncio.gather(*(read(entry) for entry in _hosts(call))))}


async def _container_command(call: ServiceCall) -> ServiceResponse:
    command: ContainerCommand = call.data[ATTR_COMMAND]
    body = _body(command, call)

    async def tell(target: Target, key: str) -> dict[str, Any]:
        result = await target.coordinator.async_command(key, command, body)
        return {
            **_label(target),
            "outcome": result.outcome and result.outcome.value,
            "message": result.message,
            "job_id": result.job and result.job.id,
        }

    return await _each(call, tell)


def _body(command: ContainerCommand, call: ServiceCall) -> CommandBody:
    wait_s: float = call.data[ATTR_WAIT]
    timeout_s: int | None = call.data.get(ATTR_TIMEOUT)
    signal: str | None = call.data.get(ATTR_SIGNAL)
    stops = command in {ContainerCommand.STOP, ContainerCommand.RESTART}
    if timeout_s is not None and not stops:
        raise _wrong_field(ATTR_TIMEOUT, command)
    if signal is not None and command is not ContainerCommand.KILL:
        raise _wrong_field(ATTR_SIGNAL, command)
    if stops:
        return StopBody(wait_s=wait_s, timeout_s=timeout_s)
    if signal is not None:
        return KillBody(wait_s=wait_s, signal=signal)
    return CommandBody(wait_s=wait_s)


def _wrong_field(field: str, command: ContainerCommand) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="field_not_for_command",
        translation_placeholders={"field": field, "command": command.value},
    )


async def _each(
    call: ServiceCall, ask: Callable[[Target, str], Awaitable[dict[str, Any]]]
) -> ServiceResponse:
    """Ask for all containers at once; raise the one error, or one that names each."""
    targets = _containers(call)
    answers = await asyncio.gather(*(ask(*one) for one in targets), return_exceptions=True)
    failed = {
        target.name: answer
        for (target, _), answer in zip(targets, answers, strict=True)
        if isinstance(answer, BaseException)
    }
    if len(targets) == 1 and failed:
        raise next(iter(failed.values()))
    if failed:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="some_failed",
            translation_placeholders={
                "failed": "; ".join(f"{name}: {error}" for name, error in failed.items())
            },
        )
    return {"containers": [answer for answer in answers if isinstance(answer, dict)]}


def _containers(call: ServiceCall) -> list[tuple[Target, str]]:
    """Return the containers an action is about; at least one."""
    found = [(target, target.key) for target in _targets(call) if target.key is not None]
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_container_targeted"
        )
    return found


def _hosts(call: ServiceCall) -> list[HomelabConfigEntry]:
    """Return the hosts an action is about: those targeted, else all that are loaded."""
    loaded: list[HomelabConfigEntry] = [
        entry
        for entry in call.hass.config_entries.async_entries(DOMAIN)
        if entry.state is ConfigEntryState.LOADED
    ]
    if TargetSelection(call.data).has_any_target:
        wanted = {target.coordinator for target in _targets(call)}
        loaded = [entry for entry in loaded if entry.runtime_data in wanted]
    if not loaded:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_host")
    return loaded


def _targets(call: ServiceCall) -> list[Target]:
    """Return every device of ours that the call targets, by whatever means."""
    hass = call.hass
    selected = async_extract_referenced_entity_ids(hass, TargetSelection(call.data))
    entities = er.async_get(hass)
    named = selected.referenced | selected.indirectly_referenced
    found = (entities.async_get(entity_id) for entity_id in named)
    of_entities = {entry.device_id for entry in found if entry and entry.device_id}
    explicit = set(cv.ensure_list(call.data.get(ATTR_DEVICE_ID)))
    targets = []
    for device_id in sorted(selected.referenced_devices | of_entities):
        target = _target(hass, device_id, must_be_ours=device_id in explicit)
        if target is not None:
            targets.append(target)
    return targets


def _target(hass: HomeAssistant, device_id: str, *, must_be_ours: bool) -> Target | None:
    entry: HomelabConfigEntry
    try:
        device, entry = service.async_get_device_and_config_entry(hass, DOMAIN, device_id)
    except ServiceValidationError:
        # An area or a label may well hold devices of others.
        if must_be_ours:
            raise
        return None
    coordinator = entry.runtime_data
    name = device.name_by_user or device.name or device_id
    key = coordinator.devices.key_of(device)
    return Target(coordinator, entry.title, device.id, name, key)


def _label(target: Target) -> dict[str, Any]:
    return {"host": target.host, "name": target.name, "device_id": target.device_id}


def _row(coordinator: HomelabCoordinator, container: Container) -> dict[str, Any]:
    return {
        "device_id": coordinator.devices.id_of(container.key),
        "key": container.key,
        "name": container.name,
        "image": container.image,
        "state": container.state.value,
        "health": container.health.value,
        "exit_code": container.exit_code,
        "restart_count": container.restart_count,
        "started_at": container.started_at and container.started_at.isoformat(),
        "project": container.compose and container.compose.project,
        "service": container.compose and container.compose.service,
        "protected": container.protected_reason,
    }


def _moment(value: datetime | None) -> datetime | None:
    """Return a time as the agent takes it; without a zone it is Home Assistant's local one."""
    return None if value is None else dt_util.as_utc(value)
