"""The triggers of services, certificates, disks and ports: told once, and nothing old."""

from typing import Any

import pytest

from tests.fakes import wire_domains, wire_machine, wire_services
from tests.fakes.wire_domains import PHOTOS
from tests.integration.automations import automate, on, state_of
from tests.integration.home import Home

WIKI = "monitor:wiki"
CERTIFICATE = "certificate:wiki.example.com-443"

WHAT_A_MESSAGE_NEEDS: dict[str, dict[str, Any]] = {
    "monitor_down": {
        "name": "Wiki",
        "key": "wiki",
        "tier": "optional",
        "target": "http://wiki.example.com/",
        "reason": "Connection refused.",
        "code": "refused",
    },
    "monitor_recovered": {"name": "Wiki", "duration": 300.0, "reason": "Connection refused."},
    "slo_budget_low": {"name": "Wiki", "left_percent": 12.0, "uptime_left_percent": 12.0},
    "certificate_expiring": {
        "name": "wiki.example.com",
        "stage": "days_7",
        "days_left": 6,
        "expires_at": "2026-11-27T08:00:00+00:00",
        "issuer": "CN=Example CA",
    },
    "certificate_changed": {"old_fingerprint": "aa", "new_fingerprint": "bb"},
    "disk_filling": {
        "name": "/",
        "days_until_full": 5.5,
        "growth_bytes_per_day": 5_000_000_000.0,
        "available_bytes": 40_000_000_000,
        "samples": 672,
    },
    "port_opened": {"port": 8080, "transport": "tcp", "reach": "network", "process": "python3"},
}
DEVICES = {
    "monitor_down": WIKI,
    "monitor_recovered": WIKI,
    "slo_budget_low": WIKI,
    "certificate_expiring": CERTIFICATE,
    "certificate_changed": CERTIFICATE,
    "disk_filling": None,
    "port_opened": None,
}


def monitor(home: Home, **changes: Any) -> None:
    home.agent.put("monitor", "wiki", wire_services.monitor("Wiki", **changes))


def monitor_event(home: Home, kind: str, number: int, **changes: Any) -> None:
    event = wire_services.monitor_event("wiki", kind, number, **changes)
    home.agent.put("monitor_event", "wiki", event)


def certificate_event(home: Home, kind: str, number: int, **changes: Any) -> None:
    key = "wiki.example.com-443"
    event = wire_services.certificate_event(key, kind, number, **changes)
    home.agent.put("certificate_event", key, event)


def budget(home: Home, left: float | None) -> None:
    home.agent.put("monitor_report", "wiki", wire_services.monitor_report("wiki", left))


def forecast(home: Home, days: float | None) -> None:
    home.agent.put("disk_forecast", "/", wire_machine.disk_forecast("/", days))


async def happens(home: Home, trigger: str) -> None:
    """Let the happening of a trigger happen."""
    match trigger:
        case "monitor_down":
            monitor(home, state="down", reason="Connection refused.")
            monitor_event(home, "down", 7)
        case "monitor_recovered":
            monitor(home, state="up")
            monitor_event(home, "up", 9)
        case "slo_budget_low":
            budget(home, 12.0)
        case "certificate_expiring":
            certificate_event(home, "expiring", 7)
        case "certificate_changed":
            prints = {"old_fingerprint_sha256": "aa", "new_fingerprint_sha256": "bb"}
            certificate_event(home, "changed", 7, **prints)
        case "disk_filling":
            forecast(home, 5.5)
        case "port_opened":
            event = wire_machine.port_event(8080, "opened", 7)
            home.agent.put("port_event", "tcp-0.0.0.0-8080", event)
    await home.settled()


@pytest.fixture
async def quiet(home: Home) -> Home:
    """A home where all is well."""
    agent = home.agent
    monitor(home)
    budget(home, 100.0)
    agent.put("certificate", "wiki.example.com-443", wire_services.certificate())
    agent.put("filesystem", "/", wire_machine.filesystem("/"))
    agent.put("network_status", "host", wire_machine.network_status())
    forecast(home, None)
    await home.settled()
    return home


