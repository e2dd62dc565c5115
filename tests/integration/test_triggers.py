"""The triggers: each thing that happens is told once, and nothing that was so before."""

from typing import Any

import pytest
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import label_registry as lr
from homeassistant.setup import async_setup_component

from tests.fakes import wire
from tests.integration.automations import automate, on, state_of
from tests.integration.home import Home

UNDONE = wire.undone_update()
LATE = ("container", "container_update")
"""What an agent knows only once it has looked at its Docker."""


def tell(home: Home, event: str, number: int, key: str = "web", **more: Any) -> None:
    """Let something happen to a container."""
    home.agent.put("container_event", key, wire.event(key, event, number, **more))


async def happens(home: Home, trigger: str) -> None:
    """Let the happening of a trigger happen to the container web or the stack media."""
    agent = home.agent
    match trigger:
        case "container_died":
            tell(home, "died", 7, exit_code=3)
        case "container_unhealthy":
            tell(home, "unhealthy", 7)
        case "container_restart_loop":
            agent.change_container("web", restart_loop=True, restart_count=5)
        case "container_recovered":
            tell(home, "died", 8, at="2026-11-21T07:00:00+00:00")
            agent.change_container("web", state="exited")
            agent.change_container("web", state="running", started_at="2026-11-21T07:30:00Z")
        case "update_available":
            agent.put("container_update", "web", wire.update())
        case "update_rolled_back":
            agent.put("container_recreate", "web", wire.recreate_status(last=UNDONE))
        case "stack_degraded":
            agent.put("stack", "media", wire.stack("media", state="degraded", problem="db is down"))
    await home.settled()


@pytest.fixture
async def quiet(home: Home) -> Home:
    """A home where all is well."""
    home.agent.put("container_update", "web", wire.update(state="current"))
    home.agent.put("container_recreate", "web", wire.recreate_status())
    home.agent.put("stack", "media", wire.stack("media"))
    await home.settled()
    return home


WHAT_A_MESSAGE_NEEDS = {
    "container_died": {"name": "web", "key": "web", "exit_code": 3, "reason": "exit_code"},
    "container_unhealthy": {"name": "web", "key": "web"},
    "container_restart_loop": {"name": "web", "restart_count": 5},
    "container_recovered": {"name": "web", "key": "web", "was": "died"},
    "update_available": {"name": "web", "from_version": "1.0.0", "to_version": "1.1.0"},
    "update_rolled_back": {
        "name": "web",
        "reason": UNDONE["reason"],
        "log": ["no such table: users"],
    },
    "stack_degraded": {"name": "media", "key": "media", "reason": "db is down"},
}


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_what_happens_is_told_once_with_all_that_a_message_needs(
    quiet: Home, trigger: str
) -> None:
    key = "stack:media" if trigger == "stack_degraded" else "web"
    runs = await automate(quiet.hass, on(quiet, trigger, key))
    await happens(quiet, trigger)
    await happens(quiet, trigger)
    quiet.agent.cut()
    await quiet.settled()
    (run,) = runs
    assert {name: run[name] for name in WHAT_A_MESSAGE_NEEDS[trigger]} == (
        WHAT_A_MESSAGE_NEEDS[trigger]
    )
    assert (run["host"], run["device_id"], run["event"]) == (
        "atlas",
        quiet.device_id(key),
        trigger,
    )


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_a_restart_of_home_assistant_tells_nothing_old(quiet: Home, trigger: str) -> None:
    await happens(quiet, trigger)
    await quiet.hass.config_entries.async_unload(quiet.entry.entry_id)
    key = "stack:media" if trigger == "stack_degraded" else "web"
    runs = await automate(quiet.hass, on(quiet, trigger, key))
    await quiet.hass.config_entries.async_setup(quiet.entry.entry_id)
    await quiet.settled()
    assert not runs


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_a_restart_of_the_agent_tells_nothing_old(quiet: Home, trigger: str) -> None:
    await happens(quiet, trigger)
    key = "stack:media" if trigger == "stack_degraded" else "web"
    runs = await automate(quiet.hass, on(quiet, trigger, key))
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    await quiet.agent.start()
    await quiet.becomes("binary_sensor", "docker", "on")
    await quiet.settled()
    assert not runs


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_what_happened_while_the_cable_was_out_is_told(quiet: Home, trigger: str) -> None:
    key = "stack:media" if trigger == "stack_degraded" else "web"
    runs = await automate(quiet.hass, on(quiet, trigger, key))
    quiet.agent.cut()
    await happens(quiet, trigger)
    assert len(runs) == 1


