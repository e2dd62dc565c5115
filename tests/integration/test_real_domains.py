"""Domains of a real agent in Home Assistant: what the invented homelab shows, and lets do."""

from typing import Any

import pytest
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component

from custom_components.homelab import issues
from custom_components.homelab.client import ProvisionStep
from custom_components.homelab.client.models import DeprovisionBody, StartBody
from tests.integration.real_lab import Lab, becomes

pytestmark = pytest.mark.filterwarnings("ignore:It is recommended to use web.AppKey")

HOME_NAME = "home.example.org"
NEW = "new.home.example.org"
STEPS = [step.value for step in ProvisionStep if step is not ProvisionStep.UNKNOWN]


async def test_the_demo_shows_domains_with_all_that_serves_them(admin: Lab) -> None:
    domain = f"domain:{HOME_NAME}"
    page = admin.device_id(domain)
    for platform, key in (
        ("binary_sensor", f"{domain}:problem"),
        ("sensor", f"{domain}:domain_certificate_expires_at"),
        ("sensor", f"dynamic_address:{HOME_NAME}:dynamic_ipv4"),
        ("sensor", "managed_certificate:_wildcard.home.example.org:managed_expires_at"),
    ):
        assert admin.device_of(platform, key) == page, key
    assert admin.device_of("sensor", "proxy:caddy:proxy_routes") == admin.device_id("proxy:caddy")
    assert admin.device_of("sensor", "dns_provider:invented:provider_state") == admin.device_id()
    assert admin.state("sensor", "dns_provider:invented:provider_state") == "ok"
    sick = "domain:git.home.example.org:problem"
    await becomes(lambda: admin.state("binary_sensor", sick) == "on", "the expired certificate")
    failing = "managed_certificate:mail.home.example.org:problem"
    assert admin.state("binary_sensor", failing) == "on"


async def test_a_name_is_provisioned_live_and_taken_back(admin: Lab) -> None:
    hass, client = admin.hass, admin.entry.runtime_data.client
    seen: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is not None and state.attributes.get("domain") == NEW:
            seen.append(state.state)

    sensor = admin.entity_id("sensor", "provisioning")
    end = async_track_state_change_event(hass, sensor, note)
    body = StartBody(name=NEW, upstream="192.0.2.99:8080", ipv4="203.0.113.20", wait_s=0)
    await client.provisioning.start(body)
    problem = f"domain:{NEW}:problem"
    await becomes(
        lambda: (
            admin.has("binary_sensor", problem) and admin.state("binary_sensor", problem) == "off"
        ),
        "the new domain",
    )
    await becomes(lambda: admin.state("sensor", "provisioning") == "idle", "the end")
    steps = list(dict.fromkeys(seen))
    assert len(steps) > 1
    assert steps == [step for step in STEPS if step in steps]
    assert admin.state("sensor", f"domain:{NEW}:domain_address") == "203.0.113.20"
    assert admin.state("sensor", f"domain:{NEW}:domain_proxy") == "ok"
    await client.provisioning.take_back(NEW, DeprovisionBody(forget=True, wait_s=0))
    await becomes(
        lambda: admin.state("binary_sensor", problem) == "unavailable", "the domain to be forgotten"
    )
    end()


async def test_what_stays_wrong_in_the_demo_is_a_repair(admin: Lab) -> None:
    assert await async_setup_component(admin.hass, "repairs", {})

    def shown(issue: str) -> list[str]:
        found: Any = ir.async_get(admin.hass).issues.values()
        return [one.issue_id for one in found if one.translation_key == issue and one.active]

    await becomes(lambda: bool(shown(issues.RENEWAL_FAILED)), "the failed renewal")
    assert shown(issues.PROXY_FORGETS)
    (issue_id,) = shown(issues.RENEWAL_FAILED)
    manager = repairs_flow_manager(admin.hass)
    assert manager is not None
    step = await manager.async_init("homelab", context={"issue_id": issue_id})
    done = await manager.async_configure(step["flow_id"], {"next_step_id": "renew"})
    assert done["type"] == "create_entry"
    await becomes(lambda: not shown(issues.RENEWAL_FAILED), "the renewal")


@pytest.mark.parametrize(
    "key",
    [
        f"domain:{HOME_NAME}:check_domain",
        f"dynamic_address:{HOME_NAME}:update_address",
        "managed_certificate:_wildcard.home.example.org:renew_certificate",
    ],
)
async def test_every_button_does_what_it_says(admin: Lab, key: str) -> None:
    await admin.operate("button", "press", "button", key)
