"""The triggers and the condition of domains: told once, nothing old, with what a message needs."""

from typing import Any

import pytest

from tests.fakes import wire_domains
from tests.fakes.wire_domains import PHOTOS
from tests.integration.automations import automate, devices, met, on, state_of
from tests.integration.home import Home

DOMAIN = f"domain:{PHOTOS}"
HOME_NAME = "home.example.org"
HEALTHY = "domain_is_healthy"

WHAT_A_MESSAGE_NEEDS: dict[str, dict[str, Any]] = {
    "domain_unhealthy": {
        "name": PHOTOS,
        "key": PHOTOS,
        "status": "unhealthy",
        "reason": "Nothing answers on port 443.",
        "addresses": ["203.0.113.7"],
        "container": None,
        "certificate_days_left": 89,
    },
    "domain_recovered": {"name": PHOTOS, "status": "healthy"},
    "domain_provisioned": {"name": PHOTOS, "addresses": ["203.0.113.7"]},
    "address_changed": {
        "name": HOME_NAME,
        "old_ipv4": "203.0.113.6",
        "new_ipv4": "203.0.113.7",
        "old_ipv6": None,
        "new_ipv6": None,
    },
    "certificate_renewal_failed": {
        "name": PHOTOS,
        "names": [PHOTOS],
        "days_left": 89,
        "expires_at": "2127-02-18T08:00:00+00:00",
        "step": "validation",
        "reason": "The authority could not see the proof.",
        "what_to_do": "Look at the delegation.",
    },
}
DEVICES = {
    "domain_unhealthy": DOMAIN,
    "domain_recovered": DOMAIN,
    "domain_provisioned": DOMAIN,
    "address_changed": f"dynamic_address:{HOME_NAME}",
    "certificate_renewal_failed": DOMAIN,
}
EVENTS = {
    "domain_unhealthy": "unhealthy",
    "domain_recovered": "recovered",
    "domain_provisioned": "provisioned",
}


def put(home: Home, **changes: Any) -> None:
    home.agent.put("domain", PHOTOS, wire_domains.domain(**changes))


def event(home: Home, kind: str, number: int) -> None:
    home.agent.put("domain_event", PHOTOS, wire_domains.domain_event(PHOTOS, kind, number))


def happens(home: Home, trigger: str, number: int = 7) -> None:
    """Let the happening of a trigger happen."""
    match trigger:
        case "address_changed":
            changed = wire_domains.dynamic_address_event(HOME_NAME, "changed", number)
            home.agent.put("dynamic_address_event", HOME_NAME, changed)
        case "certificate_renewal_failed":
            failed = wire_domains.managed_certificate_event(PHOTOS, "failed", number)
            home.agent.put("managed_certificate_event", PHOTOS, failed)
        case _:
            event(home, EVENTS[trigger], number)


@pytest.fixture
async def quiet(home: Home) -> Home:
    """A home with a domain, its certificate, and a name that follows an address."""
    put(home)
    home.agent.put("dynamic_address", HOME_NAME, wire_domains.dynamic_address())
    home.agent.put("managed_certificate", PHOTOS, wire_domains.managed_certificate())
    await home.settled()
    return home


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_what_happens_is_told_once_with_all_that_a_message_needs(
    quiet: Home, trigger: str
) -> None:
    runs = await automate(quiet.hass, on(quiet, trigger, DEVICES[trigger]))
    happens(quiet, trigger)
    happens(quiet, trigger)
    await quiet.settled()
    quiet.agent.cut()
    await quiet.settled()
    (run,) = runs
    needed = WHAT_A_MESSAGE_NEEDS[trigger]
    assert {name: run[name] for name in needed} == needed
    device_id = quiet.device_id(DEVICES[trigger])
    assert (run["host"], run["device_id"], run["event"]) == ("atlas", device_id, trigger)


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_a_restart_of_home_assistant_tells_nothing_old(quiet: Home, trigger: str) -> None:
    happens(quiet, trigger)
    await quiet.settled()
    await quiet.hass.config_entries.async_unload(quiet.entry.entry_id)
    runs = await automate(quiet.hass, on(quiet, trigger, None))
    await quiet.hass.config_entries.async_setup(quiet.entry.entry_id)
    await quiet.settled()
    assert not runs


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_what_happened_while_nobody_was_heard_for_long_is_told(
    quiet: Home, trigger: str
) -> None:
    runs = await automate(quiet.hass, on(quiet, trigger, None))
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    happens(quiet, trigger)
    await quiet.agent.start()
    await quiet.becomes("binary_sensor", "docker", "on")
    await quiet.settled()
    assert len(runs) == 1


