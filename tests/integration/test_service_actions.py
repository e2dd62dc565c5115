"""Actions on monitors, maintenance, the machine and certificates: what they ask and answer."""

from typing import Any

import pytest
from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockUser

from tests.fakes import wire, wire_machine, wire_services
from tests.fakes.agent_server import Answer
from tests.integration.home import Home

DONE = {"outcome": "done", "message": "As told.", "job": None}
KEY = "wiki.example.com-443"


def described(name: str = "Wiki", **changes: Any) -> dict[str, Any]:
    """Return everything about a monitor."""
    return {
        "monitor": wire_services.monitor(name),
        "settings": wire_services.settings(name, **changes),
        "result": wire_services.monitor_result(),
        "report": None,
    }


@pytest.fixture
async def watching(home: Home) -> Home:
    """A home with the monitors Wiki, and Shop and Mail of the container web."""
    home.agent.put("monitor", "wiki", wire_services.monitor("Wiki"))
    for name in ("Shop", "Mail"):
        home.agent.put("monitor", name.lower(), wire_services.monitor(name, container="web"))
    home.agent.put("certificate", KEY, wire_services.certificate(KEY))
    home.agent.put("maintenance_window", "backup", wire_services.maintenance_window("Backup"))
    await home.settled()
    home.agent.answers["GET /monitors/wiki"] = Answer(described())
    return home


def sent(home: Home) -> Any:
    return home.agent.seen[-1].body


async def test_a_monitor_is_added_with_flat_fields(watching: Home) -> None:
    watching.agent.answers["POST /monitors"] = Answer(described())
    answer = await watching.ask(
        "add_monitor",
        name="Wiki",
        type="http",
        url="http://wiki.example.com/",
        status=["200"],
        contains="Welcome",
        options={"method": "HEAD"},
        tier="critical",
        interval={"seconds": 30},
        timeout=5,
        retries=0,
        confirm_down=3,
        slo_uptime=99.5,
        slo_response=800,
        key="wiki",
    )
    assert (answer["host"], answer["monitor"]["key"]) == ("atlas", "wiki")
    assert sent(watching) == {
        "name": "Wiki",
        "key": "wiki",
        "check": {
            "type": "http",
            "url": "http://wiki.example.com/",
            "status": ["200"],
            "contains": "Welcome",
            "method": "HEAD",
        },
        "tier": "critical",
        "interval_s": 30.0,
        "timeout_s": 5.0,
        "retries": 0,
        "confirm_down": 3,
        "slo": {"uptime_percent": 99.5, "error_percent": 1, "response_ms": 800.0},
        "allow_guarded": False,
    }


async def test_the_host_of_a_dns_monitor_is_the_name_to_look_up(watching: Home) -> None:
    watching.agent.answers["POST /monitors"] = Answer(described())
    await watching.ask("add_monitor", name="DNS", type="dns", host="example.com")
    assert sent(watching)["check"] == {"type": "dns", "name": "example.com"}


async def test_a_monitor_of_a_targeted_container_is_part_of_it(watching: Home) -> None:
    watching.agent.answers["POST /monitors"] = Answer(described())
    target = watching.device_id("web")
    await watching.ask("add_monitor", name="Runs", type="container", device_id=target)
    assert sent(watching)["check"] == {"type": "container", "container": "web"}
    assert sent(watching)["container"] == "web"
    await watching.ask("add_monitor", name="Page", type="tcp", host="h", port=1, device_id=target)
    assert (sent(watching)["container"], sent(watching)["check"]["port"]) == ("web", 1)
    with pytest.raises(ServiceValidationError) as caught:
        await watching.ask("add_monitor", name="Runs", type="container")
    assert caught.value.translation_key == "no_container_targeted"


async def test_a_setting_that_is_wrong_is_refused_with_its_field_and_what_to_do(
    watching: Home,
) -> None:
    watching.agent.answers["POST /monitors"] = Answer(
        wire.problem(
            422,
            "invalid",
            "Unknown field 'check.tcp.url'.",
            field="check.tcp.url",
            hint="Known are: host, port.",
        ),
        422,
    )
    with pytest.raises(ServiceValidationError, match=r"check\.tcp\.url.*Known are: host, port"):
        await watching.ask("add_monitor", name="Wiki", type="tcp", url="http://x/")