async def test_an_automation_that_is_there_before_the_host_hears_of_it(quiet: Home) -> None:
    trigger = on(quiet, "container_died")
    await quiet.hass.config_entries.async_unload(quiet.entry.entry_id)
    runs = await automate(quiet.hass, trigger)
    await quiet.hass.config_entries.async_setup(quiet.entry.entry_id)
    await quiet.settled()
    tell(quiet, "died", 8, exit_code=1)
    await quiet.settled()
    assert len(runs) == 1


async def test_an_update_taken_back_while_the_agent_restarted_is_told(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "update_rolled_back"))
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    quiet.agent.put("container_recreate", "web", wire.recreate_status(last=UNDONE))
    await quiet.agent.start()
    await quiet.becomes("binary_sensor", "docker", "on")
    await quiet.settled()
    assert len(runs) == 1


async def test_an_update_is_told_again_only_when_there_is_another(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "update_available"))
    for state, digest in (
        ("available", "sha256:b"),
        ("unknown", None),
        ("available", "sha256:b"),
        ("available", "sha256:c"),
    ):
        update = wire.update(state=state, latest_digest=digest)
        quiet.agent.put("container_update", "web", update)
        await quiet.settled()
    assert len(runs) == 2


async def test_a_container_killed_for_its_memory_died_once_and_for_that_reason(
    quiet: Home,
) -> None:
    runs = await automate(quiet.hass, on(quiet, "container_died"))
    tell(quiet, "out_of_memory", 8)
    tell(quiet, "died", 9, exit_code=137)
    await quiet.settled()
    assert [run["reason"] for run in runs] == ["out_of_memory"]


async def test_a_stop_by_hand_is_no_death(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "container_died"))
    for number, event in enumerate(("stopped", "finished", "restarted", "removed"), start=8):
        tell(quiet, event, number, exit_code=143)
    await quiet.settled()
    assert not runs


@pytest.mark.parametrize("above", [None, "stack:media"])
async def test_a_host_and_a_stack_mean_all_their_containers_and_new_ones(
    quiet: Home, above: str | None
) -> None:
    runs = await automate(quiet.hass, on(quiet, "container_died", above))
    compose = {"project": "media", "service": "player", "index": 1}
    key = "media:player:1"
    quiet.agent.put("container", key, wire.container("player", key=key, compose=compose))
    tell(quiet, "died", 8, key=key, exit_code=1)
    await quiet.settled()
    assert [run["key"] for run in runs] == [key]


async def test_an_area_and_a_label_mean_what_is_in_them_when_it_happens(quiet: Home) -> None:
    area = ar.async_get(quiet.hass).async_create("Basement")
    label = lr.async_get(quiet.hass).async_create("Important")
    target = {"area_id": area.id, "label_id": label.label_id}
    runs = await automate(quiet.hass, {"trigger": "homelab.container_died", "target": target})
    for number, (changes, told) in enumerate(
        (
            ({}, 0),
            ({"area_id": area.id}, 1),
            ({"area_id": None, "labels": {label.label_id}}, 2),
            ({"labels": set()}, 2),
        ),
        start=8,
    ):
        dr.async_get(quiet.hass).async_update_device(quiet.device_id(), **changes)
        tell(quiet, "died", number, exit_code=1)
        await quiet.settled()
        assert len(runs) == told


async def test_an_entity_stands_for_its_container(quiet: Home) -> None:
    entity_id = quiet.entity_id("sensor", "web:state")
    trigger = {"trigger": "homelab.container_died", "target": {"entity_id": entity_id}}
    runs = await automate(quiet.hass, trigger)
    tell(quiet, "died", 8, exit_code=1)
    await quiet.settled()
    assert len(runs) == 1


