"""Monitors and certificates: what a person sees of them, and on whose page."""

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes import wire, wire_services
from tests.fakes.agent_server import Answer, FakeAgent
from tests.integration.home import Home, device_of, name, until

WIKI = "monitor:wiki"
CERTIFICATE = "certificate:wiki.example.com-443"
DONE = Answer({"outcome": "done", "message": "Done.", "job": None})


def put_monitor(agent: FakeAgent, name: str = "Wiki", **changes: object) -> None:
    """Let the agent watch something, with all that it knows of it."""
    monitor = wire_services.monitor(name, **changes)
    key = monitor["key"]
    agent.put("monitor", key, monitor)
    agent.put("monitor_result", key, wire_services.monitor_result(key))
    agent.put("monitor_report", key, wire_services.monitor_report(key))


def change(home: Home, **changes: object) -> None:
    """Change some of what is known of the monitor."""
    home.agent.put("monitor", "wiki", home.agent.resources["monitor", "wiki"] | changes)


@pytest.fixture
async def watched(home: Home) -> Home:
    """A home whose agent watches a wiki."""
    put_monitor(home.agent)
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")
    await home.becomes("sensor", f"{WIKI}:response_time", "42.0")
    return home


async def test_a_monitor_has_a_page_below_its_host_that_leads_to_what_it_watches(
    watched: Home,
) -> None:
    host, wiki = watched.device(), watched.device(WIKI)
    assert host is not None
    assert wiki is not None
    assert wiki.via_device_id == host.id
    assert (wiki.name, wiki.model, wiki.manufacturer) == ("Wiki", "Monitor", "Homelab")
    assert wiki.configuration_url == "http://wiki.example.com/"
    assert name(watched, "binary_sensor", f"{WIKI}:up") == "Wiki"
    assert name(watched, "sensor", f"{WIKI}:response_time") == "Wiki Response time"


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("https://me:secret@wiki.example.com/", "https://wiki.example.com/"),
        ("wiki.example.com:22", None),
        ("http://[broken", None),
    ],
)
async def test_a_page_leads_only_to_what_a_browser_can_open(
    watched: Home, target: str, address: str | None
) -> None:
    change(watched, target=target, name="Our wiki")

    def shown() -> str | None:
        device = watched.device(WIKI)
        return device.name if device else None

    await until(lambda: shown() == "Our wiki", "the new name")
    device = watched.device(WIKI)
    assert device is not None
    assert device.configuration_url == address


@pytest.mark.parametrize(
    ("state", "up", "shown"),
    [
        ("up", "on", "up"),
        ("down", "off", "down"),
        ("pending", "unknown", "pending"),
        ("maintenance", "unknown", "maintenance"),
        ("paused", "unknown", "paused"),
        ("unknown", "unknown", "unknown"),
        ("dreaming", "unknown", "unknown"),
    ],
)
async def test_each_state_is_shown_for_what_it_is(
    home: Home, state: str, up: str, shown: str
) -> None:
    put_monitor(home.agent, state=state, reason="So it is.", warning="No password.")
    await home.becomes("binary_sensor", f"{WIKI}:up", up)
    attributes = home.state("binary_sensor", f"{WIKI}:up").attributes
    assert (attributes["reason"], attributes["warning"]) == ("So it is.", "No password.")
    registry = er.async_get(home.hass)
    registry.async_update_entity(
        home.entity_id("sensor", f"{WIKI}:monitor_state"), disabled_by=None
    )
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert home.state("sensor", f"{WIKI}:monitor_state").state == shown


@pytest.mark.parametrize(
    ("before", "shown"), [("up", "on"), ("down", "off"), ("paused", "unknown")]
)
async def test_a_failure_that_is_not_confirmed_leaves_what_was_known(
    watched: Home, before: str, shown: str
) -> None:
    change(watched, state="pending")
    await watched.becomes("binary_sensor", f"{WIKI}:up", "unknown")
    change(watched, state=before)
    change(watched, state="failing", reason="Timed out.")

    def told() -> bool:
        return watched.state("binary_sensor", f"{WIKI}:up").attributes["reason"] == "Timed out."

    await until(told, "the failure")
    assert watched.state("binary_sensor", f"{WIKI}:up").state == shown


