"""Events of containers: each once, and never those of the past."""

from collections.abc import AsyncGenerator

import pytest
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.entity import Entity
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homelab.client import ContainerEvent
from custom_components.homelab.client.kinds import CONTAINER_EVENT
from tests.fakes import wire
from tests.fakes.agent_server import FakeAgent
from tests.integration.home import Home, until


@pytest.fixture
async def watched(
    hass: HomeAssistant,
    agent: FakeAgent,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Home]:
    """A home where somebody switched the event entities on."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    agent.put("container_event", "web", wire.event(number=7))
    assert await hass.config_entries.async_setup(entry.entry_id)
    yield Home(hass, agent, entry)
    await hass.config_entries.async_unload(entry.entry_id)


def told(home: Home) -> list[ContainerEvent]:
    """Return a list that every event is added to."""
    heard: list[ContainerEvent] = []
    home.entry.runtime_data.async_on_event(CONTAINER_EVENT, heard.append)
    return heard


def shown(home: Home) -> State:
    return home.state("event", "web:event")


async def test_what_happened_before_home_assistant_came_is_no_news(watched: Home) -> None:
    assert shown(watched).state == "unknown"


async def test_a_death_is_an_event_with_its_exit_code(watched: Home) -> None:
    watched.agent.put("container_event", "web", wire.event(number=8, exit_code=137))
    await until(lambda: shown(watched).state != "unknown", "the event")
    attributes = shown(watched).attributes
    assert (attributes["event_type"], attributes["exit_code"]) == ("died", 137)
    watched.agent.put("container_event", "web", wire.event(kind="started", number=9))
    await until(lambda: shown(watched).attributes["event_type"] == "started", "the start")
    assert "exit_code" not in shown(watched).attributes


async def test_two_alike_are_two_events_and_one_published_again_is_none(watched: Home) -> None:
    heard = told(watched)
    for number in (8, 9, 9):
        watched.agent.put("container_event", "web", wire.event(number=number))
    watched.agent.put("container_event", "web", wire.event(kind="healthy", number=10))
    await until(lambda: heard and heard[-1].number == 10, "the last event")
    assert [event.number for event in heard] == [8, 9, 10]


async def test_everything_that_happened_during_a_cut_of_the_line_is_told(watched: Home) -> None:
    heard = told(watched)
    watched.agent.cut()
    watched.agent.put("container_event", "web", wire.event(kind="out_of_memory", number=8))
    watched.agent.put("container_event", "web", wire.event(kind="died", number=9))
    await until(lambda: len(heard) == 2, "both events")
    assert [event.type.value for event in heard] == ["out_of_memory", "died"]


async def test_a_restarted_agent_tells_nothing_of_the_past(watched: Home) -> None:
    heard = told(watched)
    await watched.agent.stop()
    watched.agent.put("container_event", "web", wire.event(number=8))
    await watched.agent.start()
    await watched.becomes("switch", "web:switch", "on")
    watched.agent.put("container_event", "web", wire.event(kind="started", number=9))
    await until(lambda: heard, "the event after the restart")
    assert [event.number for event in heard] == [9]


async def test_an_event_that_only_a_newer_agent_knows_does_no_harm(watched: Home) -> None:
    watched.agent.put("container_event", "web", wire.event(kind="teleported", number=8))
    watched.agent.put("container_event", "web", wire.event(kind="died", number=9))
    await until(lambda: shown(watched).state != "unknown", "the event")
    assert shown(watched).attributes["event_type"] == "died"


async def test_a_listener_that_fails_costs_nobody_else_the_event(
    watched: Home, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: ContainerEvent) -> None:
        raise RuntimeError(event.type)

    watched.entry.runtime_data.async_on_event(CONTAINER_EVENT, fail)
    heard = told(watched)
    watched.agent.put("container_event", "web", wire.event(number=8))
    await until(lambda: heard, "the event")
    assert "A listener to the events of web failed" in caplog.text
    caplog.clear()
