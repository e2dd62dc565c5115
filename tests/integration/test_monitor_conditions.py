"""The conditions of services: met when it is so for any or for all, never while it is not known."""

from typing import Any

import pytest

from tests.fakes import wire, wire_services
from tests.integration.automations import automate, devices, met, state_of
from tests.integration.home import Home

UP, DOWN = "monitor_is_up", "monitor_is_down"
WIKI = "monitor:wiki"


def monitor(home: Home, name: str, **changes: Any) -> None:
    home.agent.put("monitor", name.lower(), wire_services.monitor(name, **changes))


@pytest.fixture
async def watching(home: Home) -> Home:
    """A home with the monitors Wiki, and Shop, which is critical and part of web."""
    monitor(home, "Wiki")
    monitor(home, "Shop", container="web", tier="critical")
    home.agent.put("stack", "media", wire.stack("media", services=[]))
    await home.settled()
    return home


async def becomes(home: Home, name: str, state: str, **changes: Any) -> None:
    monitor(home, name, state=state, **changes)
    await home.settled()


SHOP: dict[str, Any] = {"container": "web", "tier": "critical"}


async def test_any_needs_one_and_all_needs_every_one(watching: Home) -> None:
    everything = devices(watching, None)
    assert await met(watching, UP, everything, "all")
    assert not await met(watching, DOWN, everything)
    await becomes(watching, "Wiki", "down")
    assert not await met(watching, UP, everything, "all")
    assert await met(watching, UP, everything, "any")
    assert await met(watching, DOWN, everything, "any")
    assert not await met(watching, DOWN, everything, "all")
    assert await met(watching, DOWN, devices(watching, WIKI), "all")


@pytest.mark.parametrize("state", ["failing", "pending", "maintenance", "paused", "unknown", "new"])
async def test_what_is_not_confirmed_is_neither_up_nor_down(watching: Home, state: str) -> None:
    await becomes(watching, "Wiki", state)
    for name in (UP, DOWN):
        assert not await met(watching, name, devices(watching, WIKI))


async def test_a_container_means_its_monitors(watching: Home) -> None:
    await becomes(watching, "Wiki", "down")
    assert await met(watching, UP, devices(watching, "web"), "all")
    await becomes(watching, "Shop", "down", **SHOP)
    assert await met(watching, DOWN, devices(watching, "web"), "all")


async def test_what_has_no_monitor_is_neither_up_nor_down(watching: Home) -> None:
    for name in (UP, DOWN):
        assert not await met(watching, name, devices(watching, "stack:media"))


async def test_a_tier_narrows(watching: Home) -> None:
    await becomes(watching, "Shop", "down", **SHOP)
    everything = devices(watching, None)
    assert await met(watching, DOWN, everything, tier="critical")
    assert not await met(watching, DOWN, everything, tier="optional")
    assert await met(watching, UP, everything, "all", tier="optional")
    # The monitor is not of that tier: there is nothing of which it could be so.
    assert not await met(watching, UP, devices(watching, WIKI), tier="critical")


async def test_without_docker_it_is_still_known_and_without_the_agent_not(watching: Home) -> None:
    watching.agent.put("engine", "docker", wire.engine(connection="unavailable", reason="Gone."))
    await watching.becomes("binary_sensor", "docker", "off")
    assert await met(watching, UP, devices(watching, WIKI))
    await watching.agent.stop()
    await watching.becomes("binary_sensor", "docker", "unavailable")
    assert not await met(watching, UP, devices(watching, WIKI))


async def test_a_monitor_that_is_gone_is_neither_up_nor_down(watching: Home) -> None:
    both = devices(watching, WIKI, "web")
    watching.agent.remove("monitor", "wiki")
    await watching.settled()
    assert await met(watching, UP, both, "any")
    assert not await met(watching, UP, both, "all")


@pytest.mark.parametrize(
    ("options", "reason"), [({"tier": "golden"}, "tier"), ({"for": "00:01:00"}, "for")]
)
async def test_an_option_that_is_not_there_is_refused(
    watching: Home, caplog: pytest.LogCaptureFixture, options: dict[str, str], reason: str
) -> None:
    written = {
        "condition": f"homelab.{UP}",
        "target": devices(watching, WIKI),
        "options": options,
    }
    await automate(watching.hass, {"trigger": "event", "event_type": "ask"}, written)
    assert state_of(watching.hass) == "unavailable"
    assert reason in caplog.text