async def test_what_is_not_said_of_a_monitor_stays_when_it_is_changed(watching: Home) -> None:
    watching.agent.answers["PUT /monitors/wiki"] = Answer(described())
    target = watching.device_id("monitor:wiki")
    await watching.ask("update_monitor", device_id=target, status=["200"], slo_errors=2)
    check = sent(watching)["check"]
    assert check["status"] == ["200"]
    assert (check["url"], check["headers"]) == (
        "http://wiki.example.com/",
        {"Authorization": "***"},
    )
    assert sent(watching)["name"] == "Wiki"
    assert sent(watching)["slo"]["error_percent"] == 2
    assert sent(watching)["interval_s"] == 60.0


async def test_another_kind_of_check_keeps_nothing_of_the_old_one(watching: Home) -> None:
    watching.agent.answers["PUT /monitors/wiki"] = Answer(described())
    await watching.ask("update_monitor", monitor="wiki", type="ping", host="wiki.example.com")
    assert sent(watching)["check"] == {"type": "ping", "host": "wiki.example.com"}


@pytest.mark.parametrize(
    ("action", "path"), [("pause_monitor", "pause"), ("resume_monitor", "resume")]
)
async def test_the_monitors_of_a_container_are_paused_and_resumed(
    watching: Home, action: str, path: str
) -> None:
    for key in ("shop", "mail"):
        watching.agent.answers[f"POST /monitors/{key}/{path}"] = Answer(DONE)
    answer = await watching.ask(action, device_id=watching.device_id("web"))
    assert {one["key"] for one in answer["monitors"]} == {"shop", "mail"}
    assert all(one["outcome"] == "done" for one in answer["monitors"])
    answer = await watching.ask(action, device_id=watching.device_id(None), monitor="MAIL")
    assert [one["key"] for one in answer["monitors"]] == ["mail"]


async def test_a_monitor_is_removed(watching: Home) -> None:
    watching.agent.answers["DELETE /monitors/wiki"] = Answer(DONE)
    answer = await watching.ask("remove_monitor", monitor=["Wiki"])
    assert answer["monitors"][0] == {
        "host": "atlas",
        "name": "Wiki",
        "key": "wiki",
        "outcome": "done",
        "message": "As told.",
        "job_id": None,
    }


@pytest.mark.parametrize(
    ("action", "data", "reason"),
    [
        ("remove_monitor", {"device_id": None}, "no_monitor_targeted"),
        ("remove_monitor", {}, "no_monitor_targeted"),
        ("update_monitor", {"device_id": "web", "retries": 2}, "one_monitor_needed"),
        ("remove_monitor", {"device_id": "web"}, "one_monitor_needed"),
        ("pause_monitor", {"monitor": ["wiki", "nobody"]}, "no_such_monitor"),
        ("check_monitor", {"device_id": "web", "monitor": "wiki"}, "no_such_monitor"),
        ("remove_maintenance_window", {"window": "nothing"}, "no_such_window"),
        ("unwatch_certificate", {"certificate": "nothing"}, "no_certificate_targeted"),
        ("unwatch_certificate", {"device_id": None}, "no_certificate_targeted"),
    ],
)
async def test_what_is_meant_has_to_be_clear(
    watching: Home, action: str, data: dict[str, Any], reason: str
) -> None:
    given = dict(data)
    if "device_id" in given:
        given["device_id"] = watching.device_id(given["device_id"])
    before = len(watching.agent.seen)
    with pytest.raises(ServiceValidationError) as caught:
        await watching.ask(action, **given)
    assert caught.value.translation_key == reason
    assert len(watching.agent.seen) == before


async def test_a_service_is_checked_now_and_what_was_found_returned(watching: Home) -> None:
    watching.agent.answers["POST /monitors/wiki/check"] = Answer(described())
    answer = await watching.ask("check_monitor", device_id=watching.device_id("monitor:wiki"))
    (one,) = answer["monitors"]
    assert (one["key"], one["result"]["ok"], one["result"]["status"]) == ("wiki", True, 200)
    assert one["monitor"]["state"] == "up"


HEALTH = {
    "at": wire.BEGINNING,
    "critical": [],
    "optional": [wire_services.report_row("wiki", state="down", reason="Connection refused.")],
    "down": 1,
    "total": 1,
}


