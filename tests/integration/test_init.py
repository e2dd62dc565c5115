"""The life of an entry: setting up, losing the agent, coming back, going."""

import logging

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homelab.const import DOMAIN
from tests.fakes import wire
from tests.fakes.agent_server import Answer, FakeAgent
from tests.integration.home import Home, until

UNAVAILABLE = "unavailable"


def issues_of(hass: HomeAssistant) -> set[str]:
    return {
        issue.translation_key or ""
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    }


async def test_an_entry_sets_up_and_goes_without_a_trace(home: Home) -> None:
    assert home.entry.state is ConfigEntryState.LOADED
    assert home.state("sensor", "web:state").state == "running"
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    await until(lambda: home.agent.open_streams == 0, "the stream to end")
    assert home.state("sensor", "web:state").state == UNAVAILABLE


async def test_an_agent_that_is_away_at_start_is_tried_again(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    await agent.stop()
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_connect"
    await agent.start()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_token_that_is_refused_at_start_asks_for_a_new_one(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    agent.token = "another"
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"


async def test_a_token_that_is_revoked_later_asks_for_a_new_one(home: Home) -> None:
    await home.agent.close_streams(4001)
    await home.becomes("switch", "web:switch", UNAVAILABLE)
    await home.hass.async_block_till_done()
    (flow,) = home.hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"


async def test_a_loss_shows_at_once_warns_once_and_heals_by_itself(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    def said(level: int) -> list[str]:
        return [
            record.getMessage()
            for record in caplog.records
            if record.name == "custom_components.homelab" and record.levelno == level
        ]

    caplog.set_level(logging.DEBUG, "custom_components.homelab")
    await home.agent.stop()
    await home.becomes("sensor", "web:state", UNAVAILABLE)
    await home.becomes("binary_sensor", "docker", UNAVAILABLE)
    await home.becomes("sensor", "agent_version", UNAVAILABLE)
    await until(lambda: len(said(logging.DEBUG)) > 1, "more attempts")
    home.agent.resources["container", "web"]["state"] = "exited"
    await home.agent.start()
    await home.becomes("sensor", "web:state", "exited")
    await home.becomes("binary_sensor", "docker", "on")
    assert len(said(logging.WARNING)) == 1
    assert "atlas is back" in said(logging.INFO)[-1]


async def test_a_cable_pulled_for_a_moment_costs_no_state(home: Home) -> None:
    home.agent.cut()
    home.agent.change_container("web", state="paused")
    await home.becomes("sensor", "web:state", "paused")
    assert home.state("switch", "web:switch").state == "on"


async def test_while_docker_is_away_containers_are_unknown_but_the_host_is_there(
    home: Home,
) -> None:
    home.agent.put("engine", "docker", wire.engine_away())
    await home.becomes("binary_sensor", "docker", "off")
    assert home.state("switch", "web:switch").state == UNAVAILABLE
    assert home.state("button", "web:restart").state == UNAVAILABLE
    assert home.state("sensor", "containers_running").state == UNAVAILABLE
    assert home.state("sensor", "agent_version").state == "0.1.0"
    home.agent.put("engine", "docker", wire.engine())
    await home.becomes("switch", "web:switch", "on")
    await home.becomes("sensor", "containers_running", "1")


@pytest.mark.parametrize(
    ("hello", "issue"),
    [
        ({"contract": 0, "oldest": 0}, "agent_too_old"),
        ({"contract": 9, "oldest": 9}, "agent_too_new"),
    ],
)
async def test_an_agent_whose_version_does_not_fit_is_told_in_repairs_until_it_does(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry, hello: wire.Json, issue: str
) -> None:
    agent.hello = hello
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == issue
    assert issues_of(hass) == {issue}
    agent.hello = {"contract": 1, "oldest": 1}
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert issues_of(hass) == set()
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_update_of_the_agent_that_goes_too_far_is_told_while_running(home: Home) -> None:
    home.agent.hello = {"contract": 9, "oldest": 9}
    home.agent.cut()
    await until(lambda: issues_of(home.hass) == {"agent_too_new"}, "the issue")
    assert home.state("switch", "web:switch").state == UNAVAILABLE
    home.agent.hello = {"contract": 9, "oldest": 1}
    await home.becomes("switch", "web:switch", "on")
    assert issues_of(home.hass) == set()


async def test_an_issue_does_not_outlive_its_entry(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    agent.hello = {"contract": 0, "oldest": 0}
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)
    assert issues_of(hass) == set()


async def test_missing_rights_at_docker_are_told_until_they_are_given(home: Home) -> None:
    home.agent.put("engine", "docker", wire.engine(missing_rights=["containers_control"]))
    await until(lambda: issues_of(home.hass) == {"docker_rights_missing"}, "the issue")
    (issue,) = [i for (d, _), i in ir.async_get(home.hass).issues.items() if d == DOMAIN]
    assert issue.translation_placeholders == {"name": "atlas", "rights": "containers_control"}
    home.agent.put("engine", "docker", wire.engine())
    await until(lambda: not issues_of(home.hass), "the issue to go")


@pytest.mark.parametrize(
    ("source", "issue"), [("hassio", "protection_mode"), ("user", "docker_not_reached")]
)
async def test_a_docker_that_was_never_reached_is_told_with_the_remedy(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry, source: str, issue: str
) -> None:
    object.__setattr__(entry, "source", source)
    agent.put("engine", "docker", wire.engine_away(version=None))
    await hass.config_entries.async_setup(entry.entry_id)
    assert issues_of(hass) == {issue}
    agent.put("engine", "docker", wire.engine())
    await until(lambda: not issues_of(hass), "the issue to go")
    # Once reached, an outage is for the entities to show.
    agent.put("engine", "docker", wire.engine_away())
    await Home(hass, agent, entry).becomes("binary_sensor", "docker", "off")
    assert issues_of(hass) == set()
    await hass.config_entries.async_unload(entry.entry_id)


async def test_another_agent_at_the_address_is_not_shown_as_this_one(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    agent.info = wire.info(instance_id="somebody-else")
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "other_agent"


async def test_an_agent_that_is_overloaded_delays_nothing_for_ever(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    agent.answers["GET /stream"] = Answer("", 503)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "unavailable"


async def test_one_broken_entity_does_not_cost_the_others_their_updates(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("broken entity")

    coordinator = home.entry.runtime_data
    remove = coordinator.async_listen(("container", "web"), broken)
    home.agent.change_container("web", state="paused")
    await home.becomes("sensor", "web:state", "paused")
    remove()
    home.agent.change_container("web", state="running")
    await home.becomes("sensor", "web:state", "running")
    assert caplog.text.count("RuntimeError: broken entity") == 1