async def test_figures_that_nobody_can_know_are_unknown(watched: Home) -> None:
    failed = wire_services.monitor_result(ok=False, response_ms=None, code="refused")
    watched.agent.put("monitor_result", "wiki", failed)
    await watched.becomes("sensor", f"{WIKI}:response_time", "unknown")
    nothing = wire_services.span(uptime_percent=None, error_percent=None, response_p95_ms=None)
    report = wire_services.monitor_report(left=None, month=nothing)
    watched.agent.put("monitor_report", "wiki", report)
    await watched.becomes("sensor", f"{WIKI}:uptime_month", "unknown")


async def test_a_service_that_was_never_checked_is_unknown_not_away(home: Home) -> None:
    home.agent.put("monitor", "wiki", wire_services.monitor(state="pending", since=None))
    await home.becomes("sensor", f"{WIKI}:response_time", "unknown")
    assert home.state("sensor", f"{WIKI}:uptime_month").state == "unknown"
    home.agent.remove("monitor", "wiki")
    await home.becomes("sensor", f"{WIKI}:response_time", "unavailable")


async def test_only_a_critical_service_shows_its_budget_at_once(home: Home) -> None:
    put_monitor(home.agent, "Wiki", tier="critical")
    put_monitor(home.agent, "Blog")
    await home.becomes("sensor", f"{WIKI}:budget_left", "100.0")
    entry = er.async_get(home.hass).async_get(home.entity_id("sensor", "monitor:blog:budget_left"))
    assert entry is not None
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_down_and_up_are_events_with_reason_and_duration(watched: Home) -> None:
    def event() -> State:
        return watched.state("event", f"{WIKI}:event")

    assert event().state == "unknown"
    watched.agent.put("monitor_event", "wiki", wire_services.monitor_event(number=5))
    await until(lambda: event().attributes["event_type"] == "down", "the outage")
    assert event().attributes["reason"] == "Connection refused."
    assert event().attributes["code"] == "refused"
    watched.agent.put("monitor_event", "wiki", wire_services.monitor_event(kind="up", number=6))
    await until(lambda: event().attributes["event_type"] == "up", "the recovery")
    assert event().attributes["duration"] == 300.0
    assert "reason" not in event().attributes
    odd = wire_services.monitor_event(kind="wobbled", number=7)
    watched.agent.put("monitor_event", "wiki", odd)
    change(watched, state="down")
    await watched.becomes("binary_sensor", f"{WIKI}:up", "off")
    assert event().attributes["event_type"] == "up"


async def test_an_outage_during_a_cut_is_an_event_and_one_before_is_not(watched: Home) -> None:
    def event() -> State:
        return watched.state("event", f"{WIKI}:event")

    watched.agent.cut()
    watched.agent.put("monitor_event", "wiki", wire_services.monitor_event(number=5))
    await until(lambda: event().attributes.get("event_type") == "down", "the outage")
    await watched.hass.config_entries.async_reload(watched.entry.entry_id)
    before = event()
    put_monitor(watched.agent, "Blog")
    await watched.becomes("binary_sensor", "monitor:blog:up", "on")
    assert event() == before


async def test_switching_it_off_pauses_the_checks_and_on_resumes_them(watched: Home) -> None:
    watched.agent.answers["POST /monitors/wiki/pause"] = DONE
    watched.agent.answers["POST /monitors/wiki/resume"] = DONE
    assert watched.state("switch", f"{WIKI}:monitoring").state == "on"
    await watched.act("switch", "turn_off", "switch", f"{WIKI}:monitoring")
    assert watched.agent.count("POST", "/monitors/wiki/pause") == 1
    change(watched, state="paused")
    await watched.becomes("switch", f"{WIKI}:monitoring", "off")
    await watched.act("switch", "turn_on", "switch", f"{WIKI}:monitoring")
    assert watched.agent.count("POST", "/monitors/wiki/resume") == 1