async def test_the_report_is_of_what_is_targeted(watching: Home) -> None:
    watching.agent.answers["GET /monitors/report"] = Answer(HEALTH)
    (host,) = (await watching.ask("monitor_report"))["hosts"]
    assert (host["down"], host["optional"][0]["reason"]) == (1, "Connection refused.")
    assert "name" not in watching.agent.seen[-1].query
    await watching.ask("monitor_report", device_id=watching.device_id("monitor:wiki"))
    assert watching.agent.seen[-1].query["name"] == "wiki"
    (host,) = (
        await watching.ask("monitor_report", device_id=watching.device_id("certificate:" + KEY))
    )["hosts"]
    assert host == {"host": "atlas", "critical": [], "optional": [], "down": 0, "total": 0}


async def test_the_report_is_written_for_people(watching: Home) -> None:
    watching.agent.answers["GET /monitors/report"] = Answer(
        "| service |\n", content_type="text/markdown"
    )
    (host,) = (await watching.ask("monitor_report", format="markdown"))["hosts"]
    assert host == {"host": "atlas", "text": "| service |\n"}
    assert watching.agent.seen[-1].query["format"] == "markdown"
    watching.agent.answers["GET /monitors/report"] = Answer(HEALTH)
    with pytest.raises(HomeAssistantError):
        await watching.ask("monitor_report", format="csv")


async def test_failures_are_expected_for_a_time(watching: Home) -> None:
    window = wire_services.maintenance_window("Backup")
    watching.agent.answers["POST /maintenance"] = Answer(window)
    await watching.hass.config.async_set_time_zone("Europe/Berlin")
    try:
        answer = await watching.ask(
            "add_maintenance_window",
            device_id=watching.device_id("web"),
            name="Backup",
            starts_at="2026-11-21 03:00:00",
            duration={"hours": 1},
            repeat="daily",
        )
    finally:
        dt_util.set_default_time_zone(dt_util.UTC)
    assert answer["windows"][0]["key"] == "backup"
    assert sent(watching) == {
        "name": "Backup",
        "starts_at": "2026-11-21T02:00:00+00:00",
        "duration_s": 3600.0,
        "repeat": "daily",
        "time_zone": "Europe/Berlin",
        "monitors": ["shop", "mail"],
    }
    await watching.ask("add_maintenance_window", name="Now", duration="00:10:00")
    assert (sent(watching)["monitors"], sent(watching)["repeat"]) == ([], "never")


async def test_a_window_for_nothing_is_not_one_for_all(watching: Home) -> None:
    target = watching.device_id(f"certificate:{KEY}")
    with pytest.raises(ServiceValidationError) as caught:
        await watching.ask("add_maintenance_window", device_id=target, name="x", duration=60)
    assert caught.value.translation_key == "no_monitor_targeted"


async def test_a_window_is_removed_by_its_name(watching: Home) -> None:
    watching.agent.answers["DELETE /maintenance/backup"] = Answer(DONE)
    answer = await watching.ask("remove_maintenance_window", window="BACKUP")
    assert answer["windows"][0]["key"] == "backup"


async def test_the_host_is_reported_as_a_whole(home: Home) -> None:
    view = {"processes": "host", "network": "host", "filesystems": "host", "hint": None}
    home.agent.answers["GET /host/info"] = Answer({"host_name": "atlas", "view": view})
    stats = {"stats": {"cpu_percent": 5.0}, "power": None, "sensors": []}
    home.agent.answers["GET /host/stats"] = Answer(stats)
    disks = {"filesystems": [wire_machine.filesystem()], "devices": [], "health": []}
    home.agent.answers["GET /host/disks"] = Answer(disks)
    network = {"status": wire_machine.network_status(), "connections": None}
    home.agent.answers["GET /network/stats"] = Answer(network)
    found = {"forecasts": [wire_machine.disk_forecast()], "findings": [wire_machine.finding()]}
    home.agent.answers["GET /insight"] = Answer(found)
    (host,) = (await home.ask("host_report"))["hosts"]
    assert host["host"] == "atlas"
    assert host["info"]["host_name"] == "atlas"
    assert host["stats"]["cpu_percent"] == 5.0
    assert host["filesystems"][0]["key"] == "/"
    assert host["network"]["status"]["default_interface"] == "eth0"
    assert host["findings"][0]["evidence"][0]["value"] == 40.0


PORTS = {"ports": [wire_machine.listening_port(80, container="web"), wire_machine.listening_port()]}