async def prepared(home: Home, trigger: str) -> Home:
    """Return a home in which a trigger's happening can happen."""
    if trigger == "monitor_recovered":
        monitor(home, state="down")
        monitor_event(home, "down", 3)
        await home.settled()
    return home


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_what_happens_is_told_once_with_all_that_a_message_needs(
    quiet: Home, trigger: str
) -> None:
    await prepared(quiet, trigger)
    runs = await automate(quiet.hass, on(quiet, trigger, DEVICES[trigger]))
    await happens(quiet, trigger)
    await happens(quiet, trigger)
    quiet.agent.cut()
    await quiet.settled()
    (run,) = runs
    needed = WHAT_A_MESSAGE_NEEDS[trigger]
    assert {name: run[name] for name in needed} == needed
    device_id = quiet.device_id(DEVICES[trigger])
    assert (run["host"], run["device_id"], run["event"]) == ("atlas", device_id, trigger)


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_a_restart_of_home_assistant_tells_nothing_old(quiet: Home, trigger: str) -> None:
    await happens(quiet, trigger)
    await quiet.hass.config_entries.async_unload(quiet.entry.entry_id)
    runs = await automate(quiet.hass, on(quiet, trigger, None))
    await quiet.hass.config_entries.async_setup(quiet.entry.entry_id)
    await quiet.settled()
    assert not runs


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_what_happened_while_the_cable_was_out_is_told(quiet: Home, trigger: str) -> None:
    runs = await automate(quiet.hass, on(quiet, trigger, None))
    quiet.agent.cut()
    await happens(quiet, trigger)
    assert len(runs) == 1


@pytest.mark.parametrize("trigger", WHAT_A_MESSAGE_NEEDS)
async def test_what_happened_while_nobody_was_heard_for_long_is_told(
    quiet: Home, trigger: str
) -> None:
    runs = await automate(quiet.hass, on(quiet, trigger, None))
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    changed = {
        "monitor_down": lambda: (monitor(quiet, state="down"), monitor_event(quiet, "down", 7)),
        "monitor_recovered": lambda: monitor_event(quiet, "up", 7),
        "slo_budget_low": lambda: budget(quiet, 12.0),
        "certificate_expiring": lambda: certificate_event(quiet, "expiring", 7),
        "certificate_changed": lambda: certificate_event(quiet, "changed", 7),
        "disk_filling": lambda: forecast(quiet, 5.5),
        "port_opened": lambda: quiet.agent.put(
            "port_event", "tcp-0.0.0.0-8080", wire_machine.port_event()
        ),
    }
    changed[trigger]()
    await quiet.agent.start()
    await quiet.becomes("binary_sensor", "docker", "on")
    await quiet.settled()
    assert len(runs) == 1


async def test_a_host_that_is_heard_for_the_first_time_tells_nothing_old(home: Home) -> None:
    for trigger in WHAT_A_MESSAGE_NEEDS:
        await happens(home, trigger)
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    triggers = [on(home, trigger, None) for trigger in WHAT_A_MESSAGE_NEEDS]
    runs = await automate(home.hass, triggers)
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.settled()
    assert not runs


async def test_an_outage_and_its_end_during_a_cut_are_both_told(quiet: Home) -> None:
    triggers = [on(quiet, trigger, None) for trigger in ("monitor_down", "monitor_recovered")]
    runs = await automate(quiet.hass, triggers)
    quiet.agent.cut()
    monitor_event(quiet, "down", 7)
    monitor_event(quiet, "up", 8)
    await quiet.settled()
    assert [run["event"] for run in runs] == ["monitor_down", "monitor_recovered"]


async def test_an_event_that_a_restarted_agent_publishes_once_more_is_told_once(
    quiet: Home,
) -> None:
    runs = await automate(quiet.hass, on(quiet, "certificate_changed", CERTIFICATE))
    await happens(quiet, "certificate_changed")
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    del quiet.agent.resources["certificate_event", "wiki.example.com-443"]
    await quiet.agent.start()
    await quiet.becomes("binary_sensor", "docker", "on")
    await happens(quiet, "certificate_changed")
    assert len(runs) == 1


async def test_only_a_service_that_stays_down_is_told(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "monitor_down", WIKI, **{"for": "00:05:00"}))
    await happens(quiet, "monitor_down")
    await happens(quiet, "monitor_recovered")
    await quiet.passes(minutes=6)
    assert not runs
    monitor(quiet, state="down")
    monitor_event(quiet, "down", 11)
    await quiet.settled()
    await quiet.passes(minutes=4)
    assert not runs
    await quiet.passes(minutes=6)
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("trigger", "state", "meanwhile"),
    [
        ("monitor_down", "down", "unknown"),
        ("monitor_recovered", "up", "failing"),
        ("monitor_recovered", "up", "unknown"),
    ],
)
async def test_what_goes_on_after_a_check_that_says_nothing_is_told(
    quiet: Home, trigger: str, state: str, meanwhile: str
) -> None:
    runs = await automate(quiet.hass, on(quiet, trigger, WIKI, **{"for": "00:05:00"}))
    await happens(quiet, trigger)
    for then in (meanwhile, state):
        monitor(quiet, state=then)
        await quiet.settled()
    await quiet.passes(minutes=6)
    assert len(runs) == 1