async def test_another_containers_death_is_not_told(quiet: Home) -> None:
    quiet.agent.put_container("db")
    runs = await automate(quiet.hass, on(quiet, "container_died"))
    tell(quiet, "died", 8, key="db", exit_code=1)
    await quiet.settled()
    assert not runs


@pytest.mark.parametrize(
    ("trigger", "recovery"),
    [
        ("container_died", {"state": "running", "started_at": "2026-11-21T09:00:05Z"}),
        ("container_unhealthy", {"health": "healthy"}),
    ],
)
async def test_what_lasts_is_told_after_its_time_and_what_is_over_is_not(
    quiet: Home, trigger: str, recovery: dict[str, Any]
) -> None:
    runs = await automate(quiet.hass, on(quiet, trigger, **{"for": {"seconds": 30}}))
    quiet.agent.change_container("web", state="exited", health="unhealthy")
    await happens(quiet, trigger)
    quiet.agent.change_container("web", **recovery)
    await quiet.settled()
    await quiet.passes(seconds=31)
    assert not runs
    quiet.agent.change_container("web", state="exited", health="unhealthy")
    tell(quiet, trigger.removeprefix("container_"), 20, exit_code=1, at="2026-11-21T09:01:00Z")
    await quiet.settled()
    assert not runs
    await quiet.passes(seconds=31)
    assert len(runs) == 1


async def test_a_stack_that_is_only_being_started_is_not_degraded_for_long(quiet: Home) -> None:
    runs = await automate(
        quiet.hass, on(quiet, "stack_degraded", "stack:media", **{"for": "00:01:00"})
    )
    for state in ("stopped", "degraded", "running"):
        quiet.agent.put("stack", "media", wire.stack("media", state=state))
        await quiet.settled()
    await quiet.passes(minutes=2)
    assert not runs


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({}, "at least one device"),
        ({"device_id": "nobody"}, "There is no device nobody"),
        ({"device_id": "FOREIGN"}, "does not belong to the Homelab integration"),
        ({"device_id": "WEB"}, "web is a container; this needs a host or a stack"),
    ],
)
async def test_a_trigger_that_could_never_fire_is_refused_in_words(
    quiet: Home, caplog: pytest.LogCaptureFixture, target: dict[str, str], reason: str
) -> None:
    other = quiet.foreign_device()
    known = {"FOREIGN": other.id, "WEB": quiet.device_id()}
    target = {name: known.get(value, value) for name, value in target.items()}
    await automate(quiet.hass, {"trigger": "homelab.stack_degraded", "target": target})
    assert state_of(quiet.hass) == "unavailable"
    assert reason in caplog.text


async def test_an_option_that_is_not_there_is_refused(
    quiet: Home, caplog: pytest.LogCaptureFixture
) -> None:
    await automate(quiet.hass, on(quiet, "update_available", **{"for": "00:01:00"}))
    assert state_of(quiet.hass) == "unavailable"
    assert "for" in caplog.text


async def test_a_container_that_is_gone_does_not_cost_the_others_their_automation(
    quiet: Home,
) -> None:
    trigger = on(quiet, "container_died")
    trigger["target"]["device_id"].append("0123456789")
    runs = await automate(quiet.hass, trigger)
    tell(quiet, "died", 8, exit_code=1)
    await quiet.settled()
    assert len(runs) == 1


async def test_a_removed_automation_hears_nothing(quiet: Home) -> None:
    assert await async_setup_component(quiet.hass, "homeassistant", {})
    runs = await automate(quiet.hass, on(quiet, "container_died", **{"for": "00:00:30"}))
    tell(quiet, "died", 8, exit_code=1)
    await quiet.settled()
    await quiet.hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.test"}, blocking=True
    )
    await quiet.passes(minutes=1)
    assert not runs


