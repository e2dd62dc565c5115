"""Long-term statistics: what Home Assistant's own recorder makes of the figures of a machine."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import pytest
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.statistics import (
    async_list_statistic_ids,
    statistics_during_period,
    validate_statistics,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager

from tests.fakes import wire_machine
from tests.fakes.agent_server import FakeAgent
from tests.integration.home import Home
from tests.integration.test_entities import put_a_machine, put_services

PERIOD_MINUTES = 5


@pytest.fixture
async def mock_recorder_before_hass(async_test_recorder: RecorderInstanceContextManager) -> None:
    """Prepare the recorder, which has to come before Home Assistant."""
    assert async_test_recorder is not None


@pytest.fixture
async def recorded(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    agent: FakeAgent,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Home]:
    """A home that shows all there is, and records it."""
    assert recorder_mock is not None
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    put_a_machine(agent)
    put_services(agent)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield Home(hass, agent, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


def period_of(moment: datetime) -> datetime:
    """Return the start of the five minutes that a moment is in."""
    minute = moment.minute - moment.minute % PERIOD_MINUTES
    return moment.replace(minute=minute, second=0, microsecond=0)


async def compiled(home: Home, *moments: datetime) -> None:
    """Compile the statistics of the periods that states were written in."""
    await async_wait_recording_done(home.hass)
    for start in sorted({period_of(moment) for moment in moments}):
        do_adhoc_statistics(home.hass, start=start)
    await async_wait_recording_done(home.hass)


async def newest(home: Home, entity_id: str) -> Any:
    """Return the newest row of the statistics of an entity."""
    since = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
    types: set[Any] = {"mean", "sum", "state"}
    found = await home.hass.async_add_executor_job(
        statistics_during_period, home.hass, since, None, {entity_id}, "5minute", None, types
    )
    return found[entity_id][-1]


async def test_energy_and_traffic_are_summed_up_and_temperatures_averaged(recorded: Home) -> None:
    energy = recorded.entity_id("sensor", "host_energy")
    traffic = recorded.entity_id("sensor", "if:eth0:received")
    warmth = recorded.entity_id("sensor", "sensor:coretemp-package-id-0:temperature")
    first = recorded.state("sensor", "host_energy").last_updated
    recorded.agent.put("host_power", "host", wire_machine.host_power(energy_kwh=101.5))
    more = wire_machine.network_traffic(receive_bytes=3 * 1024**3)
    recorded.agent.put("network_traffic", "eth0", more)
    await recorded.becomes("sensor", "host_energy", "101.5")
    await recorded.becomes("sensor", "if:eth0:received", "3.0")
    await compiled(recorded, first, recorded.state("sensor", "if:eth0:received").last_updated)

    assert (await newest(recorded, energy))["state"] == 101.5
    assert (await newest(recorded, energy))["sum"] == pytest.approx(1.25)
    assert (await newest(recorded, traffic))["sum"] == pytest.approx(2.0)
    assert (await newest(recorded, warmth))["mean"] == pytest.approx(45.0)


async def test_every_figure_has_statistics_in_a_unit_that_stays_and_home_assistant_finds_no_fault(
    recorded: Home, caplog: pytest.LogCaptureFixture
) -> None:
    await compiled(recorded, recorded.state("sensor", "host_energy").last_updated)
    listed = {one["statistic_id"]: one for one in await async_list_statistic_ids(recorded.hass)}

    def unit(key: str) -> tuple[str | None, bool]:
        found = listed[recorded.entity_id("sensor", key)]
        return found["statistics_unit_of_measurement"], found["has_sum"]

    assert unit("host_energy") == ("kWh", True)
    assert unit("host_power") == ("W", False)
    assert unit("host_cpu") == ("%", False)
    assert unit("if:eth0:received") == ("GiB", True)
    assert unit("if:eth0:receive_rate") == ("Mbit/s", False)
    assert unit("disk_health:sda:disk_temperature") == ("°C", False)
    assert unit("fs:/mnt/data:used_percent") == ("%", False)
    assert unit("fs:/mnt/data:full_in") == ("d", False)
    assert unit("monitor:wiki:response_time") == ("ms", False)
    assert unit("monitor:wiki:uptime_month") == ("%", False)
    faults = await recorded.hass.async_add_executor_job(validate_statistics, recorded.hass)
    assert {name: found for name, found in faults.items() if found} == {}
    assert "is using" not in caplog.text
