"""Actions on logs, updates, stacks, clean-ups and swarms: what they ask and answer."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util.json import load_json_object
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components import homelab
from custom_components.homelab.services_logs import MOST_LOGS
from tests.fakes import wire
from tests.fakes.agent_server import Answer, FakeAgent
from tests.integration.home import Home, entry_data, until

COMPOSE = "services: {web: {image: nginx}}"
PLAN = {
    "name": "media",
    "hash": "h1",
    "new": True,
    "diff": "+services",
    "created": ["web"],
    "changed": [],
    "removed": [],
    "images": ["nginx"],
    "findings": [],
}
STARTED = {"outcome": "done", "message": "As told.", "job": None}


@pytest.fixture
async def with_stack(home: Home) -> Home:
    """A home with a stack of one container and a swarm service."""
    home.agent.put("stack", "media", wire.stack("media"))
    home.agent.put("swarm_service", "shop", wire.swarm_service("shop"))
    compose = {"project": "media", "service": "player", "index": 1}
    key = "media:player:1"
    home.agent.put("container", key, wire.container("player", key=key, compose=compose))
    await until(lambda: home.device(key) and home.device("swarm_service:shop"), "the devices")
    return home


@pytest.fixture
async def nas(home: Home) -> AsyncGenerator[FakeAgent]:
    """The agent of another host, beside the first."""
    async with FakeAgent() as agent:
        agent.info = wire.info(instance_id="instance-2")
        entry = MockConfigEntry(
            domain="homelab", title="nas", unique_id="instance-2", data=entry_data(agent)
        )
        entry.add_to_hass(home.hass)
        assert await home.hass.config_entries.async_setup(entry.entry_id)
        yield agent
        await home.hass.config_entries.async_unload(entry.entry_id)


def fields_of(described: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an action, those within sections too."""
    found: dict[str, Any] = {}
    for name, field in described.items():
        found |= fields_of(field["fields"]) if "fields" in field else {name: field}
    return found


