"""An automation made of a blueprint, and what it sent."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)

from tests.integration.home import Home, until

BLUEPRINTS = Path(__file__).parents[3] / "blueprints"
PHONE = "notify.phone"


class Told:
    """What the automation of a blueprint sent."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.sent = async_mock_service(hass, "notify", "send_message")
        self.shown = async_mock_service(hass, "persistent_notification", "create")
        self.asked = async_mock_service(hass, "notify", "mobile_app_phone")
        self.own = async_mock_service(hass, "test", "own")


async def passes(home: Home, **time: float) -> None:
    """Let time pass; an automation that waits is not waited for."""
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(**time))
    for _ in range(20):
        await asyncio.sleep(0)


async def use(home: Home, blueprint: str, **inputs: object) -> None:
    """Make an automation of a blueprint."""
    automation = {"use_blueprint": {"path": f"homelab/{blueprint}.yaml", "input": inputs}}
    assert await async_setup_component(home.hass, "automation", {"automation": automation})
    await home.hass.async_block_till_done()
    (entity_id,) = home.hass.states.async_entity_ids("automation")
    state = home.hass.states.get(entity_id)
    assert state is not None
    assert state.state == "on"


def target(home: Home, key: str | None = "web") -> dict[str, Any]:
    device = home.device(key)
    assert device is not None
    return {"device_id": [device.id]}


async def heard(_home: Home, calls: list[ServiceCall], count: int = 1) -> ServiceCall:
    """Wait for a number of calls; return the last."""

    def there() -> bool:
        return len(calls) >= count

    await until(there, f"{count} calls")
    assert len(calls) == count
    return calls[-1]
