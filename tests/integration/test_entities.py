"""Entities: what a person sees of a container and of its host, and what they can press."""

from collections.abc import Mapping
from typing import Any

import pytest
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED, Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from pytest_homeassistant_custom_component.common import MockConfigEntry, snapshot_platform
from syrupy.assertion import SnapshotAssertion

import custom_components.homelab as integration
from tests.fakes import wire, wire_domains, wire_machine, wire_services
from tests.fakes.agent_server import Answer, FakeAgent
from tests.integration.home import Home, until


def put_some_of_everything(agent: FakeAgent) -> None:
    """Let the agent know of one thing of each kind."""
    agent.put_container("old", state="exited", has_health_check=False, health="none", exit_code=137)
    agent.put("container_stats", "web", wire.statistics())
    agent.put("container_update", "web", wire.update())
    agent.put("container_recreate", "web", wire.recreate_status())
    agent.put("container_event", "web", wire.event())
    agent.put("engine_stats", "docker", wire.engine_statistics())
    agent.put("disk_usage", "docker", wire.disk_usage())
    agent.put("stack", "media", wire.stack())
    agent.put("swarm", "docker", wire.swarm())
    agent.put("swarm_service", "shop", wire.swarm_service())
    put_a_machine(agent)
    put_services(agent)
    put_domains(agent)


def put_a_machine(agent: FakeAgent) -> None:
    """Let the agent know of a machine with one part of each kind."""
    agent.put("host_info", "host", wire_machine.host_info())
    agent.put("host_stats", "host", wire_machine.host_stats())
    agent.put("host_power", "host", wire_machine.host_power())
    agent.put("network_status", "host", wire_machine.network_status())
    agent.put("network_connections", "host", wire_machine.network_connections())
    agent.put("filesystem", "/mnt/data", wire_machine.filesystem("/mnt/data"))
    agent.put("disk_forecast", "/mnt/data", wire_machine.disk_forecast("/mnt/data", 12.5))
    agent.put("block_device", "sda", wire_machine.block_device())
    agent.put("disk_health", "sda", wire_machine.disk_health())
    agent.put("network_interface", "eth0", wire_machine.network_interface())
    agent.put("network_traffic", "eth0", wire_machine.network_traffic())
    loopback = wire_machine.network_interface("lo", type="loopback")
    agent.put("network_interface", "lo", loopback)
    for name in ("coretemp Package id 0", "coretemp Core 0"):
        sensor = wire_machine.host_sensor(name)
        agent.put("host_sensor", sensor["key"], sensor)
    fan = wire_machine.host_sensor("nct6798 fan 2", type="fan", value=820.0)
    agent.put("host_sensor", fan["key"], fan)
    found = wire_machine.finding(subject="/mnt/data")
    agent.put("finding", found["key"], found)
    agent.put("maintenance_window", "backup", wire_services.maintenance_window())


def put_services(agent: FakeAgent) -> None:
    """Let the agent know of monitors and certificates, on devices of their own and on another's."""
    for monitor in (
        wire_services.monitor("Wiki", tier="critical", target="https://wiki.example.com/"),
        wire_services.monitor("Web page", container="web"),
    ):
        key = monitor["key"]
        agent.put("monitor", key, monitor)
        agent.put("monitor_result", key, wire_services.monitor_result(key))
        agent.put("monitor_report", key, wire_services.monitor_report(key))
    for certificate in (
        wire_services.certificate(monitor="wiki"),
        wire_services.certificate("mail.example.com-993"),
    ):
        agent.put("certificate", certificate["key"], certificate)


def put_domains(agent: FakeAgent) -> None:
    """Let the agent look after a domain, and all that serves it."""
    job = wire_domains.provisioning()
    agent.put("job", job["id"], job)
    agent.put(
        "domain", "photos.example.org", wire_domains.domain(proxy_state="ok", job_id=job["id"])
    )
    agent.put("proxy", "caddy", wire_domains.proxy())
    agent.put("acme_account", "acme", wire_domains.acme_account())
    agent.put("dns_provider", "home", wire_domains.dns_provider())
    agent.put("dynamic_address", "home.example.org", wire_domains.dynamic_address())
    for kept in (
        wire_domains.managed_certificate(),
        wire_domains.managed_certificate("mail.example.org", failure=wire_domains.failure()),
    ):
        agent.put("managed_certificate", kept["key"], kept)