async def test_every_action_is_described_in_every_language(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homelab", {})
    described = (await async_get_all_descriptions(hass))["homelab"]
    icons = load_json_object(Path(homelab.__file__).parent / "icons.json")["services"]
    assert described.keys() == set(hass.services.async_services_for_domain("homelab"))
    assert isinstance(icons, dict)
    assert icons.keys() == described.keys()
    for language in ("en", "de"):
        texts = await async_get_translations(hass, language, "services", {"homelab"})
        selectors = await async_get_translations(hass, language, "selector", {"homelab"})
        for action, what in described.items():
            base = f"component.homelab.services.{action}"
            assert texts[f"{base}.name"]
            for name, section in what["fields"].items():
                assert "fields" not in section or texts[f"{base}.sections.{name}.name"]
            for field, about in fields_of(what["fields"]).items():
                assert texts[f"{base}.fields.{field}.name"]
                select = about["selector"].get("select", {})
                # The types of records are called the same everywhere: A, CNAME.
                for option in (one for one in select.get("options", ()) if not one.isupper()):
                    key = select["translation_key"]
                    assert selectors[f"component.homelab.selector.{key}.options.{option}"]


async def test_every_field_of_an_action_can_be_entered(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homelab", {})
    described = (await async_get_all_descriptions(hass))["homelab"]
    targets = {"entity_id", "device_id", "area_id", "floor_id", "label_id", "exclude"}
    for action, what in described.items():
        schema = hass.services.async_services_for_domain("homelab")[action].schema
        taken = {str(field) for field in schema.schema} - targets
        fields = fields_of(what["fields"])
        assert taken == fields.keys(), action
        needed = {str(one) for one in schema.schema if isinstance(one, vol.Required)}
        asked = {name for name, about in fields.items() if about.get("required")}
        assert needed == asked, action


async def test_logs_are_searched_within_a_time(home: Home) -> None:
    await home.ask(
        "get_logs",
        device_id=home.device_id(),
        search="error",
        stream="stderr",
        last={"minutes": 5},
    )
    query = home.agent.seen[-1].query
    assert (query["search"], query["stream"]) == ("error", "stderr")
    assert "since" in query


@pytest.mark.parametrize(
    ("key", "names"),
    [(None, set()), ("stack:media", {"media:player:1"}), ("web", {"web"})],
)
async def test_many_logs_are_searched_at_once(
    with_stack: Home, key: str | None, names: set[str]
) -> None:
    home = with_stack
    line = {"at": None, "stream": "stdout", "text": "an error"}
    home.agent.answers["GET /logs/search"] = Answer(
        {
            "found": [{"container": "web", "truncated": False, "lines": [line]}],
            "searched": 2,
            "truncated": False,
            "unread": [{"container": "db", "code": "failed", "message": "No such driver."}],
        }
    )
    answer = await home.ask("search_logs", device_id=home.device_id(key), search="error")
    (host,) = answer["hosts"]
    assert host["containers"][0]["lines"] == [line]
    assert host["containers"][0]["device_id"] == home.device_id()
    assert host["unread"] == [{"name": "db", "reason": "No such driver."}]
    query = home.agent.seen[-1].query
    assert query["search"] == "error"
    assert ("names" in query) == bool(names)


async def test_more_logs_than_can_be_searched_by_name_are_refused_in_words(
    with_stack: Home,
) -> None:
    home = with_stack
    names = [f"media:player:{number}" for number in range(MOST_LOGS + 1)]
    stack = wire.stack("media")
    stack["services"][0]["containers"] = names
    home.agent.put("stack", "media", stack)
    await home.settled()
    with pytest.raises(ServiceValidationError, match=r"201 containers.*at most 200"):
        await home.ask("search_logs", device_id=home.device_id("stack:media"), search="error")
    assert not home.agent.count("GET", "/logs/search")


@pytest.mark.parametrize(
    ("action", "path"), [("update", "update"), ("recreate", "recreate"), ("roll_back", "rollback")]
)
async def test_an_action_waits_for_the_end_of_its_job_and_returns_it(
    home: Home, action: str, path: str
) -> None:
    asked = asyncio.ensure_future(home.ask(action, device_id=home.device_id()))
    await until(lambda: home.agent.count("POST", f"/containers/web/{path}"), "the request")
    assert not asked.done()
    home.agent.end_job(f"containers.{path}", "web", "done", message="It runs.")
    (result,) = (await asked)["containers"]
    assert (result["name"], result["outcome"]) == ("web", "done")


async def test_an_action_outlives_the_setting_up_anew_of_its_host(home: Home) -> None:
    asked = asyncio.ensure_future(home.ask("update", device_id=home.device_id()))
    await until(lambda: home.agent.count("POST", "/containers/web/update"), "the request")
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    home.agent.end_job("containers.update", "web", "done", message="It runs.")
    ended = home.agent.resources["job", "containers.update-web"]
    home.agent.answers["GET /jobs/containers.update-web"] = Answer(ended)
    async with asyncio.timeout(20):
        (result,) = (await asked)["containers"]
    assert result["outcome"] == "done"


async def test_a_job_that_nobody_waits_for_goes_on(home: Home) -> None:
    answer = await home.ask("update", device_id=home.device_id(), wait=False)
    (result,) = answer["containers"]
    assert (result["outcome"], result["job_id"]) == (None, "containers.update-web")


async def test_an_update_that_was_taken_back_fails_with_its_reason(home: Home) -> None:
    asked = asyncio.ensure_future(home.ask("update", device_id=home.device_id()))
    await until(lambda: home.agent.count("POST", "/containers/web/update"), "the request")
    error = {"code": "failed", "message": "It never became healthy.", "field": None, "hint": None}
    home.agent.end_job("containers.update", "web", "undone", error=error)
    with pytest.raises(HomeAssistantError, match=r"It never became healthy\.") as caught:
        await asked
    assert caught.value.translation_key == "undone"


async def test_updates_are_listed(home: Home) -> None:
    updates = [wire.update("web"), wire.update("db", state="current")]
    home.agent.answers["GET /updates"] = Answer({"updates": updates})
    (host,) = (await home.ask("list_updates"))["hosts"]
    assert [one["name"] for one in host["containers"]] == ["web"]
    assert host["containers"][0]["device_id"] == home.device_id()
    (host,) = (await home.ask("list_updates", available_only=False))["hosts"]
    assert len(host["containers"]) == 2


@pytest.mark.parametrize("action", ["list_updates", "container_statistics"])
async def test_of_a_stack_without_containers_nothing_is_told_rather_than_of_all_there_are(
    home: Home, action: str
) -> None:
    agent = home.agent
    agent.put("stack", "media", wire.stack("media", services=[]))
    await home.settled()
    agent.answers["GET /updates"] = Answer({"updates": [wire.update("web")]})
    report = {"engine": wire.engine_statistics(), "containers": [wire.statistics("web")]}
    agent.answers["GET /stats"] = Answer(report)
    (host,) = (await home.ask(action, device_id=home.device_id("stack:media")))["hosts"]
    assert host["containers"] == []
    (host,) = (await home.ask(action, device_id=home.device_id()))["hosts"]
    assert len(host["containers"]) == 1
    (host,) = (await home.ask(action, device_id=home.device_id(None)))["hosts"]
    assert len(host["containers"]) == 1


async def test_an_update_that_was_taken_back_is_listed_as_such_until_there_is_a_newer_one(
    home: Home,
) -> None:
    async def taken_back(newest: str) -> bool:
        updates = {"updates": [wire.update(latest_version=newest)]}
        home.agent.answers["GET /updates"] = Answer(updates)
        (host,) = (await home.ask("list_updates"))["hosts"]
        return bool(host["containers"][0]["taken_back"])

    assert not await taken_back("1.1.0")
    status = wire.recreate_status(last=wire.undone_update())
    home.agent.put("container_recreate", "web", status)
    await home.settled()
    assert await taken_back("1.1.0")
    assert not await taken_back("1.2.0")


async def test_a_host_that_cannot_be_asked_hides_no_updates_of_others(
    home: Home, nas: FakeAgent
) -> None:
    home.agent.answers["GET /updates"] = Answer({"updates": [wire.update()]})
    away = Answer(wire.problem(503, "unavailable", "The journal cannot be read."), 503)
    nas.answers["GET /updates"] = away
    known, unknown = (await home.ask("list_updates"))["hosts"]
    assert [one["name"] for one in known["containers"]] == ["web"]
    assert unknown["containers"] == []
    assert "The journal cannot be read." in unknown["error"]
    home.agent.answers["GET /updates"] = away
    with pytest.raises(HomeAssistantError, match=r"The journal cannot be read\."):
        await home.ask("list_updates")


async def test_a_host_has_all_of_its_containers_looked_at(home: Home) -> None:
    home.agent.answers["POST /updates/check"] = Answer(STARTED)
    answer = await home.ask("check_updates", device_id=[home.device_id(None), home.device_id()])
    assert answer["containers"] == []
    assert answer["hosts"] == [
        {
            "host": "atlas",
            "name": "atlas",
            "device_id": home.device_id(None),
            "outcome": "done",
            "message": "As told.",
            "job_id": None,
        }
    ]
    assert home.agent.count("POST", "/updates/check") == 1
    assert not home.agent.count("POST", "/containers/web/check-update")


async def test_containers_are_looked_at_one_by_one(home: Home) -> None:
    home.agent.answers["POST /containers/web/check-update"] = Answer(STARTED)
    answer = await home.ask("check_updates", device_id=home.device_id())
    assert [one["name"] for one in answer["containers"]] == ["web"]


async def test_statistics_are_returned_for_what_is_targeted(home: Home) -> None:
    report = {
        "engine": wire.engine_statistics(),
        "containers": [wire.statistics("web"), wire.statistics("db")],
    }
    home.agent.answers["GET /stats"] = Answer(report)
    answer = await home.ask("container_statistics", device_id=home.device_id())
    (host,) = answer["hosts"]
    assert [one["key"] for one in host["containers"]] == ["web"]


async def test_stacks_are_listed_planned_and_deployed_as_planned(with_stack: Home) -> None:
    home = with_stack
    home.agent.answers["GET /stacks"] = Answer({"stacks": [wire.stack("media")]})
    home.agent.answers["POST /stacks/media/plan"] = Answer(PLAN)
    home.agent.answers["PUT /stacks/media"] = Answer(STARTED)
    (host,) = (await home.ask("list_stacks"))["hosts"]
    assert host["stacks"][0]["device_id"] == home.device_id("stack:media")
    text: Any = {"name": "media", "compose": COMPOSE, "environment": {"A": "1"}}
    plan = await home.ask("plan_stack", **text)
    assert (plan["host"], plan["hash"]) == ("atlas", "h1")
    done = await home.ask("deploy_stack", **text, plan_hash=plan["hash"])
    assert done["outcome"] == "done"
    body = home.agent.seen[-1].body
    assert (body["compose"], body["environment"], body["plan_hash"]) == (COMPOSE, {"A": "1"}, "h1")


async def test_a_compose_text_that_is_wrong_is_refused_with_its_field(home: Home) -> None:
    home.agent.answers["POST /stacks/media/plan"] = Answer(
        wire.problem(422, "invalid", "services.web.imagee is not known.", field="compose"), 422
    )
    with pytest.raises(ServiceValidationError, match=r"services\.web\.imagee is not known"):
        await home.ask("plan_stack", name="media", compose=COMPOSE)


@pytest.mark.parametrize("command", ["start", "stop", "restart", "update"])
async def test_a_stack_does_what_it_is_told(with_stack: Home, command: str) -> None:
    home = with_stack
    home.agent.answers[f"POST /stacks/media/{command}"] = Answer(STARTED)
    target = home.device_id("stack:media")
    (result,) = (await home.ask("stack_command", device_id=target, command=command))["stacks"]
    assert (result["name"], result["outcome"]) == ("media", "done")


async def test_volumes_are_removed_only_with_the_name_written_once_more(with_stack: Home) -> None:
    home = with_stack
    home.agent.answers["POST /stacks/media/down"] = Answer(STARTED)
    target = home.device_id("stack:media")
    with pytest.raises(ServiceValidationError) as caught:
        await home.ask("stack_command", device_id=target, command="stop", volumes=True)
    assert caught.value.translation_key == "field_not_for_command"
    await home.ask("stack_command", device_id=target, command="down", volumes=True, confirm="media")
    body = home.agent.seen[-1].body
    assert (body["volumes"], body["confirm"]) == (True, "media")


async def test_a_former_version_of_a_stack_is_restored(with_stack: Home) -> None:
    home = with_stack
    version = {"version": 3, "at": wire.BEGINNING, "caller": "me", "diff": "-a", "current": True}
    home.agent.answers["GET /stacks/media/history"] = Answer({"versions": [version]})
    home.agent.answers["POST /stacks/media/restore"] = Answer(STARTED)
    target = home.device_id("stack:media")
    (stack,) = (await home.ask("stack_history", device_id=target))["stacks"]
    assert stack["versions"][0]["version"] == 3
    done = await home.ask("restore_stack", device_id=target, version=3)
    assert done["outcome"] == "done"
    assert home.agent.seen[-1].body["version"] == 3


async def test_a_clean_up_removes_what_its_preview_showed(home: Home) -> None:
    item = {"kind": "images", "id": "i", "name": "old", "size_bytes": 5, "reason": "No tag."}
    preview = {"hash": "p1", "items": [item], "reclaimable_bytes": 5, "kept": []}
    home.agent.answers["GET /prune"] = Answer(preview)
    home.agent.answers["POST /prune"] = Answer(STARTED)
    (host,) = (await home.ask("prune_preview", kinds=["images"]))["hosts"]
    assert (host["hash"], host["items"][0]["name"]) == ("p1", "old")
    done = await home.ask("prune", kinds=["images"], hash=host["hash"])
    assert done["outcome"] == "done"
    assert home.agent.seen[-1].body["hash"] == "p1"
    assert home.agent.seen[-1].body["kinds"] == ["images"]


async def test_a_swarm_service_is_scaled(with_stack: Home) -> None:
    home = with_stack
    home.agent.answers["POST /swarm/services/shop/scale"] = Answer(STARTED)
    target = home.device_id("swarm_service:shop")
    (result,) = (await home.ask("scale", device_id=target, replicas=3))["services"]
    assert result["outcome"] == "done"
    assert home.agent.seen[-1].body["replicas"] == 3


@pytest.mark.parametrize(
    ("action", "data", "reason"),
    [
        ("update", {}, "no_container_targeted"),
        ("stack_command", {"command": "stop"}, "no_stack_targeted"),
        ("scale", {"replicas": 1}, "no_swarm_service_targeted"),
    ],
)
async def test_a_host_is_none_of_the_things_an_action_is_about(
    home: Home, action: str, data: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await home.ask(action, device_id=home.device_id(None), **data)
    assert caught.value.translation_key == reason


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("search_logs", {"search": "x"}),
        ("update", {}),
        ("roll_back", {}),
        ("recreate", {}),
        ("check_updates", {}),
        ("plan_stack", {"name": "a", "compose": COMPOSE}),
        ("deploy_stack", {"name": "a", "compose": COMPOSE}),
        ("stack_command", {"command": "stop"}),
        ("stack_history", {}),
        ("restore_stack", {"version": 1}),
        ("prune_preview", {}),
        ("prune", {"hash": "x"}),
        ("scale", {"replicas": 1}),
    ],
)
async def test_only_administrators_may_change_something(
    home: Home, hass_read_only_user: MockUser, action: str, data: dict[str, Any]
) -> None:
    before = len(home.agent.seen)
    context = Context(user_id=hass_read_only_user.id)
    with pytest.raises(Unauthorized):
        await home.ask(action, context, device_id=home.device_id(), **data)
    assert len(home.agent.seen) == before
