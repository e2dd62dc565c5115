"""The blueprints, loaded and run by Home Assistant's own automation code."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.homelab.binary_sensor import DOCKER
from tests.integration.blueprints.runs import BLUEPRINTS, PHONE

FILES = sorted(BLUEPRINTS.rglob("*.yaml"))


@dataclass
class Home:
    """A Home Assistant with one host and one container, and what it was told to send."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    docker: str
    sent: list[ServiceCall]
    shown: list[ServiceCall]

    async def use(self, blueprint: str, **inputs: object) -> None:
        """Make an automation of a blueprint."""
        automation = {"use_blueprint": {"path": f"homelab/{blueprint}.yaml", "input": inputs}}
        assert await async_setup_component(self.hass, "automation", {"automation": automation})
        await self.hass.async_block_till_done()

    async def becomes(self, entity_id: str, state: str) -> None:
        """Change an entity's state."""
        self.hass.states.async_set(entity_id, state)
        await self._settled()

    async def passes(self, **time: int) -> None:
        """Let time pass."""
        self.freezer.tick(timedelta(**time))
        async_fire_time_changed(self.hass)
        await self._settled()

    async def _settled(self) -> None:
        """An automation that waits is not waited for."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def home(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> AsyncIterator[Home]:
    entry = MockConfigEntry(domain="homelab")
    entry.add_to_hass(hass)
    devices, entities = dr.async_get(hass), er.async_get(hass)
    host = devices.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("homelab", "one")}, name="NAS"
    )
    docker = entities.async_get_or_create(
        "binary_sensor", "homelab", "one:docker", config_entry=entry, device_id=host.id
    ).entity_id
    hass.states.async_set(docker, "on")
    yield Home(
        hass,
        freezer,
        docker,
        sent=async_mock_service(hass, "notify", "send_message"),
        shown=async_mock_service(hass, "persistent_notification", "create"),
    )
    if hass.services.has_service("automation", "turn_off"):
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": "all"}, blocking=True
        )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_blueprint_can_be_imported_and_updated_from_its_own_address(file: Path) -> None:
    content = load_yaml_dict(file)
    blueprint = Blueprint(
        content,
        path=str(file.relative_to(BLUEPRINTS / "automation")),
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )
    assert blueprint.validate() is None
    repository = "https://github.com/homelab-ha/homelab/blob/main/"
    assert blueprint.metadata["source_url"] == repository + str(file.relative_to(BLUEPRINTS.parent))


def test_the_connection_can_be_chosen_in_the_connection_blueprint() -> None:
    content = load_yaml_dict(BLUEPRINTS / "automation/homelab/connection_lost.yaml")
    (wanted,) = content["blueprint"]["input"]["connections"]["selector"]["entity"]["filter"]
    assert wanted["device_class"] == DOCKER.device_class


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("unavailable", "Home Assistant cannot reach the agent of NAS."),
        ("off", "The agent of NAS cannot reach Docker."),
    ],
)
async def test_a_lost_connection_is_reported_and_its_return_too(
    home: Home, state: str, message: str
) -> None:
    await home.use("connection_lost", connections=[home.docker], notifiers=[PHONE])
    await home.becomes(home.docker, state)
    await home.passes(minutes=2)
    assert not home.sent
    await home.passes(minutes=2)
    await home.becomes(home.docker, "on")
    assert [call.data["message"] for call in home.sent] == [
        message,
        "The containers of NAS are watched again.",
    ]


async def test_a_short_restart_of_the_agent_wakes_nobody(home: Home) -> None:
    await home.use("connection_lost", connections=[home.docker], notifiers=[PHONE])
    await home.becomes(home.docker, "unavailable")
    await home.passes(seconds=20)
    await home.becomes(home.docker, "on")
    await home.passes(minutes=10)
    assert not home.sent


async def test_a_host_that_comes_back_without_docker_at_first_was_lost_all_the_time(
    home: Home,
) -> None:
    own = async_mock_service(home.hass, "test", "own")
    actions = [{"action": "test.own", "data": {"say": "{{ host }} {{ trigger.id }}"}}]
    await home.use("connection_lost", connections=[home.docker], notifiers=[PHONE], actions=actions)
    await home.becomes(home.docker, "unavailable")
    await home.passes(minutes=2)
    await home.becomes(home.docker, "off")
    await home.passes(minutes=2)
    assert [call.data["message"] for call in home.sent] == ["The agent of NAS cannot reach Docker."]
    await home.becomes(home.docker, "unavailable")
    await home.passes(seconds=20)
    await home.becomes(home.docker, "on")
    await home.becomes(home.docker, "off")
    await home.becomes(home.docker, "on")
    assert [call.data["title"] for call in home.sent] == [
        "NAS cannot be watched",
        "NAS is there again",
    ]
    assert [call.data["say"] for call in own] == ["NAS docker", "NAS recovered"]


async def test_a_host_that_is_away_when_home_assistant_starts_is_reported_and_its_return_too(
    home: Home,
) -> None:
    await home.becomes(home.docker, "unavailable")
    home.hass.set_state(CoreState.starting)
    await home.use("connection_lost", connections=[home.docker], notifiers=[PHONE])
    home.hass.set_state(CoreState.running)
    home.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await home.passes(minutes=2)
    assert not home.sent
    await home.passes(minutes=2)
    await home.becomes(home.docker, "on")
    assert [call.data["title"] for call in home.sent] == [
        "NAS cannot be watched",
        "NAS is there again",
    ]


@pytest.mark.parametrize("tell_recovery", [True, False])
async def test_who_does_not_want_to_hear_of_a_return_does_not(
    home: Home, *, tell_recovery: bool
) -> None:
    await home.use(
        "connection_lost",
        connections=[home.docker],
        notifiers=[PHONE],
        tell_recovery=tell_recovery,
    )
    await home.becomes(home.docker, "off")
    await home.passes(minutes=4)
    await home.becomes(home.docker, "on")
    assert len(home.sent) == 1 + tell_recovery


async def test_a_lost_connection_is_shown_by_home_assistant_without_a_notifier(
    home: Home,
) -> None:
    await home.use("connection_lost", connections=[home.docker])
    await home.becomes(home.docker, "off")
    await home.passes(minutes=4)
    assert [call.data["title"] for call in home.shown] == ["NAS cannot be watched"]