async def test_a_window_that_opens_ends_the_wait(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "monitor_down", WIKI, **{"for": "00:05:00"}))
    await happens(quiet, "monitor_down")
    monitor(quiet, state="maintenance")
    await quiet.settled()
    await quiet.passes(minutes=6)
    assert not runs


@pytest.mark.parametrize(("tier", "told"), [("critical", 0), ("optional", 1)])
@pytest.mark.parametrize("trigger", ["monitor_down", "monitor_recovered", "slo_budget_low"])
async def test_a_tier_narrows(quiet: Home, trigger: str, tier: str, told: int) -> None:
    runs = await automate(quiet.hass, on(quiet, trigger, None, tier=tier))
    await happens(quiet, trigger)
    assert len(runs) == told


async def test_a_monitor_of_a_container_counts_for_its_container(quiet: Home) -> None:
    monitor(quiet, container="web")
    await quiet.settled()
    runs = await automate(quiet.hass, on(quiet, "monitor_down", "web"))
    monitor(quiet, container="web", state="down")
    monitor_event(quiet, "down", 7)
    await quiet.settled()
    (run,) = runs
    assert (run["name"], run["device_id"]) == ("Wiki", quiet.device_id("web"))


@pytest.mark.parametrize(
    ("days", "stage", "told"),
    [
        (30, "days_30", 1),
        (30, "days_1", 1),
        (7, "days_14", 0),
        ("7", "days_7", 1),
        (0, "days_1", 0),
        (0, "expired", 1),
    ],
)
async def test_the_ladder_begins_at_the_chosen_rung(
    quiet: Home, days: int | str, stage: str, told: int
) -> None:
    runs = await automate(quiet.hass, on(quiet, "certificate_expiring", CERTIFICATE, days=days))
    kind = "expired" if stage == "expired" else "expiring"
    certificate_event(quiet, kind, 7, stage=stage)
    await quiet.settled()
    assert len(runs) == told


@pytest.mark.parametrize("trigger", ["certificate_expiring", "certificate_changed"])
async def test_the_certificate_of_a_monitor_is_told_of_by_the_monitors_device(
    quiet: Home, trigger: str
) -> None:
    found = wire_services.certificate(monitor="wiki")
    quiet.agent.put("certificate", found["key"], found)
    await quiet.settled()
    runs = await automate(quiet.hass, on(quiet, trigger, WIKI))
    await happens(quiet, trigger)
    (run,) = runs
    assert run["name"] == "wiki.example.com"


@pytest.mark.parametrize("trigger", ["certificate_expiring", "certificate_changed"])
@pytest.mark.parametrize("with_domain", [True, False])
async def test_a_kept_certificate_is_told_of_by_the_device_where_it_is_shown(
    quiet: Home, trigger: str, *, with_domain: bool
) -> None:
    if with_domain:
        quiet.agent.put("domain", PHOTOS, wire_domains.domain(PHOTOS))
    quiet.agent.put("managed_certificate", PHOTOS, wire_domains.managed_certificate(PHOTOS))
    found = wire_services.certificate(source="managed", managed=PHOTOS)
    quiet.agent.put("certificate", found["key"], found)
    await quiet.settled()
    shown_by = f"domain:{PHOTOS}" if with_domain else f"managed_certificate:{PHOTOS}"
    runs = await automate(quiet.hass, on(quiet, trigger, shown_by))
    await happens(quiet, trigger)
    (run,) = runs
    assert run["device_id"] == quiet.device_id(shown_by)


async def test_a_certificate_that_is_only_bad_is_neither_ending_nor_new(quiet: Home) -> None:
    both = [on(quiet, one, None) for one in ("certificate_expiring", "certificate_changed")]
    runs = await automate(quiet.hass, both)
    certificate_event(quiet, "problem", 7)
    certificate_event(quiet, "from-the-future", 8)
    monitor_event(quiet, "from-the-future", 8)
    await quiet.settled()
    assert not runs