@pytest.mark.parametrize("platform", integration.PLATFORMS)
async def test_every_entity_looks_as_it_did(
    hass: HomeAssistant,
    agent: FakeAgent,
    entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    platform: Platform,
) -> None:
    monkeypatch.setattr(integration, "PLATFORMS", [platform])
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    put_some_of_everything(agent)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_few_entities_are_on_until_somebody_wants_more(home: Home) -> None:
    put_some_of_everything(home.agent)
    home.agent.put_container("plain", health="none", has_health_check=False)
    await home.becomes("switch", "plain:switch", "on")
    await home.hass.async_block_till_done()
    entries = er.async_entries_for_config_entry(er.async_get(home.hass), home.entry.entry_id)
    on = {e.unique_id.partition(":")[2] for e in entries if e.disabled_by is None}
    of_each = {"switch", "restart", "state", "cpu", "memory"}
    assert {one for one in on if one.startswith("plain:")} == {f"plain:{one}" for one in of_each}
    assert {one for one in on if one.startswith("web:")} == {
        f"web:{one}" for one in of_each | {"health", "update"}
    }
    assert {one for one in on if one.startswith("stack:")} == {
        f"stack:media:{one}"
        for one in ("switch", "restart", "update", "state", "problem", "containers_running")
    }
    assert {one for one in on if one.startswith("swarm_service:")} == {
        f"swarm_service:shop:{one}" for one in ("problem", "tasks_running", "tasks_desired")
    }
    of_monitor = {"up", "response_time", "uptime_month", "event", "monitoring", "check_now"}
    assert {one for one in on if one.startswith("monitor:")} == {
        *(f"monitor:web-page:{one}" for one in of_monitor),
        *(f"monitor:wiki:{one}" for one in of_monitor | {"budget_left"}),
    }
    assert {one for one in on if one.startswith("certificate:")} == {
        f"certificate:{key}:{one}"
        for key in ("wiki.example.com-443", "mail.example.com-993")
        for one in ("expires_at", "problem")
    }
    parts = ("fs:", "if:", "sensor:", "disk:", "disk_health:")
    assert {one for one in on if one.startswith(parts)} == {
        "fs:/mnt/data:used_percent",
        "fs:/mnt/data:full_in",
        "if:eth0:receive_rate",
        "if:eth0:transmit_rate",
        "sensor:coretemp-package-id-0:temperature",
        "disk_health:sda:problem",
    }
    assert {one for one in on if ":" not in one} == {
        "docker",
        "calendar",
        "findings",
        "host_cpu",
        "host_memory_percent",
        "host_power",
        "host_energy",
        "last_boot",
        "reboot_required",
        "public_ipv4",
        "exposed_ports",
        "port_event",
        "agent_version",
        "docker_version",
        "containers_running",
        "containers_stopped",
        "containers_unhealthy",
        "containers_cpu",
        "containers_memory",
        "disk_reclaimable",
        "updates_available",
        "swarm_nodes_ready",
        "provisioning",
    }


@pytest.mark.parametrize(
    ("state", "switch"),
    [
        ("created", "off"),
        ("running", "on"),
        ("paused", "on"),
        ("restarting", "on"),
        ("removing", "off"),
        ("exited", "off"),
        ("dead", "off"),
    ],
)
async def test_each_state_is_shown(home: Home, state: str, switch: str) -> None:
    home.agent.change_container("web", state="created" if state != "created" else "dead")
    home.agent.change_container("web", state=state)
    await home.becomes("sensor", "web:state", state)
    assert home.state("switch", "web:switch").state == switch


async def test_a_state_only_a_newer_agent_knows_is_unknown_not_a_broken_entity(home: Home) -> None:
    home.agent.change_container("web", state="hibernating", health="bored")
    await home.becomes("sensor", "web:state", "unknown")
    assert home.state("sensor", "web:health").state == "unknown"


async def test_a_stopped_container_with_a_check_is_not_shown_as_one_without(home: Home) -> None:
    home.agent.change_container("web", state="exited", health="none")
    await home.becomes("sensor", "web:health", "unknown")


async def test_counts_follow_the_host(home: Home) -> None:
    home.agent.put(
        "engine", "docker", wire.engine(counts=wire.counts(total=3, running=1, stopped=2))
    )
    await home.becomes("sensor", "containers_stopped", "2")
    assert home.state("sensor", "containers_running").state == "1"


