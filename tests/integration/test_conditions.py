"""The conditions: met when it is so for any or for all, and never while it cannot be known."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import condition
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import label_registry as lr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes import wire
from tests.fakes.agent_server import FakeAgent
from tests.integration.automations import asked, automate, devices, met, state_of
from tests.integration.home import Home, entry_data, until

PLAYER = "media:player:1"
RUNS = "container_is_running"
HEALTHY = "stack_is_healthy"


@pytest.fixture
async def stacked(home: Home) -> Home:
    """A home with the containers web, db and one of the stack media, and the stack shop."""
    compose = {"project": "media", "service": "player", "index": 1}
    home.agent.put("container", PLAYER, wire.container("player", key=PLAYER, compose=compose))
    home.agent.put_container("db")
    for name in ("media", "shop"):
        home.agent.put("stack", name, wire.stack(name))
    await until(lambda: home.device("db") and home.device("stack:shop"), "the devices")
    return home


@pytest.fixture
async def second(stacked: Home) -> AsyncGenerator[Home]:
    """Another host with a container and a stack of its own, beside the first."""
    hass = stacked.hass
    async with FakeAgent() as agent:
        agent.info = wire.info(instance_id="instance-2")
        agent.put("engine", "docker", wire.engine())
        agent.put_container("nas")
        agent.put("stack", "backup", wire.stack("backup", services=[]))
        entry = MockConfigEntry(
            domain="homelab", title="nas", unique_id="instance-2", data=entry_data(agent)
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        yield Home(hass, agent, entry)
        await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()


async def becomes(home: Home, key: str, state: str) -> None:
    """Let a container or a stack become something, and wait until that is known."""
    kind, _, name = key.rpartition("stack:")
    kind = "stack" if key != name else "container"
    home.agent.put(kind, name, home.agent.resources[kind, name] | {"state": state})
    coordinator = home.entry.runtime_data
    find = coordinator.stack if kind == "stack" else coordinator.container
    await until(lambda: find(name).state == state, f"{key} to be {state}")


@pytest.mark.parametrize(
    ("name", "one", "other", "bad"),
    [(RUNS, "web", "db", "exited"), (HEALTHY, "stack:media", "stack:shop", "degraded")],
)
async def test_any_needs_one_and_all_needs_every_one(
    stacked: Home, name: str, one: str, other: str, bad: str
) -> None:
    both = devices(stacked, one, other)
    assert await met(stacked, name, both)
    assert await met(stacked, name, both, "all")
    await becomes(stacked, one, bad)
    assert not await met(stacked, name, devices(stacked, one))
    assert await met(stacked, name, both)
    assert await met(stacked, name, both, "any")
    assert not await met(stacked, name, both, "all")
    await becomes(stacked, other, bad)
    assert not await met(stacked, name, both, "any")


@pytest.mark.parametrize("state", ["paused", "restarting", "created", "dead", "never-heard-of"])
async def test_only_a_container_that_runs_runs(stacked: Home, state: str) -> None:
    stacked.agent.change_container("web", state=state)
    coordinator = stacked.entry.runtime_data
    await until(lambda: coordinator.container("web").state != "running", state)
    assert not await met(stacked, RUNS, devices(stacked, "web"))


@pytest.mark.parametrize("state", ["degraded", "stopped", "never-heard-of"])
async def test_only_a_stack_of_which_all_runs_is_healthy(stacked: Home, state: str) -> None:
    stacked.agent.put("stack", "media", wire.stack("media", state=state))
    coordinator = stacked.entry.runtime_data
    await until(lambda: coordinator.stack("media").state != "running", state)
    assert not await met(stacked, HEALTHY, devices(stacked, "stack:media"))


async def test_a_host_means_all_it_has_and_a_stack_all_its_containers(stacked: Home) -> None:
    assert await met(stacked, RUNS, devices(stacked, None), "all")
    assert await met(stacked, HEALTHY, devices(stacked, None), "all")
    await becomes(stacked, PLAYER, "exited")
    assert not await met(stacked, RUNS, devices(stacked, None), "all")
    assert await met(stacked, RUNS, devices(stacked, None))
    assert not await met(stacked, RUNS, devices(stacked, "stack:media"))
    await becomes(stacked, "stack:shop", "degraded")
    assert not await met(stacked, HEALTHY, devices(stacked, None), "all")
    assert await met(stacked, HEALTHY, devices(stacked, None))


@pytest.mark.parametrize(("name", "key"), [(RUNS, "web"), (HEALTHY, "stack:media")])
async def test_areas_labels_and_entities_mean_what_is_in_them(
    stacked: Home, name: str, key: str
) -> None:
    area = ar.async_get(stacked.hass).async_create("Basement").id
    label = lr.async_get(stacked.hass).async_create("Important").label_id
    (device_id,) = devices(stacked, key)["device_id"]
    assert not await met(stacked, name, {"area_id": area})
    assert not await met(stacked, name, {"label_id": label}, "all")
    dr.async_get(stacked.hass).async_update_device(device_id, area_id=area, labels={label})
    assert await met(stacked, name, {"area_id": area})
    assert await met(stacked, name, {"label_id": [label]}, "all")
    entity_id = stacked.entity_id("sensor", f"{key}:state")
    assert await met(stacked, name, {"entity_id": entity_id})
    await becomes(stacked, key, "exited" if name == RUNS else "degraded")
    for target in ({"area_id": area}, {"label_id": label}, {"entity_id": entity_id}):
        assert not await met(stacked, name, target)


async def test_what_else_is_in_an_area_does_not_count(stacked: Home) -> None:
    area = ar.async_get(stacked.hass).async_create("Basement").id
    for device_id in (
        stacked.foreign_device().id,
        *devices(stacked, "web", "stack:media")["device_id"],
    ):
        dr.async_get(stacked.hass).async_update_device(device_id, area_id=area)
    await becomes(stacked, "web", "exited")
    assert await met(stacked, HEALTHY, {"area_id": area}, "all")
    assert not await met(stacked, RUNS, {"area_id": area}, "all")


@pytest.mark.parametrize(("name", "key"), [(RUNS, "web"), (HEALTHY, "stack:media")])
async def test_while_the_agent_or_its_docker_is_away_nothing_is_so(
    stacked: Home, name: str, key: str
) -> None:
    target, host = devices(stacked, key), devices(stacked, None)
    stacked.agent.put("engine", "docker", wire.engine(connection="unavailable", reason="Gone."))
    await stacked.becomes("binary_sensor", "docker", "off")
    assert not await met(stacked, name, target)
    stacked.agent.put("engine", "docker", wire.engine())
    await stacked.becomes("binary_sensor", "docker", "on")
    assert await met(stacked, name, target)
    await stacked.agent.stop()
    await stacked.becomes("binary_sensor", "docker", "unavailable")
    assert not await met(stacked, name, target)
    assert not await met(stacked, name, host)
    await stacked.agent.start()
    await stacked.becomes("binary_sensor", "docker", "on")
    assert await met(stacked, name, target)


@pytest.mark.parametrize(
    ("name", "key", "far"), [(RUNS, "web", "nas"), (HEALTHY, "stack:media", "stack:backup")]
)
async def test_a_host_that_is_not_set_up_is_no_reason_to_call_all_well(
    stacked: Home, second: Home, name: str, key: str, far: str
) -> None:
    both = {
        "device_id": devices(stacked, key)["device_id"] + devices(second, far)["device_id"],
    }
    assert await met(stacked, name, both, "all")
    await stacked.hass.config_entries.async_unload(second.entry.entry_id)
    assert not await met(stacked, name, both, "all")
    assert await met(stacked, name, both, "any")


@pytest.mark.parametrize(
    ("name", "key", "other"), [(RUNS, "web", "db"), (HEALTHY, "stack:shop", "stack:media")]
)
async def test_what_is_gone_is_not_well(stacked: Home, name: str, key: str, other: str) -> None:
    both = devices(stacked, key, other)
    kind = "container" if name == RUNS else "stack"
    stacked.agent.remove(kind, key.removeprefix("stack:"))
    mirror = stacked.entry.runtime_data.mirror
    await until(lambda: not mirror.has((kind, key.removeprefix("stack:"))), "its end")
    assert not await met(stacked, name, both, "all")
    assert await met(stacked, name, both, "any")


async def test_a_stack_that_is_gone_has_no_container_that_runs(stacked: Home) -> None:
    both = devices(stacked, "web", "stack:shop")
    stacked.agent.remove("stack", "shop")
    await until(lambda: stacked.entry.runtime_data.stack("shop") is None, "its end")
    assert not await met(stacked, RUNS, both, "all")


async def test_an_automation_runs_only_while_its_conditions_are_met(stacked: Home) -> None:
    block = {
        "and": [
            asked(RUNS, devices(stacked, "web")),
            {"not": [asked(HEALTHY, devices(stacked, "stack:media"))]},
            "{{ is_state('test.go', 'on') }}",
        ]
    }
    runs = await automate(stacked.hass, {"trigger": "event", "event_type": "ask"}, block)

    async def ask(*, go: bool = True) -> int:
        stacked.hass.states.async_set("test.go", "on" if go else "off")
        asked_for = {"entity_id": "automation.test", "skip_condition": False}
        await stacked.hass.services.async_call("automation", "trigger", asked_for, blocking=True)
        await stacked.hass.async_block_till_done()
        return len(runs)

    assert await ask() == 0
    await becomes(stacked, "stack:media", "degraded")
    assert await ask() == 1
    assert await ask(go=False) == 1
    await becomes(stacked, "web", "exited")
    assert await ask() == 1


@pytest.mark.parametrize(
    ("name", "key", "options", "reason"),
    [
        (HEALTHY, "web", {}, "is a container; this needs a host or a stack"),
        (RUNS, "other", {}, "does not belong to the Homelab integration"),
        (RUNS, "nowhere", {}, "There is no device 0123456789"),
        (RUNS, "nothing", {}, "Choose at least one device"),
        (RUNS, "web", {"behavior": "most"}, "behavior"),
        (RUNS, "web", {"for": "00:01:00"}, "for"),
    ],
)
async def test_what_could_never_be_met_is_refused_in_words(
    stacked: Home,
    caplog: pytest.LogCaptureFixture,
    name: str,
    key: str,
    options: dict[str, Any],
    reason: str,
) -> None:
    targets = {
        "web": devices(stacked, "web"),
        "other": {"device_id": [stacked.foreign_device().id]},
        "nowhere": {"device_id": ["0123456789"]},
        "nothing": {},
    }
    written = {**asked(name, targets[key]), "options": options}
    await automate(stacked.hass, {"trigger": "event", "event_type": "ask"}, written)
    assert state_of(stacked.hass) == "unavailable"
    assert reason in caplog.text
    with pytest.raises(vol.Invalid, match=reason):
        await condition.async_validate_condition_config(stacked.hass, cv.CONDITION_SCHEMA(written))
