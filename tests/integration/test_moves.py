"""What belongs to another page than before goes there, and nobody else notices."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed_exact

from tests.fakes import wire_domains, wire_services
from tests.fakes.agent_server import FakeAgent
from tests.fakes.wire_domains import PHOTOS
from tests.integration.home import Home, device_of, name, until

DOMAIN = f"domain:{PHOTOS}"
ADDRESS = f"dynamic_address:{PHOTOS}"
MONITOR = "monitor:wiki"


def put_domain(agent: FakeAgent) -> None:
    """Let the agent look after a domain."""
    agent.put("domain", PHOTOS, wire_domains.domain(PHOTOS))


def put_address(agent: FakeAgent) -> None:
    """Let the name of the domain follow an address."""
    agent.put("dynamic_address", PHOTOS, wire_domains.dynamic_address(PHOTOS))


def put_managed(agent: FakeAgent, key: str, *names: str) -> None:
    """Let the agent keep a certificate."""
    found = wire_domains.managed_certificate(key, names=list(names))
    agent.put("managed_certificate", key, found)


def put_monitor(agent: FakeAgent, **changes: Any) -> None:
    """Let the agent watch a wiki."""
    agent.put("monitor", "wiki", wire_services.monitor("Wiki") | changes)


def page_of(home: Home, platform: str, key: str) -> str | None:
    """Return the name of the page that an entity is on."""
    device = device_of(home, platform, key)
    return device.name if device else None


@pytest.fixture
def away(hass: HomeAssistant) -> Iterator[list[str]]:
    """Whatever became unavailable or vanished for however short a time, since it was there."""
    found: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        new, old = event.data["new_state"], event.data["old_state"]
        if old is not None and (new is None or new.state == "unavailable"):
            found.append(event.data["entity_id"])

    end = hass.bus.async_listen("state_changed", note)
    yield found
    end()


async def test_an_address_goes_to_the_page_of_its_domain_and_back_and_nothing_is_interrupted(
    home: Home, away: list[str]
) -> None:
    put_address(home.agent)
    await home.becomes("binary_sensor", f"{ADDRESS}:problem", "off")
    entity_id = home.entity_id("binary_sensor", f"{ADDRESS}:problem")
    put_domain(home.agent)
    await until(lambda: home.device(ADDRESS) is None, "the move")
    await home.settled()
    assert device_of(home, "binary_sensor", f"{ADDRESS}:problem") == home.device(DOMAIN)
    assert home.entity_id("binary_sensor", f"{ADDRESS}:problem") == entity_id
    assert away == []
    home.agent.remove("domain", PHOTOS)
    await home.becomes("binary_sensor", f"{DOMAIN}:problem", "unavailable")
    away.clear()
    await home.passes(seconds=70)
    await until(lambda: home.device(ADDRESS) is not None, "the move back")
    await home.settled()
    assert device_of(home, "binary_sensor", f"{ADDRESS}:problem") == home.device(ADDRESS)
    assert home.entity_id("binary_sensor", f"{ADDRESS}:problem") == entity_id
    assert home.state("binary_sensor", f"{ADDRESS}:problem").state == "off"
    assert not any(ADDRESS.partition(":")[0] in one or "web" in one for one in away)


async def test_what_a_person_changed_of_an_entity_goes_along_even_where_it_is_off(
    home: Home,
) -> None:
    put_address(home.agent)
    await home.becomes("binary_sensor", f"{ADDRESS}:problem", "off")
    registry = er.async_get(home.hass)
    entity_id = home.entity_id("binary_sensor", f"{ADDRESS}:problem")
    registry.async_update_entity(entity_id, name="Trouble", new_entity_id="binary_sensor.my_dns")
    off = home.entity_id("sensor", f"{ADDRESS}:dynamic_changed_at")
    assert registry.async_get(off).disabled_by is not None
    await home.settled()
    put_domain(home.agent)
    await until(lambda: home.device(ADDRESS) is None, "the move")
    await home.settled()
    assert home.entity_id("binary_sensor", f"{ADDRESS}:problem") == "binary_sensor.my_dns"
    assert registry.async_get("binary_sensor.my_dns").name == "Trouble"
    assert page_of(home, "sensor", f"{ADDRESS}:dynamic_changed_at") == PHOTOS
    assert registry.async_get(off).disabled_by is not None
    registry.async_update_entity("binary_sensor.my_dns", new_entity_id="binary_sensor.our_dns")
    await home.settled()
    assert page_of(home, "binary_sensor", f"{ADDRESS}:problem") == PHOTOS


async def test_a_monitor_bears_its_name_beside_a_container_and_not_on_its_own_page(
    home: Home, away: list[str]
) -> None:
    put_monitor(home.agent)
    await home.becomes("binary_sensor", f"{MONITOR}:up", "on")
    put_monitor(home.agent, container="web")
    await until(lambda: home.device(MONITOR) is None, "the move")
    await home.settled()
    assert name(home, "binary_sensor", f"{MONITOR}:up") == "web Wiki"
    assert name(home, "switch", f"{MONITOR}:monitoring") == "web Wiki Monitoring"
    put_monitor(home.agent, container="web", name="Our wiki")
    await home.settled()
    assert name(home, "binary_sensor", f"{MONITOR}:up") == "web Our wiki"
    put_monitor(home.agent, name="Our wiki")
    await home.settled()
    assert name(home, "binary_sensor", f"{MONITOR}:up") == "Our wiki"
    assert name(home, "switch", f"{MONITOR}:monitoring") == "Our wiki Monitoring"
    assert away == []


async def test_a_monitor_called_like_its_container_does_not_say_that_name_twice(
    home: Home,
) -> None:
    put_monitor(home.agent, container="web", name="Web")
    await home.becomes("binary_sensor", f"{MONITOR}:up", "on")
    assert name(home, "binary_sensor", f"{MONITOR}:up") == "web Monitor"
    assert name(home, "sensor", f"{MONITOR}:response_time") == "web Response time"
    assert name(home, "event", f"{MONITOR}:event") == "web Monitor event"
    home.agent.change_container("web", name="shop")
    await home.settled()
    assert name(home, "binary_sensor", f"{MONITOR}:up") == "shop Web"
    assert name(home, "sensor", f"{MONITOR}:response_time") == "shop Web Response time"
    home.agent.change_container("web", name="web")
    await home.settled()
    assert name(home, "binary_sensor", f"{MONITOR}:up") == "web Monitor"
    put_monitor(home.agent, name="Web")
    await home.settled()
    assert name(home, "binary_sensor", f"{MONITOR}:up") == "Web"


async def test_two_monitors_called_like_their_container_are_told_apart_by_name(home: Home) -> None:
    put_monitor(home.agent, container="web", name="Web")
    other = wire_services.monitor("web", key="other") | {"container": "web"}
    home.agent.put("monitor", "other", other)
    await home.becomes("binary_sensor", "monitor:other:up", "on")
    assert name(home, "sensor", "monitor:other:response_time") == "web web Response time"
    assert name(home, "sensor", f"{MONITOR}:response_time") == "web Web Response time"


async def test_a_certificate_loses_its_name_on_a_page_where_it_is_the_only_one_again(
    home: Home,
) -> None:
    put_domain(home.agent)
    put_managed(home.agent, "wild", f"*.{PHOTOS}", PHOTOS)
    key = "managed_certificate:wild:problem"
    await home.becomes("binary_sensor", key, "off")
    assert name(home, "binary_sensor", key) == f"{PHOTOS} Renewal problem"
    put_managed(home.agent, PHOTOS, PHOTOS)
    await home.settled()
    assert name(home, "binary_sensor", key) == f"{PHOTOS} *.{PHOTOS} Renewal problem"
    home.agent.remove("managed_certificate", PHOTOS)
    await home.settled()
    await home.passes(seconds=70)
    assert name(home, "binary_sensor", key) == f"{PHOTOS} Renewal problem"


async def test_a_certificate_outlives_the_monitor_that_found_it(home: Home) -> None:
    put_monitor(home.agent)
    found = wire_services.certificate(monitor="wiki")
    home.agent.put("certificate", found["key"], found)
    key = f"certificate:{found['key']}"
    await home.becomes("binary_sensor", f"{key}:problem", "off")
    entity_id = home.entity_id("binary_sensor", f"{key}:problem")
    home.agent.remove("monitor", "wiki")
    await home.settled()
    await home.passes(seconds=70)
    assert home.device(MONITOR) is None
    assert home.entity_id("binary_sensor", f"{key}:problem") == entity_id
    assert device_of(home, "binary_sensor", f"{key}:problem") == home.device(key)


async def test_what_moved_while_home_assistant_was_down_leaves_no_empty_page(home: Home) -> None:
    put_address(home.agent)
    await home.becomes("binary_sensor", f"{ADDRESS}:problem", "off")
    entity_id = home.entity_id("binary_sensor", f"{ADDRESS}:problem")
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    put_domain(home.agent)
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.becomes("binary_sensor", f"{ADDRESS}:problem", "off")
    assert home.device(ADDRESS) is None
    assert home.entity_id("binary_sensor", f"{ADDRESS}:problem") == entity_id
    assert device_of(home, "binary_sensor", f"{ADDRESS}:problem") == home.device(DOMAIN)


async def test_where_a_person_put_a_page_stays_when_what_it_shows_comes_back(home: Home) -> None:
    put_address(home.agent)
    await home.becomes("binary_sensor", f"{ADDRESS}:problem", "off")
    registry = dr.async_get(home.hass)
    registry.async_update_device(home.device_id(ADDRESS), name_by_user="My address")
    put_domain(home.agent)
    await until(lambda: home.device(ADDRESS) is None, "the move")
    home.agent.remove("domain", PHOTOS)
    await home.settled()
    await home.passes(seconds=70)
    device = home.device(ADDRESS)
    assert device is not None
    assert device.name_by_user == "My address"


async def test_what_comes_back_after_the_page_it_was_on_went_is_shown_again(home: Home) -> None:
    put_domain(home.agent)
    put_managed(home.agent, PHOTOS, PHOTOS)
    key = f"managed_certificate:{PHOTOS}:problem"
    await home.becomes("binary_sensor", key, "off")
    home.agent.remove("domain", PHOTOS)
    await home.settled()
    only_the_domain_goes = dt_util.utcnow() + timedelta(seconds=60)
    home.agent.remove("managed_certificate", PHOTOS)
    await home.settled()
    async_fire_time_changed_exact(home.hass, only_the_domain_goes)
    await home.hass.async_block_till_done()
    assert home.device(DOMAIN) is None
    put_managed(home.agent, PHOTOS, PHOTOS)
    await home.becomes("binary_sensor", key, "off")
    assert device_of(home, "binary_sensor", key) == home.device(f"managed_certificate:{PHOTOS}")