async def test_a_button_has_it_checked_now(watched: Home) -> None:
    described = {"monitor": wire_services.monitor(), "settings": wire_services.settings()}
    watched.agent.answers["POST /monitors/wiki/check"] = Answer(described)
    await watched.act("button", "press", "button", f"{WIKI}:check_now")
    assert watched.agent.count("POST", "/monitors/wiki/check") == 1


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(403, "denied", ServiceValidationError), (503, "unavailable", HomeAssistantError)],
)
async def test_every_refusal_is_told_in_words(
    watched: Home, status: int, code: str, error: type[HomeAssistantError]
) -> None:
    refusal = Answer(wire.problem(status, code, "So it is.", hint="Do this."), status)
    watched.agent.answers["POST /monitors/wiki/check"] = refusal
    watched.agent.answers["POST /monitors/wiki/pause"] = refusal
    with pytest.raises(error, match=r"So it is\. Do this\."):
        await watched.act("button", "press", "button", f"{WIKI}:check_now")
    with pytest.raises(error, match=r"So it is\. Do this\."):
        await watched.act("switch", "turn_off", "switch", f"{WIKI}:monitoring")


async def test_a_monitor_needs_no_docker(watched: Home) -> None:
    watched.agent.put("engine", "docker", wire.engine_away())
    await watched.becomes("switch", "web:switch", "unavailable")
    assert watched.state("binary_sensor", f"{WIKI}:up").state == "on"


async def test_nothing_of_a_monitor_is_shown_while_the_agent_is_away(watched: Home) -> None:
    await watched.agent.stop()
    for platform, key in (
        ("binary_sensor", "up"),
        ("sensor", "response_time"),
        ("sensor", "uptime_month"),
        ("switch", "monitoring"),
        ("button", "check_now"),
        ("event", "event"),
    ):
        await watched.becomes(platform, f"{WIKI}:{key}", "unavailable")


async def test_a_removed_monitor_takes_its_page_along(watched: Home) -> None:
    for kind in ("monitor", "monitor_result", "monitor_report"):
        watched.agent.remove(kind, "wiki")
    await watched.becomes("binary_sensor", f"{WIKI}:up", "unavailable")
    await watched.passes(seconds=70)
    assert watched.device(WIKI) is None
    assert not watched.has("sensor", f"{WIKI}:response_time")


async def test_a_monitor_of_a_container_is_shown_on_its_page_by_name(home: Home) -> None:
    put_monitor(home.agent, container="web")
    put_monitor(home.agent, "Admin page", container="web")
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")
    await home.becomes("sensor", "monitor:admin-page:response_time", "42.0")
    assert home.device(WIKI) is None
    assert device_of(home, "binary_sensor", f"{WIKI}:up") == home.device("web")
    assert name(home, "binary_sensor", f"{WIKI}:up") == "web Wiki"
    response = name(home, "sensor", "monitor:admin-page:response_time")
    assert response == "web Admin page Response time"


async def test_a_recreated_container_keeps_the_entities_of_its_monitor(home: Home) -> None:
    put_monitor(home.agent, container="web")
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")
    entity_id = home.entity_id("binary_sensor", f"{WIKI}:up")
    er.async_get(home.hass).async_update_entity(entity_id, new_entity_id="binary_sensor.my_wiki")
    home.agent.remove("container", "web")
    await home.becomes("switch", "web:switch", "unavailable")
    assert home.state("binary_sensor", f"{WIKI}:up").state == "on"
    home.agent.put_container("web", id="another")
    await home.becomes("switch", "web:switch", "on")
    await home.passes(seconds=70)
    assert home.entity_id("binary_sensor", f"{WIKI}:up") == "binary_sensor.my_wiki"
    assert device_of(home, "binary_sensor", f"{WIKI}:up") == home.device("web")