async def test_ports_are_listed_for_hosts_and_containers(home: Home) -> None:
    home.agent.answers["GET /network/ports"] = Answer(PORTS)
    (host,) = (await home.ask("list_ports", reach="network", transport="tcp"))["hosts"]
    assert [one["port"] for one in host["ports"]] == [80, 8080]
    assert home.agent.seen[-1].query == {"reach": "network", "transport": "tcp"}
    (host,) = (await home.ask("list_ports", device_id=home.device_id("web")))["hosts"]
    assert [one["port"] for one in host["ports"]] == [80]


async def test_connections_are_listed_for_hosts_and_containers(home: Home) -> None:
    home.agent.answers["GET /network/connections"] = Answer({"connections": [], "total": 7})
    (host,) = (await home.ask("list_connections", port=443, state="ESTABLISHED"))["hosts"]
    assert (host["connections"], host["total"]) == ([], 7)
    assert home.agent.seen[-1].query == {"port": "443", "state": "ESTABLISHED", "limit": "200"}
    await home.ask("list_connections", device_id=home.device_id("web"))
    assert home.agent.seen[-1].query["container"] == "web"


STARTED_AT = "2026-11-21T08:00:00+00:00"


async def test_a_process_is_found_and_asked_to_stop(home: Home) -> None:
    process = {"pid": 4711, "name": "python3", "state": "running", "started_at": STARTED_AT}
    home.agent.answers["GET /host/processes"] = Answer(
        {"processes": [process], "total": 1, "view": "host"}
    )
    home.agent.answers["POST /host/processes/4711/stop"] = Answer(DONE)
    (host,) = (await home.ask("list_processes", search="python", sort="memory"))["hosts"]
    assert home.agent.seen[-1].query == {"sort": "memory", "search": "python", "limit": "20"}
    (found,) = host["processes"]
    answer = await home.ask("stop_process", pid=found["pid"], started_at=found["started_at"])
    assert answer["outcome"] == "done"
    assert sent(home) == {"started_at": STARTED_AT, "signal": "TERM"}


async def test_a_certificate_is_read_without_having_to_trust_it(home: Home) -> None:
    report = wire_services.certificate_report(verdict="self_signed", reason="It signed itself.")
    home.agent.answers["POST /certificates/read"] = Answer(report)
    answer = await home.ask("read_certificate", host="nas.example.com", port=8443, start_tls="smtp")
    assert (answer["verdict"], answer["reason"]) == ("self_signed", "It signed itself.")
    assert sent(home)["host"] == "nas.example.com"
    assert (sent(home)["port"], sent(home)["start_tls"]) == (8443, "smtp")


async def test_a_certificate_is_watched_and_watched_no_longer(watching: Home) -> None:
    listed = {"certificates": [wire_services.certificate(KEY)]}
    watching.agent.answers["POST /certificates"] = Answer(listed)
    watching.agent.answers[f"DELETE /certificates/{KEY}"] = Answer(DONE)
    answer = await watching.ask("watch_certificate", path="/etc/ssl/wiki.pem", name="Wiki")
    assert answer["certificates"][0]["key"] == KEY
    assert (sent(watching)["path"], sent(watching)["name"]) == ("/etc/ssl/wiki.pem", "Wiki")
    for given in ({"device_id": watching.device_id(f"certificate:{KEY}")}, {"certificate": KEY}):
        answer = await watching.ask("unwatch_certificate", **given)
        assert answer["certificates"][0]["outcome"] == "done"


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("add_monitor", {"name": "x", "type": "ping", "host": "h"}),
        ("update_monitor", {}),
        ("remove_monitor", {}),
        ("pause_monitor", {}),
        ("resume_monitor", {}),
        ("check_monitor", {}),
        ("add_maintenance_window", {"name": "x", "duration": 60}),
        ("remove_maintenance_window", {"window": "backup"}),
        ("list_processes", {}),
        ("list_connections", {}),
        ("stop_process", {"pid": 1, "started_at": STARTED_AT}),
        ("read_certificate", {"host": "h"}),
        ("watch_certificate", {"host": "h"}),
        ("unwatch_certificate", {}),
    ],
)
async def test_only_administrators_may_change_something_or_look_behind_it(
    watching: Home, hass_read_only_user: MockUser, action: str, data: dict[str, Any]
) -> None:
    before = len(watching.agent.seen)
    context = Context(user_id=hass_read_only_user.id)
    with pytest.raises(Unauthorized):
        await watching.ask(action, context, device_id=watching.device_id("monitor:wiki"), **data)
    assert len(watching.agent.seen) == before
