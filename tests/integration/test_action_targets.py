"""Whom actions are about where the target is empty, or where there are several hosts."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes import wire, wire_domains, wire_services
from tests.fakes.agent_server import Answer, FakeAgent
from tests.fakes.wire_domains import PHOTOS
from tests.integration.home import Home, entry_data, until

KEY = "wiki.example.com-443"
ALIKE = (
    ("monitor", "wiki", wire_services.monitor("Wiki")),
    ("domain", PHOTOS, wire_domains.domain(PHOTOS)),
    ("certificate", KEY, wire_services.certificate(KEY)),
    ("dynamic_address", "home.example.org", wire_domains.dynamic_address()),
)
"""What two hosts have under the same name."""


@pytest.fixture
async def serving(home: Home) -> Home:
    """A home with a monitor, a domain, and what else has a name."""
    for kind, key, resource in ALIKE:
        home.agent.put(kind, key, resource)
    home.agent.put("maintenance_window", "w1", wire_services.maintenance_window("Backup", key="w1"))
    await home.settled()
    return home


@pytest.fixture
async def nas(serving: Home) -> AsyncGenerator[MockConfigEntry]:
    """Another host, with a container, and the same that are called the same."""
    hass = serving.hass
    window = wire_services.maintenance_window("backup", key="w2")
    async with FakeAgent() as agent:
        agent.info = wire.info(instance_id="instance-2")
        agent.put("engine", "docker", wire.engine())
        agent.put_container("web")
        for kind, key, resource in ALIKE:
            agent.put(kind, key, resource)
        agent.put("maintenance_window", "w2", window)
        entry = MockConfigEntry(
            domain="homelab", title="nas", unique_id="instance-2", data=entry_data(agent)
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        yield entry
        await hass.config_entries.async_unload(entry.entry_id)


async def refused(home: Home, action: str, **data: Any) -> str | None:
    """Call an action that the agent never hears of; return the key of what is said."""
    before = len(home.agent.seen)
    with pytest.raises(ServiceValidationError) as caught:
        await home.ask(action, **data)
    assert len(home.agent.seen) == before
    assert "{" not in str(caught.value)
    return caught.value.translation_key


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("pause_monitor", {}),
        ("check_domain", {}),
        ("add_maintenance_window", {"name": "Now", "duration": 60}),
        ("list_updates", {}),
        ("list_zones", {}),
        ("export_domains", {}),
    ],
)
@pytest.mark.parametrize("target", [{"device_id": []}, {"entity_id": "none"}])
async def test_a_target_that_came_out_empty_is_not_everything(
    serving: Home, action: str, data: dict[str, Any], target: dict[str, Any]
) -> None:
    assert await refused(serving, action, **target, **data) == "no_host"


@pytest.mark.parametrize(
    ("action", "field", "data"),
    [
        ("pause_monitor", "monitor", {}),
        ("check_domain", "domain", {}),
        ("set_proxy_route", "allow", {"domain": PHOTOS, "upstreams": "h:1"}),
    ],
)
async def test_an_empty_list_is_not_everything_nor_everybody(
    serving: Home, action: str, field: str, data: dict[str, Any]
) -> None:
    before = len(serving.agent.seen)
    with pytest.raises(vol.Invalid, match=field):
        await serving.ask(action, **{field: []}, **data)
    assert len(serving.agent.seen) == before


async def test_of_two_hosts_none_is_meant_because_the_other_is_away(home: Home) -> None:
    away = MockConfigEntry(
        domain="homelab", title="nas", unique_id="instance-2", data=entry_data(home.agent)
    )
    away.add_to_hass(home.hass)
    assert await refused(home, "export_domains") == "one_host_needed"


async def test_a_container_of_another_host_is_not_taken_for_its_namesake(
    serving: Home, nas: MockConfigEntry
) -> None:
    there = ("homelab", "instance-2:web")
    web = dr.async_get(serving.hass).async_get_device_by_identifier(there, nas.entry_id)
    assert web is not None
    target = [serving.device_id(f"domain:{PHOTOS}"), web.id]
    for action, data in (("update_domain", {"note": "x"}), ("provision_domain", {})):
        said = await refused(serving, action, device_id=target, **data)
        assert said == "one_container_needed"


@pytest.mark.usefixtures("nas")
@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("remove_monitor", {"monitor": "wiki"}),
        ("remove_domain", {"domain": PHOTOS}),
        ("deprovision_domain", {"domain": PHOTOS}),
        ("plan_dns", {"domain": PHOTOS}),
        ("remove_maintenance_window", {"window": "Backup"}),
        ("unwatch_certificate", {"certificate": KEY}),
        ("unwatch_certificate", {"certificate": "wiki.example.com"}),
        ("remove_dynamic_address", {"name": "home.example.org"}),
    ],
)
async def test_a_name_that_two_hosts_know_is_lost_at_neither(
    serving: Home, action: str, data: dict[str, Any]
) -> None:
    assert await refused(serving, action, **data) == "one_host_needed"


@pytest.mark.usefixtures("nas")
@pytest.mark.parametrize(
    ("action", "data", "path", "answered"),
    [
        ("remove_monitor", {"monitor": "wiki"}, "monitors/wiki", "monitors"),
        ("remove_maintenance_window", {"window": "BACKUP"}, "maintenance/w1", "windows"),
        ("unwatch_certificate", {"certificate": KEY}, f"certificates/{KEY}", "certificates"),
    ],
)
async def test_a_name_that_two_hosts_know_is_lost_at_the_one_that_is_targeted(
    serving: Home, action: str, data: dict[str, Any], path: str, answered: str
) -> None:
    done = {"outcome": "done", "message": "As told.", "job": None}
    serving.agent.answers[f"DELETE /{path}"] = Answer(done)
    answer = await serving.ask(action, device_id=serving.device_id(None), **data)
    assert [one["host"] for one in answer[answered]] == ["atlas"]


async def test_a_window_is_added_where_monitors_are_targeted_and_asked_of_no_other_host(
    serving: Home, nas: MockConfigEntry
) -> None:
    web = dr.async_get(serving.hass).async_get_device_by_identifier(
        ("homelab", "instance-2:web"), nas.entry_id
    )
    assert web is not None
    serving.agent.answers["POST /maintenance"] = Answer(wire_services.maintenance_window("Now"))
    target = [serving.device_id("monitor:wiki"), web.id]
    answer = await serving.ask("add_maintenance_window", device_id=target, name="Now", duration=60)
    assert [one["host"] for one in answer["windows"]] == ["atlas"]


@pytest.mark.usefixtures("nas")
async def test_a_monitor_is_lost_at_neither_host_that_has_it_under_another_name(
    serving: Home,
) -> None:
    serving.agent.put("monitor", "wiki", wire_services.monitor("Handbook", key="wiki"))
    await serving.settled()
    assert await refused(serving, "remove_monitor", monitor="wiki") == "one_host_needed"


async def test_of_several_containers_none_is_left_out_unsaid(serving: Home) -> None:
    serving.agent.put_container("db")
    await until(lambda: serving.device("db"), "the device")
    both = [serving.device_id("web"), serving.device_id("db")]
    for action, data in (
        ("issue_certificate", {"names": [PHOTOS]}),
        ("add_domain", {"domain": "x.example.org"}),
        ("add_monitor", {"name": "x", "type": "http", "url": "http://x/"}),
        ("provision_domain", {"domain": PHOTOS, "upstream": "h:1"}),
    ):
        assert await refused(serving, action, device_id=both, **data) == "one_container_needed"