async def test_a_monitor_outlives_the_container_it_belonged_to(home: Home) -> None:
    put_monitor(home.agent, container="web")
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")
    entity_id = home.entity_id("binary_sensor", f"{WIKI}:up")
    er.async_get(home.hass).async_update_entity(entity_id, new_entity_id="binary_sensor.my_wiki")
    home.agent.remove("container", "web")
    await home.becomes("switch", "web:switch", "unavailable")
    await home.passes(seconds=70)
    await until(lambda: home.entry.state is ConfigEntryState.LOADED, "the reload")
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")
    assert home.device("web") is None
    assert home.entity_id("binary_sensor", f"{WIKI}:up") == "binary_sensor.my_wiki"
    assert device_of(home, "binary_sensor", f"{WIKI}:up") == home.device(WIKI)
    assert name(home, "binary_sensor", f"{WIKI}:up") == "Wiki"


async def test_a_monitor_moves_to_the_container_that_somebody_attaches_it_to(
    watched: Home,
) -> None:
    change(watched, container="web")
    await until(lambda: watched.device(WIKI) is None, "the move")
    await watched.becomes("binary_sensor", f"{WIKI}:up", "on")
    assert device_of(watched, "binary_sensor", f"{WIKI}:up") == watched.device("web")
    await until(lambda: name(watched, "binary_sensor", f"{WIKI}:up") == "web Wiki", "the name")
    change(watched, container="web", name="Our wiki")
    await until(lambda: name(watched, "binary_sensor", f"{WIKI}:up") == "web Our wiki", "the name")


async def test_a_monitor_moves_to_its_container_when_that_comes(home: Home) -> None:
    put_monitor(home.agent, container="db")
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")
    assert device_of(home, "binary_sensor", f"{WIKI}:up") == home.device(WIKI)
    home.agent.put_container("db")
    await until(lambda: home.device(WIKI) is None, "the move")
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")
    assert device_of(home, "binary_sensor", f"{WIKI}:up") == home.device("db")


async def test_a_removed_monitor_leaves_the_page_of_its_container(home: Home) -> None:
    put_monitor(home.agent, container="web")
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")
    home.agent.remove("monitor", "wiki")
    await home.becomes("binary_sensor", f"{WIKI}:up", "unavailable")
    await home.passes(seconds=70)
    assert not home.has("binary_sensor", f"{WIKI}:up")
    assert home.has("switch", "web:switch")
    put_monitor(home.agent, container="web")
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")


async def test_a_monitor_removed_while_home_assistant_was_down_leaves_its_container_later(
    home: Home,
) -> None:
    put_monitor(home.agent, container="web")
    await home.becomes("binary_sensor", f"{WIKI}:up", "on")
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    home.agent.remove("monitor", "wiki")
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    assert home.has("binary_sensor", f"{WIKI}:up")
    await home.passes(seconds=70)
    assert not home.has("binary_sensor", f"{WIKI}:up")
    assert home.has("switch", "web:switch")


async def test_a_certificate_tells_when_it_expires_and_what_is_wrong(home: Home) -> None:
    found = wire_services.certificate()
    home.agent.put("certificate", found["key"], found)
    await home.becomes("sensor", f"{CERTIFICATE}:expires_at", "2127-02-18T08:00:00+00:00")
    assert home.state("binary_sensor", f"{CERTIFICATE}:problem").state == "off"
    assert name(home, "sensor", f"{CERTIFICATE}:expires_at") == (
        "wiki.example.com Certificate expiry"
    )
    bad = found | {"verdict": "self_signed", "reason": "It signed itself."}
    home.agent.put("certificate", found["key"], bad)
    await home.becomes("binary_sensor", f"{CERTIFICATE}:problem", "on")
    problem = home.state("binary_sensor", f"{CERTIFICATE}:problem")
    assert problem.attributes["reason"] == "It signed itself."
    home.agent.put("certificate", found["key"], bad | {"verdict": "haunted", "details": None})
    await home.becomes("binary_sensor", f"{CERTIFICATE}:problem", "unknown")
    assert home.state("sensor", f"{CERTIFICATE}:expires_at").state == "unknown"


