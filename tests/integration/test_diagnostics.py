"""Diagnostics and system health: enough to help, nothing to misuse."""

import json
from typing import Any

import pytest
from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.homelab.diagnostics import (
    async_get_config_entry_diagnostics,
    async_get_device_diagnostics,
)
from tests.integration.home import Home

SECRETS = (
    "hl_test_0123456789",
    "very-secret-value",
    "192.168.1.20",
    "127.0.0.1",
    "atlas",
    "5f1a2b3c",
)


def assert_no_secret(found: Any) -> None:
    text = json.dumps(found, default=str)
    assert [secret for secret in SECRETS if secret in text] == []


async def test_diagnostics_of_a_host_tell_much_and_give_nothing_away(home: Home) -> None:
    found = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert_no_secret(found)
    assert found["connected"] is True
    assert found["engine"]["version"] == "28.5.1"
    (container,) = found["containers"]
    assert (container["name"], container["state"]) == ("web", "running")
    assert container["labels"] == {"com.example.secret": REDACTED}


async def test_diagnostics_of_a_container_are_about_that_one(home: Home) -> None:
    web, host = home.device("web"), home.device()
    assert web is not None
    assert host is not None
    found = await async_get_device_diagnostics(home.hass, home.entry, web)
    assert_no_secret(found)
    assert found["container"]["image"] == "example/web:1.0"
    assert (await async_get_device_diagnostics(home.hass, home.entry, host))["container"] is None


async def test_diagnostics_work_while_the_agent_knows_nothing_of_itself(home: Home) -> None:
    home.agent.remove("agent", "agent")
    home.agent.remove("engine", "docker")
    await home.becomes("binary_sensor", "docker", "unknown")
    found = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert (found["agent"], found["engine"]) == (None, None)


# Home Assistant's own web server warns about itself.
@pytest.mark.filterwarnings("ignore:It is recommended to use web")
async def test_system_health_counts_all_agents(
    home: Home, hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, "system_health", {})
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "system_health/info"})
    assert (await client.receive_json())["success"]
    first = (await client.receive_json())["event"]
    assert first["data"]["homelab"]["info"] == {
        "agents": 1,
        "connected": 1,
        "versions": home.agent.info["version"],
        "containers": 1,
        "contract": 1,
    }
