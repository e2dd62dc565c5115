"""Actions about images: what can be updated, update, roll back, make anew."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv

from .client import AgentClient, CommandResult, ContainerUpdate, Outcome, UpdateState
from .client.kinds import CONTAINER, CONTAINER_RECREATE
from .client.models import RecreateBody, RecreateResult, UpdateBody
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .services_answers import (
    ATTR_WAIT,
    WAIT_FIELD,
    asked_of,
    done,
    each_container,
    each_host,
    gathered,
    hosts,
    label_of,
    register,
    register_reading,
    targets,
    within,
)
from .targets import HOST, Target

ATTR_AVAILABLE_ONLY: Final = "available_only"
ATTR_IMAGE: Final = "image"

type _Begin = Callable[[AgentClient, str], Awaitable[CommandResult]]


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    only: Any = {vol.Optional(ATTR_AVAILABLE_ONLY, default=True): cv.boolean}
    image: Any = {vol.Optional(ATTR_IMAGE): vol.All(cv.string, vol.Length(min=1, max=500))}
    register_reading(hass, "list_updates", _list_updates, only)
    register(hass, "update", _update, {**WAIT_FIELD, **image})
    register(hass, "roll_back", _roll_back, WAIT_FIELD)
    register(hass, "recreate", _recreate, WAIT_FIELD)
    register(hass, "check_updates", _check_updates, {})


async def _list_updates(call: ServiceCall) -> ServiceResponse:
    available_only: bool = call.data[ATTR_AVAILABLE_ONLY]

    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        keys = within(call, coordinator, Target.containers)
        report = await asked_of(coordinator, coordinator.client.updates())
        return {
            "host": entry.title,
            "containers": [
                {"device_id": coordinator.devices.id_of(one.key), **_row(coordinator, one)}
                for one in report.updates
                if (keys is None or one.key in keys)
                and (one.state is UpdateState.AVAILABLE or not available_only)
            ],
        }

    failed: list[HomeAssistantError] = []

    async def read_apart(entry: HomelabConfigEntry) -> dict[str, Any]:
        try:
            return await read(entry)
        except HomeAssistantError as error:
            failed.append(error)
            return {"host": entry.title, "containers": [], "error": str(error)}

    answer = await each_host(call, read_apart)
    # Where others answer, one that does not is named; nobody is kept from updating theirs.
    if len(failed) == len(hosts(call)):
        raise failed[0]
    return answer


async def _update(call: ServiceCall) -> ServiceResponse:
    body = UpdateBody(image=call.data.get(ATTR_IMAGE))
    return await _each(call, lambda client, key: client.update(key, body))


async def _roll_back(call: ServiceCall) -> ServiceResponse:
    return await _each(call, lambda client, key: client.roll_back(key, RecreateBody()))


async def _recreate(call: ServiceCall) -> ServiceResponse:
    return await _each(call, lambda client, key: client.recreate(key, RecreateBody()))


async def _check_updates(call: ServiceCall) -> ServiceResponse:
    async def check(target: Target, key: str) -> dict[str, Any]:
        command = target.coordinator.client.check_update(key)
        return {**label_of(target), **await done(target.coordinator, command, wait=True)}

    async def check_all(host: Target) -> dict[str, Any]:
        command = host.coordinator.client.check_updates()
        return {**label_of(host), **await done(host.coordinator, command, wait=False)}

    found = targets(call)
    whole = [target for target in found if target.kind == HOST]
    if not whole:
        return await each_container(call, check)
    told = await gathered([(host.name, check_all(host)) for host in whole])
    # A host means all of its containers, also those that are named beside it.
    covered = {host.coordinator for host in whole}
    others = [
        (target.name, check(target, key))
        for target in found
        if target.kind == CONTAINER.name and target.coordinator not in covered
        for key in target.containers()
    ]
    return {"hosts": told, "containers": await gathered(others)}


async def _each(call: ServiceCall, begin: _Begin) -> ServiceResponse:
    """Begin a job for each container and return how all ended."""
    wait: bool = call.data[ATTR_WAIT]

    async def run(target: Target, key: str) -> dict[str, Any]:
        coordinator = target.coordinator
        command = begin(coordinator.client, key)
        return {**label_of(target), **await done(coordinator, command, wait=wait)}

    return await each_container(call, run)


def _row(coordinator: HomelabCoordinator, update: ContainerUpdate) -> dict[str, Any]:
    container = coordinator.container(update.key)
    status = coordinator.mirror.get(CONTAINER_RECREATE, update.key)
    return {
        "key": update.key,
        "name": container.name if container else update.key,
        "state": update.state.value,
        "reason": update.reason,
        "policy": update.policy.value,
        "image": update.image,
        "latest_image": update.latest_image,
        "installed_version": update.installed_version,
        "latest_version": update.latest_version,
        "installed_digest": update.installed_digest,
        "latest_digest": update.latest_digest,
        "release_notes_url": update.release_notes_url,
        "checked_at": update.checked_at and update.checked_at.isoformat(),
        "taken_back": _was_taken_back(update, status.last if status else None),
    }


def _was_taken_back(update: ContainerUpdate, last: RecreateResult | None) -> bool:
    """Return whether the last update was to what is available, and did not prove itself."""
    return (
        last is not None
        and update.state is UpdateState.AVAILABLE
        and last.outcome is Outcome.UNDONE
        and last.to_image == (update.latest_image or update.image)
        and last.to_version == update.latest_version
    )