async def test_what_happens_to_a_certificate_is_an_event(home: Home) -> None:
    found = wire_services.certificate()
    home.agent.put("certificate", found["key"], found)
    await home.becomes("binary_sensor", f"{CERTIFICATE}:problem", "off")
    entity_id = home.entity_id("event", f"{CERTIFICATE}:event")
    er.async_get(home.hass).async_update_entity(entity_id, disabled_by=None)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    home.agent.put("certificate_event", found["key"], wire_services.certificate_event())
    await until(lambda: home.state("event", f"{CERTIFICATE}:event").state != "unknown", "it")
    attributes = home.state("event", f"{CERTIFICATE}:event").attributes
    assert attributes["event_type"] == "expiring"
    assert (attributes["days_left"], attributes["verdict"]) == (6, "trusted")


async def test_the_certificate_of_a_monitor_is_shown_with_the_monitor(watched: Home) -> None:
    found = wire_services.certificate(monitor="wiki")
    watched.agent.put("certificate", found["key"], found)
    await watched.becomes("binary_sensor", f"{CERTIFICATE}:problem", "off")
    assert watched.device(CERTIFICATE) is None
    assert device_of(watched, "sensor", f"{CERTIFICATE}:expires_at") == watched.device(WIKI)
    assert name(watched, "sensor", f"{CERTIFICATE}:expires_at") == "Wiki Certificate expiry"
    watched.agent.put("certificate", found["key"], found | {"monitor": None})
    await until(lambda: watched.device(CERTIFICATE) is not None, "its own page")
    await watched.becomes("binary_sensor", f"{CERTIFICATE}:problem", "off")


async def test_a_certificate_that_came_before_its_monitor_joins_it(home: Home) -> None:
    found = wire_services.certificate(monitor="wiki")
    home.agent.put("certificate", found["key"], found)
    await home.becomes("binary_sensor", f"{CERTIFICATE}:problem", "off")
    assert home.device(CERTIFICATE) is not None
    put_monitor(home.agent)
    await until(lambda: home.device(CERTIFICATE) is None, "the move")
    await home.becomes("binary_sensor", f"{CERTIFICATE}:problem", "off")
    assert device_of(home, "binary_sensor", f"{CERTIFICATE}:problem") == home.device(WIKI)


async def test_a_renamed_certificate_renames_its_page(home: Home) -> None:
    found = wire_services.certificate()
    home.agent.put("certificate", found["key"], found)
    await home.becomes("binary_sensor", f"{CERTIFICATE}:problem", "off")
    home.agent.put("certificate", found["key"], found | {"name": "Our wiki"})

    def renamed() -> bool:
        device = home.device(CERTIFICATE)
        return device is not None and device.name == "Our wiki"

    await until(renamed, "the new name")


async def test_a_certificate_of_a_container_is_shown_on_its_page(home: Home) -> None:
    found = wire_services.certificate(container="web")
    home.agent.put("certificate", found["key"], found)
    await home.becomes("binary_sensor", f"{CERTIFICATE}:problem", "off")
    assert device_of(home, "sensor", f"{CERTIFICATE}:expires_at") == home.device("web")
    assert name(home, "sensor", f"{CERTIFICATE}:expires_at") == (
        "web wiki.example.com Certificate expiry"
    )


async def test_five_hundred_monitors_add_few_entities_each_and_cost_no_reload(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    monitors = [wire_services.monitor(f"Service {number}") for number in range(500)]
    agent.put_all("monitor", {one["key"]: one for one in monitors})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    of_one = [one for one in registered if ":monitor:service-7:" in one.unique_id]
    assert len(of_one) <= 15
    assert sum(one.disabled_by is None for one in of_one) <= 6
    states = [hass.states.get(one.entity_id) for one in registered if one.disabled_by is None]
    assert all(states)
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