@pytest.mark.parametrize(
    ("event", "trouble", "well"),
    [
        (
            {"kind": "died", "at": "2026-11-21T07:00:00+00:00"},
            {"state": "exited"},
            {"state": "running", "started_at": "2026-11-21T07:30:00Z", "health": "starting"},
        ),
        ({"kind": "unhealthy"}, {"health": "unhealthy"}, {"health": "healthy"}),
        ({"kind": "restarted"}, {"restart_loop": True}, {"restart_loop": False}),
    ],
)
async def test_a_recovery_is_told_though_home_assistant_restarted_meanwhile(
    quiet: Home, event: dict[str, Any], trouble: dict[str, Any], well: dict[str, Any]
) -> None:
    home = quiet
    home.agent.change_container("web", **trouble)
    tell(home, event.pop("kind"), 7, **event)
    await home.settled()
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    runs = await automate(home.hass, on(home, "container_recovered"))
    await home.settled()
    assert not runs
    home.agent.change_container("web", **well)
    await home.settled()
    assert len(runs) == 1


async def test_what_somebody_stopped_and_starts_again_has_not_recovered(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "container_recovered"))
    tell(quiet, "unhealthy", 7)
    quiet.agent.change_container("web", health="unhealthy")
    await quiet.settled()
    tell(quiet, "stopped", 8)
    quiet.agent.change_container("web", state="exited", health="none")
    await quiet.settled()
    quiet.agent.change_container("web", state="running", started_at="2026-11-21T07:30:00Z")
    await quiet.settled()
    assert not runs


@pytest.mark.parametrize("still_down", [True, False])
async def test_what_has_to_last_is_looked_at_anew_after_the_host_was_set_up_again(
    quiet: Home, *, still_down: bool
) -> None:
    trigger = on(quiet, "container_died", **{"for": "00:00:30"})
    runs = await automate(quiet.hass, trigger)
    quiet.agent.change_container("web", state="exited")
    tell(quiet, "died", 7, at="2026-11-21T07:00:00+00:00")
    await quiet.settled()
    await quiet.hass.config_entries.async_unload(quiet.entry.entry_id)
    if not still_down:
        quiet.agent.change_container("web", state="running", started_at="2026-11-21T07:30:00Z")
    await quiet.hass.config_entries.async_setup(quiet.entry.entry_id)
    await quiet.settled()
    await quiet.passes(seconds=31)
    assert len(runs) == still_down


async def test_what_has_to_last_outlives_a_restart_of_the_agent(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "container_died", **{"for": "00:00:30"}))
    quiet.agent.change_container("web", state="exited")
    tell(quiet, "died", 7, at="2026-11-21T07:00:00+00:00")
    await quiet.settled()
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    exited = quiet.agent.resources.pop(("container", "web"))
    quiet.agent.put("engine", "docker", wire.engine_away())
    await quiet.agent.start()
    await quiet.becomes("binary_sensor", "docker", "off")
    quiet.agent.put("container", "web", exited)
    quiet.agent.put("engine", "docker", wire.engine())
    await quiet.becomes("binary_sensor", "docker", "on")
    await quiet.settled()
    await quiet.passes(seconds=31)
    assert len(runs) == 1


async def test_a_newer_image_found_while_the_agent_restarted_is_told(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "update_available"))
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    quiet.agent.put("container_update", "web", wire.update())
    await quiet.agent.start()
    await quiet.becomes("binary_sensor", "docker", "on")
    await quiet.settled()
    assert len(runs) == 1


async def test_an_agent_that_has_to_look_first_after_its_restart_tells_no_update_again(
    quiet: Home,
) -> None:
    quiet.agent.put("container_update", "web", wire.update())
    await quiet.settled()
    runs = await automate(quiet.hass, on(quiet, "update_available"))
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    known = [(kind, "web", quiet.agent.resources.pop((kind, "web"))) for kind in LATE]
    quiet.agent.put("engine", "docker", wire.engine_away())
    await quiet.agent.start()
    await quiet.becomes("binary_sensor", "docker", "off")
    for resource in known:
        quiet.agent.put(*resource)
    quiet.agent.put("engine", "docker", wire.engine())
    await quiet.becomes("binary_sensor", "docker", "on")
    await quiet.settled()
    assert not runs
