"""Updates: found, installed with progress, and honest about what was taken back."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.fakes import wire
from tests.fakes.agent_server import Answer, FakeAgent
from tests.integration.home import Home, until

KIND = "containers.update"


@pytest.fixture
async def outdated(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> AsyncGenerator[Home]:
    """A home with a container for which there is a newer image."""
    agent.put("container_update", "web", wire.update())
    assert await hass.config_entries.async_setup(entry.entry_id)
    yield Home(hass, agent, entry)
    await hass.config_entries.async_unload(entry.entry_id)


def attributes(home: Home) -> dict[str, Any]:
    return dict(home.state("update", "web:update").attributes)


async def begin(home: Home) -> asyncio.Task[None]:
    """Press the button; return what ends when the update has."""
    pressed = home.hass.async_create_task(home.act("update", "install", "update", "web:update"))
    await until(lambda: attributes(home)["in_progress"], "the update to begin")
    return pressed


async def test_a_newer_image_is_told(outdated: Home) -> None:
    state = outdated.state("update", "web:update")
    assert state.state == "on"
    shown = attributes(outdated)
    assert (shown["installed_version"], shown["latest_version"]) == ("1.0.0", "1.1.0")
    assert (shown["title"], shown.get("entity_picture")) == ("example/web", None)
    assert shown["release_url"] == "https://example.com/web/releases"
    assert (shown["auto_update"], shown["policy"]) == (False, "notify")
    assert outdated.state("sensor", "updates_available").state == "1"


async def test_an_image_without_a_version_is_known_by_its_digest(outdated: Home) -> None:
    nameless = wire.update(installed_version=None, latest_version=None)
    outdated.agent.put("container_update", "web", nameless)
    await until(lambda: attributes(outdated)["latest_version"] == "222222222222", "the digest")
    assert attributes(outdated)["installed_version"] == "111111111111"
    assert outdated.state("update", "web:update").state == "on"


async def test_a_tag_that_looks_older_is_believed(outdated: Home) -> None:
    outdated.agent.put("container_update", "web", wire.update(latest_version="0.9.0"))
    await until(lambda: attributes(outdated)["latest_version"] == "0.9.0", "the version")
    assert outdated.state("update", "web:update").state == "on"


async def test_a_registry_that_does_not_answer_is_unknown_with_its_reason(outdated: Home) -> None:
    reason = "The registry did not answer."
    silent = wire.update(state="unknown", reason=reason, latest_version=None)
    outdated.agent.put("container_update", "web", silent)
    await outdated.becomes("update", "web:update", "unknown")
    assert attributes(outdated)["reason"] == reason
    assert outdated.state("sensor", "updates_available").state == "0"


@pytest.mark.parametrize("state", ["local", "pinned", "off"])
async def test_what_is_not_looked_for_has_no_update_until_it_is(home: Home, state: str) -> None:
    home.agent.put("container_update", "web", wire.update(state=state))
    home.agent.put("container_update", "db", wire.update("db"))
    home.agent.put_container("db")
    await home.becomes("update", "db:update", "on")
    assert not home.has("update", "web:update")
    home.agent.put("container_update", "web", wire.update(state="current"))
    await home.becomes("update", "web:update", "off")
    home.agent.put("container_update", "web", wire.update(state=state))
    await home.becomes("update", "web:update", "unavailable")


async def test_an_update_shows_how_far_it_is_and_ends_when_the_agent_says_so(
    outdated: Home,
) -> None:
    pressed = await begin(outdated)
    assert attributes(outdated)["update_percentage"] == 25
    outdated.agent.put_job(KIND, "web", progress=0.5)
    await until(lambda: attributes(outdated)["update_percentage"] == 50, "the progress")
    outdated.agent.put_job(KIND, "web", progress=None)
    await until(lambda: attributes(outdated)["update_percentage"] is None, "no known progress")
    assert not pressed.done()
    outdated.agent.put("container_update", "web", wire.update(state="current"))
    outdated.agent.end_job(KIND, "web", "done")
    await pressed
    await outdated.becomes("update", "web:update", "off")
    assert attributes(outdated)["in_progress"] is False
    # No request stays open for as long as an update takes.
    (asked,) = [one for one in outdated.agent.seen if one.path == "/containers/web/update"]
    assert asked.body == {"wait_s": 0}


async def test_an_update_that_was_taken_back_says_so_and_why(outdated: Home) -> None:
    pressed = await begin(outdated)
    reason = {"code": "failed", "message": "It did not become healthy.", "hint": "See its log."}
    outdated.agent.end_job(KIND, "web", "undone", error=reason)
    with pytest.raises(
        HomeAssistantError,
        match=r"taken back; all is as before\. It did not become healthy\. See its log\.",
    ):
        await pressed
    assert attributes(outdated)["in_progress"] is False
    assert outdated.state("update", "web:update").state == "on"


async def test_an_update_that_the_agent_does_not_even_begin_is_told_at_once(
    outdated: Home,
) -> None:
    refused = wire.problem(409, "protected", "It is Home Assistant itself.")
    outdated.agent.answers["POST /containers/web/update"] = Answer(refused, 409)
    with pytest.raises(HomeAssistantError, match="It is protected"):
        await outdated.act("update", "install", "update", "web:update")


async def test_an_update_whose_end_fell_into_a_cut_of_the_line_is_told_all_the_same(
    outdated: Home,
) -> None:
    pressed = await begin(outdated)
    outdated.agent.cut()
    outdated.agent.end_job(KIND, "web", "done")
    await pressed


async def test_an_agent_that_forgot_the_job_is_asked_for_its_journal(outdated: Home) -> None:
    pressed = await begin(outdated)
    job = outdated.agent.resources["job", f"{KIND}-web"]
    ended = job | {"state": "finished", "outcome": "done"}
    outdated.agent.answers[f"GET /jobs/{KIND}-web"] = Answer(ended)
    await outdated.agent.stop()
    del outdated.agent.resources["job", f"{KIND}-web"]
    await outdated.agent.start()
    await pressed


async def test_an_update_begun_elsewhere_shows_too(outdated: Home) -> None:
    outdated.agent.put_job("stacks.start", "web")
    outdated.agent.put_job("containers.restart", "web")
    outdated.agent.put_job(KIND, "web", progress=0.4)
    await until(lambda: attributes(outdated)["update_percentage"] == 40, "the progress")
    outdated.agent.end_job(KIND, "web", "done")
    await until(lambda: not attributes(outdated)["in_progress"], "the end")


async def test_before_installing_a_person_reads_what_would_happen(
    outdated: Home, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(outdated.hass, "update", {})
    status = wire.recreate_status(last=wire.undone_update())
    outdated.agent.put("container_recreate", "web", status)
    outdated.agent.put("container_update", "web", wire.update(policy="automatic"))
    await until(lambda: attributes(outdated)["auto_update"], "the policy")
    client = await hass_ws_client(outdated.hass)
    await client.send_json_auto_id(
        {
            "type": "update/release_notes",
            "entity_id": outdated.entity_id("update", "web:update"),
        }
    )
    notes = (await client.receive_json())["result"]
    assert "`222222222222`" in notes
    assert "Newer images are installed by themselves." in notes
    assert "The last update to 1.1.0 was taken back: It did not become healthy" in notes
    assert "no such table: users" in notes


async def test_a_version_that_was_skipped_stays_skipped_until_the_next(outdated: Home) -> None:
    await outdated.act("update", "skip", "update", "web:update")
    assert outdated.state("update", "web:update").state == "off"
    outdated.agent.put("container_update", "web", wire.update(latest_version="1.2.0"))
    await outdated.becomes("update", "web:update", "on")
