"""Actions on stacks: list, plan, deploy, command, go back to a former version."""

from enum import StrEnum
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client import Stack
from .client.kinds import STACK
from .client.models import DeployBody, DownBody, RestoreBody, StackBody, StackSource
from .const import DOMAIN
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_NAME,
    ATTR_WAIT,
    WAIT_FIELD,
    as_answer,
    asked_of,
    done,
    each_host,
    gathered,
    label_of,
    one_host,
    register,
    register_reading,
    targets,
)
from .subjects import Subject
from .targets import Target

ATTR_COMMAND: Final = "command"
ATTR_COMPOSE: Final = "compose"
ATTR_CONFIRM: Final = "confirm"
ATTR_CONFIRM_FINDINGS: Final = "confirm_findings"
ATTR_ENVIRONMENT: Final = "environment"
ATTR_FORGET: Final = "forget"
ATTR_PLAN_HASH: Final = "plan_hash"
ATTR_PROFILES: Final = "profiles"
ATTR_PULL: Final = "pull"
ATTR_VERSION: Final = "version"
ATTR_VOLUMES: Final = "volumes"


class StackCommand(StrEnum):
    """What a stack can be told."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    UPDATE = "update"
    DOWN = "down"


_SOURCE: Any = {
    vol.Required(ATTR_NAME): vol.Match(r"^[a-z0-9][a-z0-9_-]{0,62}$"),
    vol.Required(ATTR_COMPOSE): vol.All(cv.string, vol.Length(min=1)),
    vol.Optional(ATTR_ENVIRONMENT): {cv.string: cv.string},
    vol.Optional(ATTR_PROFILES, default=[]): vol.All(cv.ensure_list, [cv.string]),
}
_FINDINGS: Any = {vol.Optional(ATTR_CONFIRM_FINDINGS, default=False): cv.boolean}
_DEPLOY: Any = {
    **_SOURCE,
    **_FINDINGS,
    **WAIT_FIELD,
    vol.Optional(ATTR_PLAN_HASH): cv.string,
    vol.Optional(ATTR_PULL, default=True): cv.boolean,
}
_COMMAND: Any = {
    **WAIT_FIELD,
    vol.Required(ATTR_COMMAND): vol.Coerce(StackCommand),
    vol.Optional(ATTR_VOLUMES, default=False): cv.boolean,
    vol.Optional(ATTR_FORGET, default=False): cv.boolean,
    vol.Optional(ATTR_CONFIRM): cv.string,
}
_RESTORE: Any = {
    **WAIT_FIELD,
    **_FINDINGS,
    vol.Required(ATTR_VERSION): vol.All(vol.Coerce(int), vol.Range(min=1)),
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register_reading(hass, "list_stacks", _list_stacks, {})
    register(hass, "plan_stack", _plan_stack, _SOURCE, response=SupportsResponse.ONLY)
    register(hass, "deploy_stack", _deploy_stack, _DEPLOY)
    register(hass, "stack_command", _stack_command, _COMMAND)
    register(hass, "stack_history", _stack_history, {}, response=SupportsResponse.ONLY)
    register(hass, "restore_stack", _restore_stack, _RESTORE)


async def _list_stacks(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        found = await asked_of(coordinator, coordinator.client.stacks.list())
        return {
            "host": entry.title,
            "stacks": [
                {"device_id": coordinator.devices.id_of_subject(_subject(one)), **_row(one)}
                for one in found
            ],
        }

    return await each_host(call, read)


async def _plan_stack(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    source = StackSource(**_source(call))
    planned = coordinator.client.stacks.plan(call.data[ATTR_NAME], source)
    return {"host": entry.title, **as_answer(await asked_of(coordinator, planned))}


async def _deploy_stack(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    body = DeployBody(
        **_source(call),
        plan_hash=call.data.get(ATTR_PLAN_HASH),
        confirm_findings=call.data[ATTR_CONFIRM_FINDINGS],
        pull=call.data[ATTR_PULL],
    )
    command = coordinator.client.stacks.deploy(call.data[ATTR_NAME], body)
    ended = await done(coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": entry.title, "name": call.data[ATTR_NAME], **ended}


async def _stack_command(call: ServiceCall) -> ServiceResponse:
    command: StackCommand = call.data[ATTR_COMMAND]
    for field in (ATTR_VOLUMES, ATTR_FORGET, ATTR_CONFIRM):
        if call.data.get(field) and command is not StackCommand.DOWN:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="field_not_for_command",
                translation_placeholders={"field": field, "command": command.value},
            )

    async def run(target: Target, name: str) -> dict[str, Any]:
        stacks = target.coordinator.client.stacks
        body = StackBody(wait_s=0)
        match command:
            case StackCommand.START:
                asked = stacks.start(name, body)
            case StackCommand.STOP:
                asked = stacks.stop(name, body)
            case StackCommand.RESTART:
                asked = stacks.restart(name, body)
            case StackCommand.UPDATE:
                asked = stacks.update(name, body)
            case StackCommand.DOWN:
                asked = stacks.down(name, _down(call))
        ended = await done(target.coordinator, asked, wait=call.data[ATTR_WAIT])
        return {**label_of(target), **ended}

    found = _stacks(call)
    return {"stacks": await gathered([(one.name, run(one, name)) for one, name in found])}


async def _stack_history(call: ServiceCall) -> ServiceResponse:
    async def read(target: Target, name: str) -> dict[str, Any]:
        coordinator = target.coordinator
        history = await asked_of(coordinator, coordinator.client.stacks.history(name))
        versions = [as_answer(one) for one in history.versions]
        return {**label_of(target), "versions": versions}

    found = _stacks(call)
    return {"stacks": await gathered([(one.name, read(one, name)) for one, name in found])}


async def _restore_stack(call: ServiceCall) -> ServiceResponse:
    found = _stacks(call)
    if len(found) > 1:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="one_stack_needed")
    ((target, name),) = found
    body = RestoreBody(
        version=call.data[ATTR_VERSION], confirm_findings=call.data[ATTR_CONFIRM_FINDINGS]
    )
    command = target.coordinator.client.stacks.restore(name, body)
    ended = await done(target.coordinator, command, wait=call.data[ATTR_WAIT])
    return {**label_of(target), **ended}


def _stacks(call: ServiceCall) -> list[tuple[Target, str]]:
    """Return the stacks an action is about; at least one."""
    found = [
        (target, target.subject.key)
        for target in targets(call)
        if target.subject is not None and target.kind == STACK.name
    ]
    if not found:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_stack_targeted")
    return found


def _source(call: ServiceCall) -> dict[str, Any]:
    return {
        "compose": call.data[ATTR_COMPOSE],
        "environment": call.data.get(ATTR_ENVIRONMENT),
        "profiles": tuple(call.data[ATTR_PROFILES]),
    }


def _down(call: ServiceCall) -> DownBody:
    return DownBody(
        wait_s=0,
        volumes=call.data[ATTR_VOLUMES],
        forget=call.data[ATTR_FORGET],
        confirm=call.data.get(ATTR_CONFIRM),
    )


def _subject(stack: Stack) -> Subject:
    return Subject(STACK.name, stack.key)


def _row(stack: Stack) -> dict[str, Any]:
    return {
        "name": stack.name,
        "state": stack.state.value,
        "problem": stack.problem,
        "running": stack.running,
        "total": stack.total,
        "managed": stack.managed,
        "version": stack.version,
        "protected": stack.protected_reason,
        "services": [
            {
                "name": one.name,
                "image": one.image,
                "running": one.running,
                "total": one.total,
                "health": one.health.value,
                "containers": list(one.containers),
            }
            for one in stack.services
        ],
    }