async def test_a_disk_is_told_when_it_comes_within_the_days_and_once_a_day(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "disk_filling", None, days=7))
    for days in (20.0, 7.5, 6.9, 7.2, 6.8, 5.0, None, 4.0):
        forecast(quiet, days)
        await quiet.settled()
    assert [run["days_until_full"] for run in runs] == [6.9]


@pytest.mark.parametrize(
    ("trigger", "kind", "key"),
    [
        ("disk_filling", "disk_forecast", "/"),
        ("slo_budget_low", "monitor_report", "wiki"),
    ],
)
async def test_a_figure_that_fell_while_the_agent_restarted_is_told(
    quiet: Home, trigger: str, kind: str, key: str
) -> None:
    runs = await automate(quiet.hass, on(quiet, trigger, None))
    await quiet.agent.stop()
    await quiet.becomes("binary_sensor", "docker", "unavailable")
    del quiet.agent.resources[kind, key]
    await quiet.agent.start()
    await quiet.becomes("binary_sensor", "docker", "on")
    await quiet.settled()
    assert not runs
    await happens(quiet, trigger)
    assert len(runs) == 1


async def test_a_disk_that_is_new_is_no_news(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "disk_filling", None))
    quiet.agent.put("disk_forecast", "/new", wire_machine.disk_forecast("/new", 2.0))
    await quiet.settled()
    assert not runs


async def test_a_budget_is_told_when_either_half_of_it_is_low(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "slo_budget_low", WIKI, below=50))
    report = wire_services.monitor_report("wiki", 80.0)
    report["budget"]["error_left_percent"] = 40.0
    quiet.agent.put("monitor_report", "wiki", report)
    await quiet.settled()
    (run,) = runs
    assert (run["left_percent"], run["error_left_percent"]) == (40.0, 40.0)


async def test_a_budget_that_is_not_known_yet_is_not_low(quiet: Home) -> None:
    runs = await automate(quiet.hass, on(quiet, "slo_budget_low", WIKI))
    report = wire_services.monitor_report("wiki", None)
    report["budget"]["error_left_percent"] = None
    quiet.agent.put("monitor_report", "wiki", report)
    await quiet.settled()
    assert not runs


@pytest.mark.parametrize(
    ("wanted", "reach", "told"),
    [
        ("public", "network", 0),
        ("public", "public", 1),
        ("network", "machine", 0),
        ("network", "public", 1),
        ("machine", "machine", 1),
    ],
)
async def test_a_port_counts_from_the_chosen_distance_on(
    quiet: Home, wanted: str, reach: str, told: int
) -> None:
    runs = await automate(quiet.hass, on(quiet, "port_opened", None, reach=wanted))
    event = wire_machine.port_event(8080, "opened", 7, reach=reach)
    quiet.agent.put("port_event", "tcp-0.0.0.0-8080", event)
    await quiet.settled()
    assert len(runs) == told


async def test_a_port_of_a_container_counts_for_it_and_a_closed_one_for_nobody(
    quiet: Home,
) -> None:
    runs = await automate(quiet.hass, on(quiet, "port_opened", "web"))
    for number, kind in ((7, "opened"), (8, "closed")):
        event = wire_machine.port_event(8080, kind, number, container="web")
        quiet.agent.put("port_event", "tcp-0.0.0.0-8080", event)
        await quiet.settled()
    quiet.agent.remove("port_event", "tcp-0.0.0.0-8080")
    await quiet.settled()
    (run,) = runs
    assert (run["container"], run["device_id"]) == ("web", quiet.device_id("web"))


@pytest.mark.parametrize(
    ("trigger", "key", "options", "reason"),
    [
        ("disk_filling", "web", {}, "web is a container; this needs a host"),
        ("port_opened", WIKI, {}, "is a monitor; this needs"),
        ("monitor_down", CERTIFICATE, {}, "is a certificate; this needs"),
        ("monitor_down", WIKI, {"tier": "golden"}, "tier"),
        ("certificate_expiring", CERTIFICATE, {"days": 12}, "days"),
        ("port_opened", None, {"reach": "moon"}, "reach"),
    ],
)
async def test_a_trigger_that_could_never_fire_is_refused_in_words(
    quiet: Home,
    caplog: pytest.LogCaptureFixture,
    trigger: str,
    key: str | None,
    options: dict[str, Any],
    reason: str,
) -> None:
    await automate(quiet.hass, on(quiet, trigger, key, **options))
    assert state_of(quiet.hass) == "unavailable"
    assert reason in caplog.text
