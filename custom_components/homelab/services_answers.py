"""What all actions share: whom they are about, and how several answers become one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import service
from homeassistant.util.json import JsonValueType

from .client import AgentError, CommandResult
from .client.kinds import CONTAINER
from .const import DOMAIN
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .targets import HOST, Target, targets_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ATTR_LIMIT: Final = "limit"
ATTR_NAME: Final = "name"
ATTR_SINCE: Final = "since"
ATTR_WAIT: Final = "wait"

TARGET_FIELDS: Any = cv.TARGET_SERVICE_FIELDS
WAIT_FIELD: Any = {vol.Optional(ATTR_WAIT, default=True): cv.boolean}
"""Wait for the end of a job, however long it takes."""


type Act = Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]


def register(
    hass: HomeAssistant,
    name: str,
    act: Act,
    fields: Mapping[Any, Any],
    *,
    response: SupportsResponse = SupportsResponse.OPTIONAL,
) -> None:
    """Register an action that only administrators may call."""
    schema = vol.Schema({**TARGET_FIELDS, **fields})
    service.async_register_admin_service(hass, DOMAIN, name, act, schema, response)


def register_reading(hass: HomeAssistant, name: str, act: Act, fields: Mapping[Any, Any]) -> None:
    """Register an action that only reads, and shows nothing that is secret."""
    schema = vol.Schema({**TARGET_FIELDS, **fields})
    hass.services.async_register(DOMAIN, name, act, schema, SupportsResponse.ONLY)


async def each_container(
    call: ServiceCall, ask: Callable[[Target, str], Awaitable[dict[str, Any]]]
) -> ServiceResponse:
    """Ask for all targeted containers at once; raise the one error, or one that names each."""
    found = [target for target in targets(call) if target.kind == CONTAINER.name]
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_container_targeted"
        )
    asked = [(target.name, ask(target, key)) for target in found for key in target.containers()]
    return {"containers": await gathered(asked)}


async def each_host(
    call: ServiceCall, ask: Callable[[HomelabConfigEntry], Awaitable[dict[str, Any]]]
) -> ServiceResponse:
    """Ask the hosts of all that is targeted at once, or all hosts where nothing is."""
    return {"hosts": await gathered([(entry.title, ask(entry)) for entry in hosts(call)])}


async def gathered(
    asked: Sequence[tuple[str, Awaitable[dict[str, Any]]]],
) -> list[JsonValueType]:
    """Return all answers, by who was asked; raise the only error, or one that names each."""
    answers = await asyncio.gather(*(one for _, one in asked), return_exceptions=True)
    failed = [
        (name, answer)
        for (name, _), answer in zip(asked, answers, strict=True)
        if isinstance(answer, BaseException)
    ]
    if len(asked) == 1 and failed:
        raise failed[0][1]
    if failed:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="some_failed",
            translation_placeholders={
                "failed": "; ".join(f"{name}: {error}" for name, error in failed)
            },
        )
    return [answer for answer in answers if isinstance(answer, dict)]


def targets(call: ServiceCall) -> list[Target]:
    """Return every device of ours that the call targets, by whatever means."""
    # An area or a label may well hold devices of others; who names one is told.
    for device_id in cv.ensure_list(call.data.get(ATTR_DEVICE_ID)):
        service.async_get_device_and_config_entry(call.hass, DOMAIN, device_id)
    return targets_of(call.hass, call.data)


def is_targeted(call: ServiceCall) -> bool:
    """Return whether the call has a target; one that came out empty is none, not all there is."""
    return any(str(field) in call.data for field in TARGET_FIELDS)


def hosts(call: ServiceCall) -> list[HomelabConfigEntry]:
    """Return the hosts of what is targeted, else all that are connected."""
    loaded: list[HomelabConfigEntry] = [
        entry
        for entry in call.hass.config_entries.async_entries(DOMAIN)
        if entry.state is ConfigEntryState.LOADED
    ]
    if is_targeted(call):
        wanted = {target.coordinator for target in targets(call)}
        loaded = [entry for entry in loaded if entry.runtime_data in wanted]
    if not loaded:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_host")
    return loaded


def within(
    call: ServiceCall, coordinator: HomelabCoordinator, parts: Callable[[Target], Iterable[str]]
) -> tuple[str, ...] | None:
    """Return the parts of a host that are targeted, such as containers; None: all of it is."""
    own = [target for target in targets(call) if target.coordinator is coordinator]
    if not is_targeted(call) or any(target.kind == HOST for target in own):
        return None
    return tuple(dict.fromkeys(key for target in own for key in parts(target)))


def one_host(call: ServiceCall) -> HomelabConfigEntry:
    """Return the one host that is meant; which of several has to be said."""
    found = hosts(call)
    # Without a target no host is meant only because the others are away just now.
    meant = found if is_targeted(call) else _set_up(call.hass)
    if len(meant) > 1:
        raise _one_host_needed(one.title for one in meant)
    return found[0]


def refuse_namesakes(call: ServiceCall, alike: Iterable[tuple[HomelabCoordinator, str]]) -> None:
    """Refuse a name that things of several hosts have, where no target says of which host.

    `alike`: the hosts of all that are called so, each with its own name.
    """
    names = dict(alike)
    if len(names) > 1 and not is_targeted(call):
        raise _one_host_needed(names.values())


def _one_host_needed(names: Iterable[str]) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="one_host_needed",
        translation_placeholders={"hosts": ", ".join(sorted(names))},
    )


def _set_up(hass: HomeAssistant) -> list[HomelabConfigEntry]:
    """Return all hosts that are set up and not disabled, connected or not."""
    return hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False)


async def asked_of[T](coordinator: HomelabCoordinator, question: Awaitable[T]) -> T:
    """Return what an agent answers; every error comes translated."""
    try:
        return await question
    except AgentError as error:
        raise coordinator.translated(error) from error


async def done(
    coordinator: HomelabCoordinator, command: Awaitable[CommandResult], *, wait: bool
) -> dict[str, Any]:
    """Give a command and return how it ended, or with `wait` off that it was begun."""
    if wait:
        return outcome_of(await coordinator.async_see_through(command))
    return outcome_of(await coordinator.async_run(command))


def outcome_of(result: CommandResult) -> dict[str, Any]:
    """Return what an action says of a command."""
    return {
        "outcome": result.outcome and result.outcome.value,
        "message": result.message,
        "job_id": result.job and result.job.id,
    }


def as_answer(model: DataclassInstance) -> dict[str, Any]:
    """Return a model of the agent as what Home Assistant takes for an answer."""
    return {name: _plain(value) for name, value in asdict(model).items()}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else value


def label_of(target: Target) -> dict[str, Any]:
    """Return which device an answer is about."""
    return {"host": target.host, "name": target.name, "device_id": target.device_id}
