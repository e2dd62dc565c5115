"""Automations of triggers and conditions, and what they were run with."""

import json
from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, callback
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
