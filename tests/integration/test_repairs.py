"""The repairs: each appears, can be fixed, and goes away by itself when its cause does."""

from typing import Any

import pytest
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.homelab import issues
from custom_components.homelab.const import DOMAIN
from custom_components.homelab.issue_board import MOST
from tests.fakes import wire
from tests.fakes.agent_server import Answer
from tests.integration.fixing import appears, fix, is_said, shown, vanishes
from tests.integration.home import Home, until

# Home Assistant's own web server, which its repairs need, stores its data so.
pytestmark = pytest.mark.filterwarnings("ignore:It is recommended to use web.AppKey")

UNDONE = wire.undone_update()


@pytest.fixture
async def home(home: Home) -> Home:
    """A home with Home Assistant's repairs."""
    assert await async_setup_component(home.hass, "repairs", {})
    return home


def loop(home: Home, **changes: Any) -> None:
    home.agent.change_container("web", restart_loop=True, **changes)


async def test_a_restart_loop_is_ended_by_a_stop(home: Home) -> None:
    loop(home)
    issue_id = await appears(home, issues.RESTART_LOOP)
    step = await fix(home, issue_id, "stop")
    assert step["type"] == "create_entry"
    assert home.agent.count("POST", "/containers/web/stop") == 1
    home.agent.change_container("web", restart_loop=False)
    await vanishes(home, issues.RESTART_LOOP)


async def test_a_restart_loop_shows_its_log_and_goes_away_by_itself(home: Home) -> None:
    loop(home)
    issue_id = await appears(home, issues.RESTART_LOOP)
    step = await fix(home, issue_id, "log")
    assert "ready" in step["description_placeholders"]["log"]
    step = await fix(home, issue_id, "log", "back")
    assert step["type"] == "menu"
    home.agent.change_container("web", restart_loop=False)
    await vanishes(home, issues.RESTART_LOOP)


async def test_an_ignored_loop_is_shown_again_only_when_it_comes_anew(home: Home) -> None:
    loop(home)
    step = await fix(home, await appears(home, issues.RESTART_LOOP), "ignore")
    assert step["reason"] == "ignored"
    assert not shown(home, issues.RESTART_LOOP)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert not shown(home, issues.RESTART_LOOP)
    home.agent.change_container("web", restart_loop=False)
    registry = ir.async_get(home.hass)
    issue_id = f"{issues.RESTART_LOOP}_{home.entry.entry_id}_web"
    await until(lambda: registry.async_get_issue(DOMAIN, issue_id) is None, "the loop's end")
    loop(home)
    await appears(home, issues.RESTART_LOOP)


async def test_a_missing_right_that_is_ignored_stays_so_until_it_is_given(home: Home) -> None:
    home.agent.put("engine", "docker", wire.engine(missing_rights=["events"]))
    issue_id = await appears(home, issues.RIGHTS_MISSING)
    ir.async_ignore_issue(home.hass, DOMAIN, issue_id, ignore=True)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert not shown(home, issues.RIGHTS_MISSING)
    home.agent.put("engine", "docker", wire.engine())
    registry = ir.async_get(home.hass)
    await until(lambda: registry.async_get_issue(DOMAIN, issue_id) is None, "the right")
    home.agent.put("engine", "docker", wire.engine(missing_rights=["events"]))
    await appears(home, issues.RIGHTS_MISSING)


async def test_a_fix_that_fails_says_why_and_the_issue_stays(home: Home) -> None:
    loop(home, protected_reason="It is needed.")
    issue_id = await appears(home, issues.RESTART_LOOP)
    step = await fix(home, issue_id, "stop")
    assert (step["type"], step["reason"]) == ("abort", "failed")
    assert "It is needed." in step["description_placeholders"]["error"]
    assert shown(home, issues.RESTART_LOOP)


async def test_a_fix_without_its_agent_says_so(home: Home) -> None:
    loop(home)
    issue_id = await appears(home, issues.RESTART_LOOP)
    home.agent.answers["GET /containers/web/logs"] = Answer(
        wire.problem(503, "unavailable", "Docker is away."), 503
    )
    step = await fix(home, issue_id, "log")
    assert "Docker is away." in step["description_placeholders"]["error"]


async def test_only_a_container_that_stays_unhealthy_is_a_case(home: Home) -> None:
    home.agent.change_container("web", health="unhealthy")
    await home.becomes("sensor", "web:state", "running")
    coordinator = home.entry.runtime_data
    await until(lambda: coordinator.container("web").health == "unhealthy", "the verdict")
    assert not shown(home, issues.UNHEALTHY)
    await home.passes(minutes=6)
    issue_id = await appears(home, issues.UNHEALTHY)
    step = await fix(home, issue_id, "restart")
    assert step["type"] == "create_entry"
    assert home.agent.count("POST", "/containers/web/restart") == 1
    home.agent.change_container("web", health="healthy")
    await until(lambda: coordinator.container("web").health == "healthy", "the verdict")
    assert not shown(home, issues.UNHEALTHY)


async def test_a_container_that_recovers_soon_is_nobodys_work(home: Home) -> None:
    coordinator = home.entry.runtime_data
    for health in ("unhealthy", "healthy"):
        home.agent.change_container("web", health=health)
        await until(lambda: coordinator.container("web").health == health, health)  # noqa: B023
    await home.passes(minutes=6)
    assert not shown(home, issues.UNHEALTHY)


async def test_an_update_taken_back_says_why_and_is_acknowledged_for_good(home: Home) -> None:
    home.agent.put("container_recreate", "web", wire.recreate_status(last=UNDONE))
    issue_id = await appears(home, issues.ROLLED_BACK)
    step = await fix(home, issue_id)
    said = step["description_placeholders"]
    assert said["reason"] == UNDONE["reason"]
    assert said["log"] == "```\nno such table: users\n```"
    await fix(home, issue_id, "acknowledge")
    assert not shown(home, issues.ROLLED_BACK)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert not shown(home, issues.ROLLED_BACK)
    again = wire.undone_update(at="2026-11-21T10:00:00Z")
    home.agent.put("container_recreate", "web", wire.recreate_status(last=again))
    await appears(home, issues.ROLLED_BACK)


async def test_an_update_taken_back_is_tried_again(home: Home) -> None:
    home.agent.put("container_recreate", "web", wire.recreate_status(last=UNDONE))
    issue_id = await appears(home, issues.ROLLED_BACK)
    step = await fix(home, issue_id, "update")
    assert step["type"] == "create_entry"
    assert home.agent.count("POST", "/containers/web/update") == 1
    done = wire.undone_update(outcome="done", at="2026-11-21T10:00:00Z")
    home.agent.put("container_recreate", "web", wire.recreate_status(last=done))
    await vanishes(home, issues.ROLLED_BACK)


async def test_many_containers_in_trouble_are_one_issue(home: Home) -> None:
    names = [f"c{number:03}" for number in range(60)]
    for name in names:
        home.agent.put_container(name, restart_loop=True)
    await appears(home, f"{issues.RESTART_LOOP}_many")
    coordinator = home.entry.runtime_data
    await until(lambda: coordinator.container(names[-1]) is not None, "all containers")
    assert not shown(home, issues.RESTART_LOOP)
    issue = ir.async_get(home.hass).async_get_issue(
        DOMAIN, f"{issues.RESTART_LOOP}_many_{home.entry.entry_id}"
    )
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["count"] == "60"
    for name in names[MOST:]:
        home.agent.change_container(name, restart_loop=False)
    await until(lambda: len(shown(home, issues.RESTART_LOOP)) == MOST, "one issue for each")
    assert not shown(home, f"{issues.RESTART_LOOP}_many")


async def test_a_container_that_is_removed_takes_its_issues_with_it(home: Home) -> None:
    loop(home)
    await appears(home, issues.RESTART_LOOP)
    home.agent.remove("container", "web")
    await vanishes(home, issues.RESTART_LOOP)


@pytest.mark.parametrize(
    ("issue", "engine"),
    [
        (issues.RIGHTS_MISSING, {"missing_rights": ["events"]}),
        (
            issues.NO_DOCKER,
            {"connection": "unavailable", "reason": "No such file.", "version": None},
        ),
        (
            issues.DOCKER_TOO_OLD,
            {
                "connection": "unavailable",
                "reason": "This Docker engine is too old.",
                "reason_code": "engine_too_old",
                "version": None,
            },
        ),
    ],
)
async def test_what_is_mended_elsewhere_is_looked_at_again(
    home: Home, issue: str, engine: dict[str, Any]
) -> None:
    home.agent.put("engine", "docker", wire.engine(**engine))
    issue_id = await appears(home, issue)
    manager = repairs_flow_manager(home.hass)
    assert manager is not None
    step = await manager.async_init(DOMAIN, context={"issue_id": issue_id})
    await is_said(home, issue_id, step)
    step = await manager.async_configure(step["flow_id"], {})
    await is_said(home, issue_id, step)
    assert step["errors"] == {"base": "look_failed"}
    home.agent.answers["POST /engine/look"] = Answer({"outcome": "done", "message": ""})
    step = await manager.async_configure(step["flow_id"], {})
    await is_said(home, issue_id, step)
    assert step["errors"] == {"base": "still_there"}
    assert home.agent.count("POST", "/engine/look") == 2
    home.agent.put("engine", "docker", wire.engine())
    step = await manager.async_configure(step["flow_id"], {})
    assert step["type"] == "create_entry"


async def test_a_removed_host_leaves_no_issues(home: Home) -> None:
    loop(home)
    await fix(home, await appears(home, issues.RESTART_LOOP), "ignore")
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    found = [domain for domain, _ in ir.async_get(home.hass).issues if domain == DOMAIN]
    assert not found