@pytest.mark.parametrize("kind", ["step", "updated", "failed", "deprovisioned", "dreamt"])
async def test_what_no_trigger_is_for_tells_nothing(quiet: Home, kind: str) -> None:
    triggers = [on(quiet, trigger, None) for trigger in WHAT_A_MESSAGE_NEEDS]
    runs = await automate(quiet.hass, triggers)
    event(quiet, kind, 7)
    address = wire_domains.dynamic_address_event(HOME_NAME, "failed", 7)
    quiet.agent.put("dynamic_address_event", HOME_NAME, address)
    renewed = wire_domains.managed_certificate_event(PHOTOS, "renewed", 7)
    quiet.agent.put("managed_certificate_event", PHOTOS, renewed)
    await quiet.settled()
    assert not runs


async def test_a_domain_that_recovers_in_time_is_not_told_of(quiet: Home) -> None:
    minutes = {"for": {"minutes": 5}}
    runs = await automate(quiet.hass, on(quiet, "domain_unhealthy", DOMAIN, **minutes))
    put(quiet, status="unhealthy")
    event(quiet, "unhealthy", 7)
    await quiet.settled()
    put(quiet, status="healthy")
    event(quiet, "recovered", 8)
    await quiet.settled()
    await quiet.passes(minutes=6)
    assert not runs
    put(quiet, status="unhealthy")
    event(quiet, "unhealthy", 9)
    await quiet.settled()
    await quiet.passes(minutes=6)
    assert len(runs) == 1


@pytest.mark.parametrize(("kind", "status"), [("unhealthy", "unhealthy"), ("recovered", "healthy")])
async def test_what_goes_on_after_a_look_that_said_nothing_is_told(
    quiet: Home, kind: str, status: str
) -> None:
    minutes = {"for": {"minutes": 5}}
    runs = await automate(quiet.hass, on(quiet, f"domain_{kind}", DOMAIN, **minutes))
    event(quiet, kind, 7)
    for then in (status, "unknown", status):
        put(quiet, status=then)
        await quiet.settled()
    await quiet.passes(minutes=6)
    assert len(runs) == 1


async def test_an_address_of_a_domain_counts_for_the_domain(quiet: Home) -> None:
    quiet.agent.put("dynamic_address", PHOTOS, wire_domains.dynamic_address(PHOTOS))
    await quiet.settled()
    runs = await automate(quiet.hass, on(quiet, "address_changed", DOMAIN))
    changed = wire_domains.dynamic_address_event(PHOTOS, "changed", 3)
    quiet.agent.put("dynamic_address_event", PHOTOS, changed)
    happens(quiet, "address_changed")
    await quiet.settled()
    (run,) = runs
    assert run["key"] == PHOTOS


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_what_could_never_fire_is_refused(quiet: Home, trigger: str) -> None:
    await automate(quiet.hass, on(quiet, trigger, "web"))
    assert state_of(quiet.hass) == "unavailable"


async def test_any_domain_or_all_of_them_are_healthy(quiet: Home) -> None:
    other = wire_domains.domain("shop.example.org", status="degraded")
    quiet.agent.put("domain", "shop.example.org", other)
    await quiet.settled()
    shop = "domain:shop.example.org"
    assert await met(quiet, HEALTHY, devices(quiet, DOMAIN), "all")
    assert not await met(quiet, HEALTHY, devices(quiet, shop))
    assert await met(quiet, HEALTHY, devices(quiet, None), "any")
    assert not await met(quiet, HEALTHY, devices(quiet, None), "all")
    assert not await met(quiet, HEALTHY, devices(quiet, DOMAIN, shop), "all")


@pytest.mark.parametrize("status", ["pending", "changing", "unknown", "paused", "dreaming"])
async def test_what_is_not_known_to_work_is_not_healthy(quiet: Home, status: str) -> None:
    put(quiet, status=status)
    await quiet.settled()
    assert not await met(quiet, HEALTHY, devices(quiet, DOMAIN))


async def test_nothing_is_healthy_while_the_agent_is_away(quiet: Home) -> None:
    target = devices(quiet, DOMAIN)
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    assert not await met(quiet, HEALTHY, target)
