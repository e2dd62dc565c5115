"""What Home Assistant offers to do with a target that a person chose first."""

import pytest
from homeassistant.components.websocket_api.automation import (
    async_get_conditions_for_target,
    async_get_services_for_target,
    async_get_triggers_for_target,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component

from custom_components.homelab import condition, trigger
from tests.fakes import wire, wire_domains, wire_services
from tests.fakes.wire_domains import PHOTOS
from tests.integration.home import Home

CERTIFICATE = "certificate:wiki.example.com-443"
KINDS = {
    "host": None,
    "container": "web",
    "stack": "stack:media",
    "monitor": "monitor:wiki",
    "certificate": CERTIFICATE,
    "domain": f"domain:{PHOTOS}",
    "dynamic_address": "dynamic_address:home.example.org",
    "managed_certificate": "managed_certificate:wild",
}
"""A device of each kind that triggers and conditions know."""


@pytest.fixture
async def full(home: Home) -> Home:
    """A home with one of each, and automations."""
    agent = home.agent
    agent.put("stack", "media", wire.stack("media"))
    agent.put("monitor", "wiki", wire_services.monitor("Wiki"))
    agent.put("certificate", "wiki.example.com-443", wire_services.certificate())
    agent.put("domain", PHOTOS, wire_domains.domain(PHOTOS))
    name = "home.example.org"
    agent.put("dynamic_address", name, wire_domains.dynamic_address(name))
    wild = wire_domains.managed_certificate("wild", names=["*.example.net"])
    agent.put("managed_certificate", "wild", wild)
    await home.settled()
    assert await async_setup_component(home.hass, "automation", {})
    # To read about the actions of others takes packages that nothing else here needs.
    for domain, actions in home.hass.services.async_services().items():
        for action in actions if domain != "homelab" else ():
            home.hass.services.async_remove(domain, action)
    return home


async def offered(home: Home, target: dict[str, list[str]]) -> set[str]:
    """Return the triggers, conditions and actions of ours that the editor offers."""
    found: set[str] = set()
    for ask in (
        async_get_triggers_for_target,
        async_get_conditions_for_target,
        async_get_services_for_target,
    ):
        found |= await ask(home.hass, target, expand_group=True)
    return {name.removeprefix("homelab.") for name in found if name.startswith("homelab.")}


@pytest.mark.parametrize("kind", KINDS)
async def test_all_that_fits_a_device_is_offered_for_it(full: Home, kind: str) -> None:
    chosen = await offered(full, {"device_id": [full.device_id(KINDS[kind])]})
    triggers = await trigger.async_get_triggers(full.hass)
    conditions = await condition.async_get_conditions(full.hass)
    assert triggers.keys() == {
        name.removeprefix("homelab.")
        for name in await async_get_all_descriptions(full.hass)
        if name.startswith("homelab.")
    }
    fitting = {
        name
        for name, made in (triggers | conditions).items()
        if kind in getattr(made, "device_kinds", ())
    }
    assert fitting <= chosen


@pytest.mark.parametrize(
    ("kind", "wanted", "unwanted"),
    [
        ("host", "prune", "get_logs"),
        ("container", "get_logs", "domain_unhealthy"),
        ("container", "container_died", "disk_filling"),
        ("stack", "stack_command", "prune"),
        ("monitor", "monitor_down", "container_died"),
        ("monitor", "monitor_is_up", "container_is_running"),
        ("monitor", "check_monitor", "container_command"),
        ("certificate", "certificate_expiring", "container_died"),
        ("domain", "domain_unhealthy", "container_died"),
        ("domain", "check_domain", "deploy_stack"),
    ],
)
async def test_what_does_not_fit_a_device_is_not_offered_for_it(
    full: Home, kind: str, wanted: str, unwanted: str
) -> None:
    chosen = await offered(full, {"device_id": [full.device_id(KINDS[kind])]})
    assert wanted in chosen
    assert unwanted not in chosen


async def test_for_what_is_not_of_a_homelab_nothing_of_it_is_offered(full: Home) -> None:
    assert await async_setup_component(full.hass, "input_boolean", {"input_boolean": {"lamp": {}}})
    assert er.async_get(full.hass).async_get("input_boolean.lamp") is not None
    assert await offered(full, {"entity_id": ["input_boolean.lamp"]}) == set()
