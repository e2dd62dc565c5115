"""The machine and its parts: what a person sees of them, and that they come and go alone."""

from collections.abc import AsyncGenerator

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes import wire, wire_machine
from tests.fakes.agent_server import FakeAgent
from tests.integration.home import Home, until
from tests.integration.test_entities import put_a_machine

DISK = "fs:/mnt/data"


@pytest.fixture
async def machine(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Home]:
    """A home that shows all there is of a machine."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    put_a_machine(agent)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield Home(hass, agent, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


async def test_figures_are_shown_in_units_for_people(machine: Home) -> None:
    def shown(key: str) -> tuple[str, str | None]:
        state = machine.state("sensor", key)
        return state.state, state.attributes.get("unit_of_measurement")

    assert shown("host_cpu") == ("12.5", "%")
    assert shown("host_memory_percent") == ("37.5", "%")
    assert shown("host_energy") == ("100.25", "kWh")
    assert shown("last_boot") == ("2026-11-20T08:00:00+00:00", None)
    assert shown(f"{DISK}:used_percent") == ("60.0", "%")
    assert shown(f"{DISK}:full_in") == ("12.5", "d")
    assert shown("if:eth0:receive_rate") == ("1.0", "Mbit/s")
    assert shown("if:eth0:received") == ("1.0", "GiB")
    assert shown("if:eth0:errors") == ("3", "errors")
    assert shown("sensor:coretemp-package-id-0:temperature") == ("45.0", "°C")
    assert shown("sensor:nct6798-fan-2:fan") == ("820.0", "rpm")
    assert shown("public_ipv4") == ("203.0.113.7", None)
    assert shown("exposed_ports") == ("5", "ports")


async def test_names_say_which_part_is_meant(machine: Home) -> None:
    def name(platform: str, key: str) -> str:
        return str(machine.state(platform, key).attributes["friendly_name"])

    assert name("sensor", f"{DISK}:used_percent") == "atlas Disk /mnt/data usage"
    assert name("binary_sensor", "disk_health:sda:problem") == "atlas Disk sda health"
    assert name("sensor", "if:eth0:receive_rate") == "atlas Network eth0 receive rate"


async def test_what_cannot_be_known_is_unknown_and_not_zero(machine: Home) -> None:
    nothing = dict.fromkeys(wire_machine.host_stats())
    machine.agent.put("host_stats", "host", {**nothing, "cores_percent": []})
    await machine.becomes("sensor", "host_cpu", "unknown")
    for key in ("host_memory_percent", "host_load_5m", "host_pressure_io", "host_processes"):
        assert machine.state("sensor", key).state == "unknown"
    machine.agent.put("disk_forecast", "/mnt/data", wire_machine.disk_forecast("/mnt/data"))
    await machine.becomes("sensor", f"{DISK}:full_in", "unknown")
    status = wire_machine.network_status(public_ipv4=wire_machine.public_address())
    machine.agent.put("network_status", "host", status)
    await machine.becomes("sensor", "public_ipv4", "unknown")


async def test_what_is_not_known_yet_of_a_disk_is_unknown_and_goes_with_it(home: Home) -> None:
    home.agent.put("filesystem", "/mnt/data", wire_machine.filesystem("/mnt/data"))
    await home.becomes("sensor", f"{DISK}:full_in", "unknown")
    home.agent.put("disk_forecast", "/mnt/data", wire_machine.disk_forecast("/mnt/data", 3.0))
    await home.becomes("sensor", f"{DISK}:full_in", "3.0")
    home.agent.remove("disk_forecast", "/mnt/data")
    await home.becomes("sensor", f"{DISK}:full_in", "unknown")
    home.agent.remove("filesystem", "/mnt/data")
    await home.becomes("sensor", f"{DISK}:full_in", "unavailable")


async def test_a_machine_without_docker_is_shown_all_the_same(machine: Home) -> None:
    machine.agent.put("engine", "docker", wire.engine_away())
    await machine.becomes("sensor", "containers_cpu", "unavailable")
    assert machine.state("sensor", "host_cpu").state == "12.5"
    assert machine.state("sensor", f"{DISK}:used_percent").state == "60.0"


async def test_nothing_of_a_machine_is_shown_while_its_agent_is_away(machine: Home) -> None:
    await machine.agent.stop()
    await machine.becomes("sensor", "host_cpu", "unavailable")
    for platform, key in (
        ("sensor", f"{DISK}:used_percent"),
        ("sensor", "findings"),
        ("binary_sensor", "reboot_required"),
        ("event", "port_event"),
    ):
        assert machine.state(platform, key).state == "unavailable"
    await machine.agent.start()
    await machine.becomes("sensor", "host_cpu", "12.5")


@pytest.mark.parametrize(
    ("state", "shown"),
    [("ok", "off"), ("read_only", "on"), ("hanging", "on"), ("gone", "on"), ("odd", "unknown")],
)
async def test_a_file_system_that_is_lost_is_a_problem_with_its_reason(
    machine: Home, state: str, shown: str
) -> None:
    lost = wire_machine.filesystem("/mnt/data", state=state, reason=state, used_percent=None)
    machine.agent.put("filesystem", "/mnt/data", lost)
    await machine.becomes("sensor", f"{DISK}:used_percent", "unknown")
    problem = machine.state("binary_sensor", f"{DISK}:problem")
    assert (problem.state, problem.attributes["reason"]) == (shown, state)


@pytest.mark.parametrize(
    ("state", "shown"), [("ok", "off"), ("worn", "on"), ("failing", "on"), ("unknown", "unknown")]
)
async def test_a_disk_tells_how_it_is(machine: Home, state: str, shown: str) -> None:
    machine.agent.put("disk_health", "sda", wire_machine.disk_health(state="worn", reason="x"))
    machine.agent.put("disk_health", "sda", wire_machine.disk_health(state=state, reason="y"))
    await machine.becomes("binary_sensor", "disk_health:sda:problem", shown)


@pytest.mark.parametrize(
    ("state", "shown"), [("up", "on"), ("down", "off"), ("unknown", "unknown")]
)
async def test_a_pulled_cable_shows(machine: Home, state: str, shown: str) -> None:
    machine.agent.put("network_interface", "eth0", wire_machine.network_interface(state=state))
    await machine.becomes("binary_sensor", "if:eth0:link", shown)


async def test_a_needed_restart_says_why(machine: Home) -> None:
    needed = wire_machine.host_info(reboot_required=True, reboot_reason="linux-image")
    machine.agent.put("host_info", "host", needed)
    await machine.becomes("binary_sensor", "reboot_required", "on")
    assert machine.state("binary_sensor", "reboot_required").attributes["reason"] == "linux-image"


async def test_findings_are_counted_with_what_they_are(machine: Home) -> None:
    clock = wire_machine.finding("clock_wrong", "host", "host_info")
    machine.agent.put("finding", clock["key"], clock)
    await machine.becomes("sensor", "findings", "2")
    types = machine.state("sensor", "findings").attributes["types"]
    assert types == ["clock_wrong", "disk_filling"]
    machine.agent.remove("finding", clock["key"])
    await machine.becomes("sensor", "findings", "1")


async def test_a_port_that_begins_to_listen_is_an_event_once(machine: Home) -> None:
    assert machine.state("event", "port_event").state == "unknown"
    opened = wire_machine.port_event(8443, container="web", number=3)
    machine.agent.put("port_event", opened["key"], opened)
    await until(lambda: machine.state("event", "port_event").state != "unknown", "the event")
    shown = machine.state("event", "port_event")
    assert shown.attributes["event_type"] == "opened"
    assert (shown.attributes["port"], shown.attributes["container"]) == (8443, "web")
    machine.agent.put("port_event", opened["key"], opened)
    machine.agent.put("host_stats", "host", wire_machine.host_stats(cpu_percent=1.0))
    await machine.becomes("sensor", "host_cpu", "1.0")
    assert machine.state("event", "port_event") is shown


async def test_a_machine_without_a_power_meter_has_no_energy(home: Home) -> None:
    home.agent.put("host_info", "host", wire_machine.host_info())
    await home.becomes("sensor", "last_boot", "2026-11-20T08:00:00+00:00")
    assert not home.has("sensor", "host_energy")
    home.agent.put("host_power", "host", wire_machine.host_power(power_w=None))
    await home.becomes("sensor", "host_energy", "100.25")
    assert home.state("sensor", "host_power").state == "unknown"


async def test_a_new_disk_appears_by_itself(machine: Home) -> None:
    machine.agent.put("filesystem", "/mnt/usb", wire_machine.filesystem("/mnt/usb"))
    await machine.becomes("sensor", "fs:/mnt/usb:used_percent", "60.0")


async def test_interfaces_that_nobody_looks_at_are_not_shown(machine: Home) -> None:
    for name in ("br-0123456789ab", "br-lan"):
        bridge = wire_machine.network_interface(name, type="bridge", carries_default_route=False)
        machine.agent.put("network_interface", name, bridge)
    await machine.becomes("binary_sensor", "if:br-lan:link", "on")
    for name in ("lo", "br-0123456789ab"):
        assert not machine.has("sensor", f"if:{name}:receive_rate")
        assert not machine.has("binary_sensor", f"if:{name}:link")


async def test_an_unplugged_disk_goes_after_a_minute_and_its_neighbours_stay(machine: Home) -> None:
    machine.agent.put("filesystem", "/mnt/data2", wire_machine.filesystem("/mnt/data2"))
    await machine.becomes("sensor", "fs:/mnt/data2:used_percent", "60.0")
    machine.agent.remove("filesystem", "/mnt/data")
    await machine.becomes("sensor", f"{DISK}:used_percent", "unavailable")
    await machine.passes(seconds=50)
    assert machine.has("sensor", f"{DISK}:used_percent")
    await machine.passes(seconds=70)
    assert not machine.has("sensor", f"{DISK}:used_percent")
    assert not machine.has("binary_sensor", f"{DISK}:problem")
    assert machine.has("sensor", "fs:/mnt/data2:used_percent")
    assert machine.has("sensor", "host_cpu")
    machine.agent.put("filesystem", "/mnt/data", wire_machine.filesystem("/mnt/data"))
    await machine.becomes("sensor", f"{DISK}:used_percent", "60.0")


async def test_a_disk_that_comes_back_in_time_keeps_its_entities(machine: Home) -> None:
    entity_id = machine.entity_id("sensor", f"{DISK}:used_percent")
    er.async_get(machine.hass).async_update_entity(entity_id, new_entity_id="sensor.my_disk")
    machine.agent.put("filesystem", "/", wire_machine.filesystem())
    machine.agent.remove("filesystem", "/mnt/data")
    await machine.becomes("sensor", f"{DISK}:used_percent", "unavailable")
    machine.agent.put("filesystem", "/mnt/data", wire_machine.filesystem("/mnt/data"))
    await machine.becomes("sensor", f"{DISK}:used_percent", "60.0")
    await machine.passes(seconds=70)
    assert machine.entity_id("sensor", f"{DISK}:used_percent") == "sensor.my_disk"


async def test_a_disk_removed_while_home_assistant_was_down_is_removed_later(machine: Home) -> None:
    machine.agent.put("filesystem", "/", wire_machine.filesystem())
    await machine.becomes("sensor", "fs:/:used_percent", "60.0")
    await machine.hass.config_entries.async_unload(machine.entry.entry_id)
    machine.agent.remove("filesystem", "/mnt/data")
    await machine.hass.config_entries.async_setup(machine.entry.entry_id)
    assert machine.has("sensor", f"{DISK}:used_percent")
    await machine.passes(seconds=70)
    assert not machine.has("sensor", f"{DISK}:used_percent")
    assert machine.has("sensor", "fs:/:used_percent")


async def test_an_agent_that_has_not_measured_yet_removes_no_part(machine: Home) -> None:
    await machine.agent.stop()
    kept = dict(machine.agent.resources)
    for kind, key in kept:
        if kind in {"filesystem", "host_sensor", "block_device", "network_interface"}:
            del machine.agent.resources[kind, key]
    await machine.agent.start()
    await machine.becomes("sensor", "host_cpu", "12.5")
    await machine.passes(seconds=120)
    assert machine.has("sensor", f"{DISK}:used_percent")
    assert machine.has("sensor", "sensor:coretemp-package-id-0:temperature")
    machine.agent.put("filesystem", "/mnt/data", wire_machine.filesystem("/mnt/data"))
    await machine.becomes("sensor", f"{DISK}:used_percent", "60.0")


async def look_away(machine: Home) -> None:
    """Let nobody look at the sensors and disks of the machine any more."""
    registry = er.async_get(machine.hass)
    for entry in er.async_entries_for_config_entry(registry, machine.entry.entry_id):
        if ":sensor:" in entry.unique_id or ":disk:" in entry.unique_id:
            registry.async_update_entity(entry.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await machine.passes(seconds=70)
    await until(lambda: not asks_for(machine, "host_sensor"), "the sensors to be left out")
    assert not asks_for(machine, "block_device")


def asks_for(machine: Home, kind: str) -> bool:
    """Return whether the agent has to take trouble over a kind."""
    return kind in machine.agent.subscriptions[-1]["kinds"]


async def test_what_is_plugged_in_and_out_while_nobody_looks_is_found_within_the_hour(
    machine: Home,
) -> None:
    await look_away(machine)
    machine.agent.remove("block_device", "sda")
    machine.agent.put("block_device", "sdb", wire_machine.block_device("sdb"))
    await machine.settled()
    await machine.passes(seconds=3700)
    await until(lambda: machine.has("sensor", "disk:sdb:busy_percent"), "the new disk")
    await machine.passes(seconds=70)
    await until(lambda: not machine.has("sensor", "disk:sda:busy_percent"), "the old one to go")
    await machine.passes(seconds=130)
    await until(lambda: not asks_for(machine, "host_sensor"), "the look to end")
    assert machine.has("sensor", "disk:sdb:busy_percent")


async def test_what_is_asked_for_no_more_is_not_taken_for_gone(machine: Home) -> None:
    await look_away(machine)
    machine.agent.put("filesystem", "/mnt/usb", wire_machine.filesystem("/mnt/usb"))
    await machine.becomes("sensor", "fs:/mnt/usb:used_percent", "60.0")
    await machine.passes(seconds=120)
    assert machine.has("sensor", "sensor:coretemp-package-id-0:temperature")


async def test_a_container_of_a_project_named_like_a_part_is_left_alone(machine: Home) -> None:
    machine.agent.put("container", "fs:db:1", wire.container("fs-db-1", key="fs:db:1"))
    await machine.becomes("switch", "fs:db:1:switch", "on")
    machine.agent.put("filesystem", "/mnt/usb", wire_machine.filesystem("/mnt/usb"))
    await machine.becomes("sensor", "fs:/mnt/usb:used_percent", "60.0")
    await machine.hass.config_entries.async_reload(machine.entry.entry_id)
    await machine.passes(seconds=120)
    assert machine.has("switch", "fs:db:1:switch")


async def test_a_file_system_that_only_updates_write_to_is_off(home: Home) -> None:
    for mount in ("/boot/efi", "/"):
        home.agent.put("filesystem", mount, wire_machine.filesystem(mount))
    await home.becomes("sensor", "fs:/:used_percent", "60.0")
    entity_id = home.entity_id("sensor", "fs:/boot/efi:used_percent")
    entry = er.async_get(home.hass).async_get(entity_id)
    assert entry is not None
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION
