"""The actions: what automations and scripts get back, and who may call them."""

from typing import Any

import pytest
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockUser

from tests.fakes import wire
from tests.fakes.agent_server import Answer
from tests.integration.home import Home, until


@pytest.fixture
async def two(home: Home) -> Home:
    """A home with a second container."""
    home.agent.put_container("db", state="exited")
    await home.becomes("switch", "db:switch", "off")
    return home


async def test_the_actions_are_there_before_any_agent_is(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homelab", {})
    actions = set(hass.services.async_services_for_domain("homelab"))
    assert {"get_logs", "update", "deploy_stack", "prune", "scale"} <= actions
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            "homelab", "list_containers", {}, blocking=True, return_response=True
        )
    assert caught.value.translation_key == "no_host"


async def test_logs_of_a_container_come_line_by_line(home: Home) -> None:
    answer = await home.ask("get_logs", device_id=home.device_id(), tail=7)
    (logs,) = answer["containers"]
    assert (logs["name"], logs["host"], logs["truncated"]) == ("web", "atlas", True)
    assert logs["lines"] == [
        {"at": "2026-11-21T06:30:01+00:00", "stream": "stdout", "text": "ready"},
        {"at": None, "stream": "stderr", "text": "odd"},
    ]
    assert home.agent.seen[-1].query == {"tail": "7", "stream": "both"}


async def test_times_without_a_zone_are_those_of_the_house(home: Home) -> None:
    await home.hass.config.async_set_time_zone("Europe/Berlin")
    try:
        await home.ask(
            "get_logs",
            device_id=home.device_id(),
            since="2026-11-21 08:00:00",
            until="2026-11-21T08:00:00+00:00",
        )
    finally:
        dt_util.set_default_time_zone(dt_util.UTC)
    query = home.agent.seen[-1].query
    assert query["since"] == "2026-11-21T07:00:00+00:00"
    assert query["until"] == "2026-11-21T08:00:00+00:00"


async def test_logs_that_cannot_be_read_say_why(home: Home) -> None:
    home.agent.answers["GET /containers/web/logs"] = Answer(
        wire.problem(503, "unavailable", "Docker is away since 08:00."), 503
    )
    with pytest.raises(HomeAssistantError, match=r"Docker is away since 08:00\."):
        await home.ask("get_logs", device_id=home.device_id())


async def test_containers_are_listed_with_their_devices(two: Home) -> None:
    two.agent.put("container", "p:s:1", wire.container("p-s-1", key="p:s:1", compose=COMPOSE))
    await two.becomes("switch", "p:s:1:switch", "on")
    answer = await two.ask("list_containers")
    (host,) = answer["hosts"]
    rows = {row["key"]: row for row in host["containers"]}
    assert host["host"] == "atlas"
    assert rows["web"]["device_id"] == two.device_id()
    assert (rows["db"]["state"], rows["web"]["health"]) == ("exited", "healthy")
    assert (rows["p:s:1"]["project"], rows["p:s:1"]["service"]) == ("p", "s")


COMPOSE = {"project": "p", "service": "s", "index": 1}


async def test_a_list_can_be_narrowed(two: Home) -> None:
    await two.ask("list_containers", device_id=two.device_id(None), state="exited", project="media")
    assert two.agent.seen[-1].query == {"state": "exited", "project": "media"}


async def test_a_list_that_cannot_be_had_says_why(home: Home) -> None:
    home.agent.answers["GET /containers"] = Answer(wire.problem(500, "internal", "Broken."), 500)
    with pytest.raises(HomeAssistantError, match=r"Broken\."):
        await home.ask("list_containers")


async def test_a_list_of_a_foreign_device_is_refused(home: Home) -> None:
    foreign = home.foreign_device()
    with pytest.raises(ServiceValidationError):
        await home.ask("list_containers", device_id=foreign.id)


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({"command": "restart"}, {"wait_s": 60}),
        ({"command": "stop", "timeout": 3, "wait": 5}, {"wait_s": 5, "timeout_s": 3}),
        ({"command": "kill", "signal": "SIGHUP"}, {"wait_s": 60, "signal": "SIGHUP"}),
        ({"command": "kill"}, {"wait_s": 60}),
        ({"command": "pause"}, {"wait_s": 60}),
    ],
)
async def test_a_command_is_carried_out_and_its_outcome_returned(
    home: Home, data: dict[str, Any], sent: dict[str, Any]
) -> None:
    answer = await home.ask("container_command", device_id=home.device_id(), **data)
    (result,) = answer["containers"]
    assert (result["name"], result["outcome"], result["job_id"]) == ("web", "done", None)
    assert home.agent.seen[-1].path == f"/containers/web/{data['command']}"
    assert home.agent.seen[-1].body == sent


@pytest.mark.parametrize(
    "data", [{"command": "pause", "timeout": 3}, {"command": "stop", "signal": "SIGHUP"}]
)
async def test_an_option_that_would_be_ignored_is_refused(home: Home, data: Any) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await home.ask("container_command", device_id=home.device_id(), **data)
    assert caught.value.translation_key == "field_not_for_command"
    assert not any(one.method == "POST" for one in home.agent.seen)


async def test_several_containers_are_told_at_once_however_they_are_named(two: Home) -> None:
    area = ar.async_get(two.hass).async_create("Basement")
    registry = dr.async_get(two.hass)
    registry.async_update_device(two.device_id("db"), area_id=area.id)
    registry.async_update_device(two.foreign_device().id, area_id=area.id)
    answer = await two.ask(
        "container_command",
        area_id=area.id,
        entity_id=two.entity_id("sensor", "web:state"),
        command="restart",
    )
    assert {one["name"] for one in answer["containers"]} == {"web", "db"}


async def test_when_some_fail_each_is_named(two: Home) -> None:
    two.agent.change_container("web", protected_reason="It is needed.")
    with pytest.raises(HomeAssistantError, match=r"web: .*It is needed\.") as caught:
        await two.ask(
            "container_command",
            device_id=[two.device_id(), two.device_id("db")],
            command="stop",
        )
    assert caught.value.translation_key == "some_failed"
    assert two.agent.count("POST", "/containers/db/stop") == 1


async def test_a_host_is_no_container(home: Home) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await home.ask("container_command", device_id=home.device_id(None), command="stop")
    assert caught.value.translation_key == "no_container_targeted"


async def test_a_command_needs_no_answer_to_be_asked_for(home: Home) -> None:
    await home.hass.services.async_call(
        "homelab",
        "container_command",
        {"device_id": home.device_id(), "command": "stop"},
        blocking=True,
    )
    await home.becomes("switch", "web:switch", "off")


@pytest.mark.parametrize("action", ["container_command", "get_logs"])
async def test_only_administrators_may_command_and_read_logs(
    home: Home, hass_read_only_user: MockUser, action: str
) -> None:
    data = {"command": "stop"} if action == "container_command" else {}
    context = Context(user_id=hass_read_only_user.id)
    with pytest.raises(Unauthorized):
        await home.ask(action, context, device_id=home.device_id(), **data)
    assert not any("/containers/web" in one.path for one in home.agent.seen)


async def test_a_refused_token_asks_for_a_new_one(home: Home) -> None:
    home.agent.token = "another"
    with pytest.raises(HomeAssistantError):
        await home.ask("list_containers")
    await until(home.hass.config_entries.flow.async_progress, "the flow")