async def test_what_cannot_be_known_is_unknown_not_zero(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    agent.put("engine", "docker", wire.engine(counts=None, version=None))
    await hass.config_entries.async_setup(entry.entry_id)
    home = Home(hass, agent, entry)
    assert home.state("sensor", "containers_running").state == "unknown"
    assert home.state("sensor", "docker_version").state == "unknown"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_without_an_engine_and_without_a_self_description_nothing_breaks(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    agent.resources.clear()
    await hass.config_entries.async_setup(entry.entry_id)
    home = Home(hass, agent, entry)
    assert home.state("binary_sensor", "docker").state == "unknown"
    assert home.state("sensor", "agent_version").state == "unknown"
    assert home.state("sensor", "containers_running").state == "unavailable"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_one_change_touches_only_the_entities_that_show_it(home: Home) -> None:
    home.agent.put_container("db")
    await home.becomes("switch", "db:switch", "on")
    changed: list[str] = []

    @callback
    def note(data: Mapping[str, Any]) -> bool:
        changed.append(data["entity_id"])
        return False

    def never(_event: Event[Any]) -> None:
        """Take no event: the filter saw it."""

    remove = [
        home.hass.bus.async_listen(kind, never, event_filter=note)
        for kind in (EVENT_STATE_CHANGED, EVENT_STATE_REPORTED)
    ]
    home.agent.change_container("web", state="paused")
    await home.becomes("sensor", "web:state", "paused")
    assert changed == [home.entity_id("sensor", "web:state")]
    for one in remove:
        one()


@pytest.mark.parametrize(
    ("domain", "action", "platform", "key", "path"),
    [
        ("switch", "turn_off", "switch", "web:switch", "/containers/web/stop"),
        ("switch", "turn_on", "switch", "web:switch", "/containers/web/start"),
        ("button", "press", "button", "web:restart", "/containers/web/restart"),
    ],
)
async def test_pressing_something_reaches_the_container_once(
    home: Home, domain: str, action: str, platform: str, key: str, path: str
) -> None:
    await home.act(domain, action, platform, key)
    assert home.agent.count("POST", path) == 1


async def test_a_switch_shows_what_it_did(home: Home) -> None:
    await home.act("switch", "turn_off", "switch", "web:switch")
    await home.becomes("switch", "web:switch", "off")
    await home.act("switch", "turn_on", "switch", "web:switch")
    await home.becomes("switch", "web:switch", "on")


async def test_a_protected_container_is_refused_with_the_reason_and_the_remedy(home: Home) -> None:
    home.agent.change_container("web", protected_reason="It is Home Assistant itself.")
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("switch", "turn_off", "switch", "web:switch")
    assert str(caught.value) == (
        "It is protected: It is Home Assistant itself. Remove the label first."
    )
    assert home.state("switch", "web:switch").state == "on"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "denied", ServiceValidationError),
        (409, "busy", ServiceValidationError),
        (409, "quota_used_up", ServiceValidationError),
        (422, "invalid", ServiceValidationError),
        (404, "not_found", ServiceValidationError),
        (429, "rate_limited", HomeAssistantError),
        (500, "internal", HomeAssistantError),
        (502, "failed", HomeAssistantError),
        (503, "unavailable", HomeAssistantError),
        (504, "timed_out", HomeAssistantError),
    ],
)
async def test_every_refusal_is_told_in_words(
    home: Home, status: int, code: str, error: type[HomeAssistantError]
) -> None:
    document = wire.problem(status, code, "So it is.", hint="Do this.")
    home.agent.answers["POST /containers/web/stop"] = Answer(document, status)
    with pytest.raises(HomeAssistantError, match=r"So it is\. Do this\.") as caught:
        await home.act("switch", "turn_off", "switch", "web:switch")
    assert type(caught.value) is error
    assert caught.value.translation_domain == "homelab"


@pytest.mark.parametrize("outcome", ["failed", "refused", "undone"])
async def test_a_command_that_did_not_end_well_is_never_shown_as_done(
    home: Home, outcome: str
) -> None:
    answer = Answer({"outcome": outcome, "message": "It would not stop."})
    home.agent.answers["POST /containers/web/stop"] = answer
    with pytest.raises(HomeAssistantError, match="It would not stop"):
        await home.act("switch", "turn_off", "switch", "web:switch")


async def test_a_command_that_still_runs_is_no_error(home: Home) -> None:
    answer = Answer({"outcome": None, "message": "Going on.", "job": None}, 202)
    home.agent.answers["POST /containers/web/stop"] = answer
    await home.act("switch", "turn_off", "switch", "web:switch")


async def test_a_command_with_a_refused_token_asks_for_a_new_one(home: Home) -> None:
    home.agent.token = "another"
    with pytest.raises(HomeAssistantError, match="no longer accepts the token"):
        await home.act("button", "press", "button", "web:restart")
    await until(home.hass.config_entries.flow.async_progress, "the flow")
    (flow,) = home.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_the_names_of_entities_come_from_the_translations(home: Home) -> None:
    def name(platform: str, key: str) -> Any:
        return home.state(platform, key).attributes["friendly_name"]

    assert name("switch", "web:switch") == "web"
    assert name("sensor", "web:state") == "web State"
    assert name("button", "web:restart") == "web Restart"
    assert name("binary_sensor", "docker") == "atlas Docker"
    assert name("sensor", "containers_running") == "atlas Containers running"
