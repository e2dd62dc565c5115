"""The machine, monitors, certificates and the calendar of a real agent, on its invented homelab."""

from datetime import timedelta

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from custom_components.homelab.client.kinds import CERTIFICATE, MONITOR
from tests.harness.agent import Agent
from tests.integration.real_lab import Lab, becomes

ON_A_PAGE_OF_ITS_OWN = "monitor:router"
ON_ITS_CONTAINER = "monitor:reverse-proxy"
MOST_PER_MONITOR = 7
UNKNOWN = frozenset({STATE_UNKNOWN, STATE_UNAVAILABLE})


def on(lab: Lab, beginning: str) -> set[str]:
    """Return what is on by default of something."""
    prefix = f"{lab.entry.unique_id}:"
    found = er.async_entries_for_config_entry(er.async_get(lab.hass), lab.entry.entry_id)
    keys = {one.unique_id.removeprefix(prefix) for one in found if one.disabled_by is None}
    return {key for key in keys if key.startswith(beginning)}


async def test_a_person_sees_the_machine(lab: Lab) -> None:
    await becomes(lambda: lab.has("sensor", "fs:/:used_percent"), "the file systems")
    await becomes(lambda: lab.has("sensor", "host_energy"), "the power")
    await becomes(lambda: lab.state("sensor", "host_cpu") not in UNKNOWN, "the load")
    assert 0 < float(lab.state("sensor", "host_memory_percent")) < 100
    assert 0 < float(lab.state("sensor", "fs:/:used_percent")) < 100
    assert dt_util.parse_datetime(lab.state("sensor", "last_boot"))
    await becomes(lambda: bool(on(lab, "sensor:")), "the sensors of the machine")
    (warmth,) = on(lab, "sensor:")
    assert 0 < float(lab.state("sensor", warmth)) < 110
    await becomes(lambda: bool(on(lab, "if:")), "the interfaces")
    assert on(lab, "if:") == {"if:eth0:receive_rate", "if:eth0:transmit_rate"}


async def test_a_person_sees_services_and_pauses_one(lab: Lab) -> None:
    await becomes(lambda: lab.has("binary_sensor", f"{ON_A_PAGE_OF_ITS_OWN}:up"), "the monitors")
    assert lab.device_id(ON_A_PAGE_OF_ITS_OWN)
    await becomes(lambda: lab.has("binary_sensor", f"{ON_ITS_CONTAINER}:up"), "the monitors")
    assert lab.device_of("binary_sensor", f"{ON_ITS_CONTAINER}:up") == lab.device_id("edge:caddy:1")
    for monitor in lab.entry.runtime_data.mirror.keys(MONITOR):
        assert len(on(lab, f"monitor:{monitor}:")) <= MOST_PER_MONITOR
    up = f"{ON_A_PAGE_OF_ITS_OWN}:up"
    await becomes(lambda: lab.state("binary_sensor", up) == "on", "the router to be up")
    switch = f"{ON_A_PAGE_OF_ITS_OWN}:monitoring"
    await lab.operate("switch", "turn_off", "switch", switch)
    await becomes(lambda: lab.state("switch", switch) == "off", "the pause")
    assert lab.state("binary_sensor", up) == "unknown"
    await lab.operate("switch", "turn_on", "switch", switch)
    await lab.operate("button", "press", "button", f"{ON_A_PAGE_OF_ITS_OWN}:check_now")
    await becomes(lambda: lab.state("binary_sensor", up) == "on", "the router to be up again")
    response = f"{ON_A_PAGE_OF_ITS_OWN}:response_time"
    await becomes(lambda: lab.state("sensor", response) not in UNKNOWN, "a response time")


async def test_a_person_sees_expiries_and_windows_in_the_calendar(lab: Lab) -> None:
    await becomes(lambda: len(lab.entry.runtime_data.mirror.keys(CERTIFICATE)) > 1, "them")
    # Windows are only told of once all monitors are read, which takes a busy machine a while.
    await becomes(lambda: lab.has("binary_sensor", f"{ON_A_PAGE_OF_ITS_OWN}:up"), "the monitors")
    now = dt_util.now()
    entity_id = lab.entity_id("calendar", "calendar")
    answer = await lab.hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": entity_id,
            "start_date_time": now - timedelta(days=1),
            "end_date_time": now + timedelta(days=370),
        },
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    events = answer[entity_id]["events"]
    assert any("certificate expires" in event["summary"] for event in events)
    assert any(len(event["start"]) > len("2026-11-21") for event in events)
    assert [event["start"][:10] for event in events] == sorted(
        event["start"][:10] for event in events
    )


async def test_after_a_power_cut_of_the_agent_everything_is_there_again(
    lab: Lab, demo: Agent
) -> None:
    up = f"{ON_A_PAGE_OF_ITS_OWN}:up"
    await becomes(lambda: lab.has("binary_sensor", up), "the monitors")
    await becomes(lambda: lab.has("sensor", "fs:/:used_percent"), "the file systems")
    await demo.kill()
    await becomes(lambda: lab.state("binary_sensor", up) == "unavailable", "the loss")
    assert lab.state("sensor", "fs:/:used_percent") == "unavailable"
    await demo.start()
    await becomes(lambda: lab.state("binary_sensor", up) == "on", "the return")
    await becomes(lambda: lab.state("sensor", "fs:/:used_percent") not in UNKNOWN, "the disk")
