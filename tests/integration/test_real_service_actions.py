"""Actions on monitors, the machine and certificates against the real agent's invented homelab."""

import pytest
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from tests.integration.real_lab import Lab, becomes

CADDY = "edge:caddy:1"


def knows(lab: Lab, key: str) -> bool:
    """Return whether Home Assistant has heard of a monitor."""
    return lab.entry.runtime_data.mirror.has(("monitor", key))


async def test_a_monitor_lives_from_its_addition_to_its_end(lab: Lab) -> None:
    added = await lab.act(
        "add_monitor",
        device_id=lab.device_id(CADDY),
        name="Front page",
        type="http",
        url="http://front.example.org/",
        status="200",
        options={"method": "HEAD", "headers": {"Authorization": "Bearer secret"}},
        interval={"minutes": 1},
        tier="critical",
    )
    key = added["monitor"]["key"]
    assert added["settings"]["container"] == CADDY
    assert added["settings"]["check"]["status"] == ["200"]
    assert "secret" not in str(added)
    await becomes(lambda: knows(lab, key), "the monitor")

    changed = await lab.act("update_monitor", monitor=key, confirm_down=4, slo_uptime=99)
    assert changed["settings"]["confirm_down"] == 4
    assert changed["settings"]["slo"]["uptime_percent"] == 99
    assert changed["settings"]["check"]["method"] == "HEAD"
    assert changed["settings"]["check"]["headers"]["Authorization"] != "Bearer secret"

    (found,) = (await lab.act("check_monitor", monitor="FRONT PAGE"))["monitors"]
    assert found["result"]["at"]
    (paused,) = (await lab.act("pause_monitor", monitor=key))["monitors"]
    assert paused["outcome"] == "done"
    with pytest.raises(ServiceValidationError, match="paused"):
        await lab.act("check_monitor", monitor=key)
    (resumed,) = (await lab.act("resume_monitor", monitor=key))["monitors"]
    assert resumed["outcome"] == "done"
    (removed,) = (await lab.act("remove_monitor", monitor=key))["monitors"]
    assert removed["outcome"] == "done"
    await becomes(lambda: not knows(lab, key), "its end")


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"type": "tcp", "host": "nas", "port": 1, "url": "http://nas/"}, r"check\..*url"),
        ({"type": "http", "url": "nas"}, "url"),
        ({"type": "tcp", "host": "nas"}, "port"),
        ({"type": "tcp", "host": "nas", "port": 1, "interval": 1}, "interval_s"),
        ({"type": "dns", "host": "nas", "options": {"record": "ZZ"}}, "record"),
        ({"type": "tcp", "host": "169.254.169.254", "port": 80, "allow_guarded": True}, "admin"),
    ],
)
async def test_a_monitor_that_makes_no_sense_is_refused_with_its_field(
    lab: Lab, check: dict[str, object], said: str
) -> None:
    with pytest.raises(ServiceValidationError, match=said):
        await lab.act("add_monitor", device_id=lab.device_id(), name="Wrong", **check)


async def test_the_report_is_data_or_a_text(lab: Lab) -> None:
    (host,) = (await lab.act("monitor_report"))["hosts"]
    rows = host["critical"] + host["optional"]
    assert host["total"] == len(rows) > 3
    assert host["down"] == sum(row["state"] == "down" for row in rows)
    one = rows[0]["key"]
    (host,) = (await lab.act("monitor_report", format="markdown"))["hosts"]
    assert rows[0]["name"] in host["text"]
    (host,) = (await lab.act("monitor_report", format="csv"))["hosts"]
    assert rows[0]["name"] in host["text"]
    mirror = lab.entry.runtime_data.mirror
    assert mirror.has(("monitor", one))


async def test_a_maintenance_window_is_made_and_removed(lab: Lab) -> None:
    await lab.hass.config.async_set_time_zone("Europe/Berlin")
    made = await lab.act(
        "add_maintenance_window",
        device_id=lab.device_id(),
        name="Backup of tonight",
        duration={"hours": 1},
        repeat="daily",
    )
    (window,) = made["windows"]
    assert window["active"]
    assert window["time_zone"] == "Europe/Berlin"
    dt_util.set_default_time_zone(dt_util.UTC)
    mirror = lab.entry.runtime_data.mirror
    await becomes(lambda: mirror.has(("maintenance_window", window["key"])), "the window")
    removed = await lab.act("remove_maintenance_window", window="backup of tonight")
    assert removed["windows"][0]["outcome"] == "done"


async def test_the_machine_is_reported_with_what_is_about_to_go_wrong(lab: Lab) -> None:
    (host,) = (await lab.act("host_report"))["hosts"]
    assert host["info"]["operating_system"]
    assert host["stats"]["memory_percent"] > 0
    assert host["filesystems"]
    assert host["network"]["status"]["listening_ports"] > 0


async def test_ports_connections_and_processes_are_listed(lab: Lab) -> None:
    (host,) = (await lab.act("list_ports"))["hosts"]
    assert host["ports"]
    (public,) = (await lab.act("list_ports", reach="public"))["hosts"]
    assert len(public["ports"]) < len(host["ports"])
    (of_caddy,) = (await lab.act("list_ports", device_id=lab.device_id(CADDY)))["hosts"]
    assert {one["container"] for one in of_caddy["ports"]} <= {CADDY}
    (host,) = (await lab.act("list_connections", limit=5))["hosts"]
    assert len(host["connections"]) <= 5
    (host,) = (await lab.act("list_processes", sort="memory", limit=3))["hosts"]
    sizes = [one["memory_bytes"] for one in host["processes"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 3


async def test_a_process_is_stopped_only_by_who_may_and_as_it_was_listed(admin: Lab) -> None:
    (host,) = (await admin.act("list_processes", limit=50))["hosts"]
    process = next(one for one in host["processes"] if one["pid"] > 1 and not one["container"])
    with pytest.raises((ServiceValidationError, HomeAssistantError)):
        await admin.act("stop_process", pid=process["pid"], started_at="2020-01-01T00:00:00+00:00")


async def test_a_process_needs_a_token_that_may(lab: Lab) -> None:
    (host,) = (await lab.act("list_processes", limit=1))["hosts"]
    (process,) = host["processes"]
    with pytest.raises(ServiceValidationError, match="scope admin"):
        await lab.act("stop_process", pid=process["pid"], started_at=process["started_at"])


async def test_certificates_are_read_watched_and_let_go_of(lab: Lab) -> None:
    read = await lab.act("read_certificate", host="git.home.example.org")
    assert read["verdict"] == "expired"
    assert read["details"]["names"] == ["git.home.example.org"]
    watched = await lab.act("watch_certificate", host="www.home.example.org", name="Front")
    (certificate,) = watched["certificates"]
    mirror = lab.entry.runtime_data.mirror
    await becomes(lambda: mirror.has(("certificate", certificate["key"])), "the certificate")
    gone = await lab.act("unwatch_certificate", certificate="Front")
    assert gone["certificates"][0]["outcome"] == "done"
    await becomes(lambda: not mirror.has(("certificate", certificate["key"])), "its end")
