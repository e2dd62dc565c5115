"""Compose projects and swarm services: devices of their own, operated as a whole."""

from collections.abc import AsyncGenerator

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homelab.const import DOMAIN
from tests.fakes import wire
from tests.fakes.agent_server import FakeAgent
from tests.integration.home import Home, until

PLAYER = "media:player:1"


def put_player(agent: FakeAgent) -> None:
    compose = {"project": "media", "service": "player", "index": 1}
    agent.put("container", PLAYER, wire.container("player", key=PLAYER, compose=compose))


@pytest.fixture
async def composed(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> AsyncGenerator[Home]:
    """A home with a stack of one container."""
    put_player(agent)
    agent.put("stack", "media", wire.stack())
    assert await hass.config_entries.async_setup(entry.entry_id)
    yield Home(hass, agent, entry)
    await hass.config_entries.async_unload(entry.entry_id)


async def press_through(home: Home, button: str, path: str) -> None:
    """Press a button, and let the agent do what it is asked for."""
    pressed = home.hass.async_create_task(home.act("button", "press", "button", button))
    await until(lambda: home.agent.count("POST", path) == 1, "the command")
    home.agent.end_job(f"containers.{path.rpartition('/')[2]}", "web", "done")
    await pressed


def parent(home: Home, key: str) -> dr.DeviceEntry | None:
    """Return the device that another hangs below."""
    device = home.device(key)
    assert device is not None
    assert device.via_device_id is not None
    found = dr.async_get(home.hass).async_get(device.via_device_id)
    assert found is None or isinstance(found, dr.DeviceEntry)
    return found


async def test_a_container_hangs_below_its_stack_and_that_below_its_host(composed: Home) -> None:
    stack = composed.device("stack:media")
    assert stack is not None
    assert (stack.name, stack.model) == ("media", "Compose stack")
    assert parent(composed, PLAYER) == stack
    assert parent(composed, "stack:media") == composed.device()
    assert parent(composed, "web") == composed.device()


async def test_a_stack_that_is_found_later_gathers_its_containers(home: Home) -> None:
    put_player(home.agent)
    await home.becomes("switch", f"{PLAYER}:switch", "on")
    assert parent(home, PLAYER) == home.device()
    home.agent.put("stack", "media", wire.stack())
    await home.becomes("sensor", "stack:media:state", "running")
    assert parent(home, PLAYER) == home.device("stack:media")


async def test_a_degraded_stack_says_why(composed: Home) -> None:
    assert composed.state("binary_sensor", "stack:media:problem").state == "off"
    problem = "player is unhealthy"
    composed.agent.put("stack", "media", wire.stack(state="degraded", problem=problem, running=0))
    await composed.becomes("binary_sensor", "stack:media:problem", "on")
    state = composed.state("binary_sensor", "stack:media:problem")
    assert state.attributes["reason"] == problem
    assert composed.state("sensor", "stack:media:state").state == "degraded"
    assert composed.state("sensor", "stack:media:containers_running").state == "0"
    assert composed.state("switch", "stack:media:switch").state == "on"


@pytest.mark.parametrize(
    ("state", "switch", "problem"),
    [
        ("stopped", "off", "off"),
        ("unknown", "unknown", "unknown"),
        ("asleep", "unknown", "unknown"),
    ],
)
async def test_each_state_of_a_stack_is_shown(
    composed: Home, state: str, switch: str, problem: str
) -> None:
    composed.agent.put("stack", "media", wire.stack(state=state, running=0))
    await composed.becomes("switch", "stack:media:switch", switch)
    assert composed.state("binary_sensor", "stack:media:problem").state == problem


@pytest.mark.parametrize(
    ("domain", "action", "entity", "command"),
    [
        ("switch", "turn_on", "switch", "start"),
        ("switch", "turn_off", "switch", "stop"),
        ("button", "press", "restart", "restart"),
        ("button", "press", "update", "update"),
    ],
)
async def test_a_stack_is_operated_as_a_whole_and_its_failures_are_told(
    composed: Home, domain: str, action: str, entity: str, command: str
) -> None:
    pressed = composed.hass.async_create_task(
        composed.act(domain, action, domain, f"stack:media:{entity}")
    )
    path = f"/stacks/media/{command}"
    await until(lambda: composed.agent.count("POST", path) == 1, "the command")
    error = {"code": "failed", "message": "The port is taken."}
    composed.agent.end_job(f"stacks.{command}", "stack:media", "failed", error=error)
    with pytest.raises(HomeAssistantError, match="The port is taken"):
        await pressed


async def test_a_stack_that_is_gone_takes_its_device_along_after_a_minute(composed: Home) -> None:
    composed.agent.remove("stack", "media")
    composed.agent.remove("container", PLAYER)
    await composed.becomes("switch", "stack:media:switch", "unavailable")
    await composed.passes(seconds=70)
    assert composed.device("stack:media") is None
    assert composed.device(PLAYER) is None
    assert composed.device("web") is not None
    put_player(composed.agent)
    composed.agent.put("stack", "media", wire.stack())
    await composed.becomes("switch", "stack:media:switch", "on")
    await composed.becomes("switch", f"{PLAYER}:switch", "on")


async def test_the_device_of_a_stack_is_taken_for_no_container(composed: Home) -> None:
    stack = composed.device("stack:media")
    assert stack is not None
    with pytest.raises(HomeAssistantError):
        await composed.hass.services.async_call(
            DOMAIN,
            "get_logs",
            {"device_id": stack.id},
            blocking=True,
            return_response=True,
        )


async def test_a_container_can_be_made_anew_and_taken_back_only_where_something_is_kept(
    home: Home,
) -> None:
    for one in er.async_entries_for_config_entry(er.async_get(home.hass), home.entry.entry_id):
        er.async_get(home.hass).async_update_entity(one.entity_id, disabled_by=None)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert home.state("button", "web:rollback").state == "unavailable"
    home.agent.put("container_recreate", "web", wire.recreate_status())
    await home.becomes("button", "web:rollback", "unknown")
    for command in ("rollback", "recreate"):
        await press_through(home, f"web:{command}", f"/containers/web/{command}")
    home.agent.put("container_recreate", "web", wire.recreate_status(rollback_image=None))
    await home.becomes("button", "web:rollback", "unavailable")


async def test_a_swarm_shows_its_services_and_nodes_on_its_manager(home: Home) -> None:
    assert not home.has("sensor", "swarm_nodes_ready")
    home.agent.put("swarm", "docker", wire.swarm())
    home.agent.put("swarm_service", "shop", wire.swarm_service())
    await home.becomes("sensor", "swarm_nodes_ready", "2")
    await home.becomes("sensor", "swarm_service:shop:tasks_running", "3")
    problem = "swarm_service:shop:problem"
    assert home.state("binary_sensor", problem).state == "off"
    home.agent.put("swarm_service", "shop", wire.swarm_service(running=1))
    await home.becomes("binary_sensor", problem, "on")
    home.agent.put("swarm_service", "shop", wire.swarm_service(running=None))
    await home.becomes("binary_sensor", problem, "unknown")
    device = home.device("swarm_service:shop")
    assert device is not None
    assert device.model == "Swarm service"
