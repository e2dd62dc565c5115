"""Automations of triggers and conditions, and what they were run with."""

import json
from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import condition
from homeassistant.helpers import config_validation as cv
from homeassistant.setup import async_setup_component

from tests.integration.home import Home


async def automate(
    hass: HomeAssistant,
    trigger: Mapping[str, Any] | list[dict[str, Any]],
    *conditions: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Make an automation; return the list to which the trigger's variables of each run go."""
    runs: list[dict[str, Any]] = []

    @callback
    def note(call: ServiceCall) -> None:
        runs.append(json.loads(call.data["said"].removeprefix("said ")))

    hass.services.async_register("test", "note", note)
    automation = {
        "alias": "Test",
        "mode": "parallel",
        "triggers": trigger,
        "conditions": list(conditions),
        "actions": {"action": "test.note", "data": {"said": "said {{ trigger | to_json }}"}},
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()
    return runs


def state_of(hass: HomeAssistant) -> str:
    """Return the state of the automation: unavailable where it was refused."""
    state = hass.states.get("automation.test")
    assert state is not None
    return state.state


def on(home: Home, trigger: str, key: str | None = "web", **options: Any) -> dict[str, Any]:
    """Return a trigger's configuration for the device of a container, a stack or the host."""
    return {
        "trigger": f"homelab.{trigger}",
        "target": {"device_id": [home.device_id(key)]},
        **({"options": options} if options else {}),
    }


def devices(home: Home, *keys: str | None) -> dict[str, Any]:
    """Return a target: the devices of containers and stacks, of the host where None."""
    found = [home.device(key) for key in keys]
    return {"device_id": [device.id for device in found if device is not None]}


def asked(
    name: str, target: dict[str, Any], behavior: str | None = None, **options: str
) -> dict[str, Any]:
    """Return a condition as it is written."""
    given = options if behavior is None else {"behavior": behavior, **options}
    written = {"options": given} if given else {}
    return {"condition": f"homelab.{name}", "target": target, **written}


async def met(
    home: Home, name: str, target: dict[str, Any], behavior: str | None = None, **options: str
) -> Any:
    """Return whether a condition is met right now."""
    written = cv.CONDITION_SCHEMA(asked(name, target, behavior, **options))
    valid = await condition.async_validate_condition_config(home.hass, written)
    checker = await condition.async_from_config(home.hass, valid)
    try:
        return checker.async_check()
    finally:
        checker.async_unload()
