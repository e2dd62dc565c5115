"""Actions on containers: list them, command them, what they use."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client import (
    CommandBody,
    Container,
    ContainerCommand,
    ContainerQuery,
    ContainerState,
    KillBody,
    StopBody,
)
from .const import DOMAIN
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .services_answers import (
    ATTR_WAIT,
    as_answer,
    asked_of,
    each_container,
    each_host,
    label_of,
    outcome_of,
    register,
    register_reading,
    within,
)
from .targets import Target

ATTR_COMMAND: Final = "command"
ATTR_PROJECT: Final = "project"
ATTR_SIGNAL: Final = "signal"
ATTR_STATE: Final = "state"
ATTR_TIMEOUT: Final = "timeout"

_STATES = [state.value for state in ContainerState if state is not ContainerState.UNKNOWN]
_LIST: Any = {
    vol.Optional(ATTR_STATE): vol.In(_STATES),
    vol.Optional(ATTR_PROJECT): cv.string,
}
_COMMAND: Any = {
    vol.Required(ATTR_COMMAND): vol.Coerce(ContainerCommand),
    vol.Optional(ATTR_TIMEOUT): vol.All(vol.Coerce(int), vol.Range(0, 3600)),
    vol.Optional(ATTR_SIGNAL): vol.Match(r"^SIG[A-Z0-9+]{1,12}$"),
    vol.Optional(ATTR_WAIT, default=60): vol.All(vol.Coerce(float), vol.Range(0, 300)),
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register_reading(hass, "list_containers", _list_containers, _LIST)
    register_reading(hass, "container_statistics", _container_statistics, {})
    register(hass, "container_command", _container_command, _COMMAND)


async def _list_containers(call: ServiceCall) -> ServiceResponse:
    state = call.data.get(ATTR_STATE)
    query = ContainerQuery(
        state=None if state is None else ContainerState(state), project=call.data.get(ATTR_PROJECT)
    )

    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        found = await asked_of(coordinator, coordinator.client.containers(query))
        return {
            "host": entry.title,
            "containers": [_row(coordinator, container) for container in found],
        }

    return await each_host(call, read)


async def _container_statistics(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        keys = within(call, coordinator, Target.containers)
        report = await asked_of(coordinator, coordinator.client.statistics())
        found = [
            {"device_id": coordinator.devices.id_of(one.key), **as_answer(one)}
            for one in report.containers
            if keys is None or one.key in keys
        ]
        return {"host": entry.title, "engine": as_answer(report.engine), "containers": found}

    return await each_host(call, read)


async def _container_command(call: ServiceCall) -> ServiceResponse:
    command: ContainerCommand = call.data[ATTR_COMMAND]
    body = _body(command, call)

    async def tell(target: Target, key: str) -> dict[str, Any]:
        result = await target.coordinator.async_command(key, command, body)
        return {**label_of(target), **outcome_of(result)}

    return await each_container(call, tell)


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
        "restart_loop": container.restart_loop,
        "started_at": container.started_at and container.started_at.isoformat(),
        "project": container.compose and container.compose.project,
        "service": container.compose and container.compose.service,
        "protected": container.protected_reason,
    }
