"""What containers use: shown as it is, and asked for only while somebody looks."""

from collections.abc import AsyncGenerator

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes import wire
from tests.fakes.agent_server import FakeAgent
from tests.integration.home import Home, until

ON_DEMAND = {"container_stats", "engine_stats"}


@pytest.fixture
async def busy(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> AsyncGenerator[Home]:
    """A home whose agent samples its containers."""
    agent.put("container_stats", "web", wire.statistics())
    agent.put("engine_stats", "docker", wire.engine_statistics())
    agent.put("disk_usage", "docker", wire.disk_usage())
    assert await hass.config_entries.async_setup(entry.entry_id)
    yield Home(hass, agent, entry)
    await hass.config_entries.async_unload(entry.entry_id)


def asked_for(agent: FakeAgent) -> set[str]:
    """Return which costly kinds the newest subscription asked for."""
    return ON_DEMAND & set(agent.subscriptions[-1]["kinds"])


async def test_what_a_container_uses_is_shown_in_units_for_people(busy: Home) -> None:
    assert busy.state("sensor", "web:cpu").state == "12.5"
    memory = busy.state("sensor", "web:memory")
    assert (memory.state, memory.attributes["unit_of_measurement"]) == ("100.0", "MiB")
    assert busy.state("sensor", "containers_cpu").state == "12.5"
    assert busy.state("sensor", "containers_memory").state == str(100 / 1024)
    reclaimable = busy.state("sensor", "disk_reclaimable")
    assert (reclaimable.state, reclaimable.attributes["unit_of_measurement"]) == (
        str(1500 / 1024),
        "GiB",
    )


async def test_a_tick_reaches_the_state(busy: Home) -> None:
    busy.agent.put("container_stats", "web", wire.statistics(cpu_percent=99.0))
    await busy.becomes("sensor", "web:cpu", "99.0")


async def test_a_stopped_container_uses_nothing_that_could_be_shown(busy: Home) -> None:
    busy.agent.remove("container_stats", "web")
    await busy.becomes("sensor", "web:cpu", "unavailable")
    assert busy.state("sensor", "web:state").state == "running"


async def test_a_figure_that_nobody_can_know_is_unknown_and_not_zero(busy: Home) -> None:
    busy.agent.put("container_stats", "web", wire.statistics(cpu_percent=None, memory_bytes=None))
    await busy.becomes("sensor", "web:cpu", "unknown")
    assert busy.state("sensor", "web:memory").state == "unknown"
    busy.agent.put("engine_stats", "docker", wire.engine_statistics(cpu_percent=None))
    await busy.becomes("sensor", "containers_cpu", "unknown")


async def test_statistics_are_asked_for_while_a_sensor_shows_them(busy: Home) -> None:
    await busy.passes(seconds=70)
    assert asked_for(busy.agent) == ON_DEMAND
    assert len(busy.agent.subscriptions) == 1


async def test_nothing_is_sampled_for_a_home_that_shows_none_of_it(busy: Home) -> None:
    registry = er.async_get(busy.hass)
    for entry in er.async_entries_for_config_entry(registry, busy.entry.entry_id):
        if entry.unique_id.endswith((":cpu", ":memory")):
            registry.async_update_entity(entry.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await busy.passes(seconds=70)
    await until(lambda: asked_for(busy.agent) == {"engine_stats"}, "the costly kind to be left out")
    # It went on where it was: nothing was lost or told twice, and nothing looked unavailable.
    assert busy.agent.subscriptions[-1]["resume"] is not None
    assert busy.state("switch", "web:switch").state == "on"


async def test_a_sensor_somebody_asks_for_later_gets_its_figures(busy: Home) -> None:
    await test_nothing_is_sampled_for_a_home_that_shows_none_of_it(busy)
    coordinator = busy.entry.runtime_data
    heard: list[str] = []
    end = coordinator.async_listen(("container_stats", "web"), lambda: heard.append("web"))
    await busy.passes(seconds=5)
    await until(lambda: heard, "the figures")
    assert asked_for(busy.agent) == ON_DEMAND
    # Only a snapshot tells what has not changed meanwhile.
    assert busy.agent.subscriptions[-1]["resume"] is None
    end()


async def test_one_tick_of_many_containers_writes_only_what_changed(busy: Home) -> None:
    busy.agent.put_container("db")
    busy.agent.put("container_stats", "db", wire.statistics("db"))
    await busy.becomes("sensor", "db:cpu", "12.5")
    before = busy.state("sensor", "db:memory")
    busy.agent.put("container_stats", "web", wire.statistics(cpu_percent=1.0))
    busy.agent.put("container_stats", "db", wire.statistics("db", cpu_percent=2.0))
    await busy.becomes("sensor", "db:cpu", "2.0")
    assert busy.state("sensor", "db:memory") is before
