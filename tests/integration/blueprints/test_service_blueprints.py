"""The blueprints of services, certificates, disks and ports, run with an agent."""

from datetime import timedelta
from typing import Any

import pytest
from homeassistant.util import dt as dt_util

from tests.fakes import wire, wire_machine, wire_services
from tests.fakes.agent_server import Answer
from tests.integration.blueprints.runs import PHONE, Told, heard, passes, target, use
from tests.integration.home import Home, until

CERTIFICATE = "wiki.example.com-443"
REFUSED = "Who connects is warned or refused until it is renewed."


@pytest.fixture
async def home(home: Home) -> Home:
    """A home in which all is well."""
    agent = home.agent
    agent.put("monitor", "wiki", wire_services.monitor("Wiki"))
    agent.put("certificate", CERTIFICATE, wire_services.certificate(CERTIFICATE))
    agent.put("filesystem", "/", wire_machine.filesystem("/"))
    agent.put("disk_forecast", "/", wire_machine.disk_forecast("/"))
    agent.put("network_status", "host", wire_machine.network_status())
    await home.settled()
    return home


class Service:
    """The service that the monitor Wiki watches."""

    def __init__(self, home: Home, tier: str) -> None:
        self._home = home
        self._tier = tier
        self._number = 0

    async def goes(self, kind: str, duration_s: float | None = None) -> None:
        """Let it go down or up."""
        self._number += 1
        home, now = self._home, dt_util.utcnow().isoformat()
        monitor = wire_services.monitor("Wiki", tier=self._tier, state=kind)
        home.agent.put("monitor", "wiki", monitor)
        event = wire_services.monitor_event(
            "wiki", kind, self._number, tier=self._tier, at=now, duration_s=duration_s
        )
        home.agent.put("monitor_event", "wiki", event)
        await home.settled()


def quiet(begins: float, ends: float) -> dict[str, str]:
    """Return quiet hours, in hours from now."""
    moments = (dt_util.now() + timedelta(hours=hours) for hours in (begins, ends))
    names = ("quiet_from", "quiet_until")
    return {name: moment.strftime("%H:%M:%S") for name, moment in zip(names, moments, strict=True)}


BY_DAY = (8.0, 16.0)
AT_NIGHT = (-1.0, 1.0)
THIS_MORNING = (-6.0, -1.0)


async def alert(home: Home, tier: str = "optional", **inputs: Any) -> Service:
    """Use the blueprint for all monitors of the host."""
    await use(home, "monitor_down_alert", monitors=target(home, None), **inputs)
    return Service(home, tier)


async def test_a_service_that_is_down_is_reported_with_why_and_its_recovery_too(
    home: Home, told: Told
) -> None:
    service = await alert(home, notifiers=[PHONE], **quiet(*BY_DAY))
    await service.goes("down")
    await passes(home, seconds=30)
    assert not told.sent
    await passes(home, seconds=61)
    call = await heard(home, told.sent)
    assert call.data["title"] == "Wiki is down"
    assert call.data["message"] == "Wiki on atlas: Connection refused."
    await service.goes("up", 300.0)
    call = await heard(home, told.sent, 2)
    assert call.data["title"] == "Wiki is up again"
    assert call.data["message"] == "Wiki on atlas was down for 5 minutes."
    assert not told.shown


async def test_a_service_that_is_back_soon_wakes_nobody_and_nor_does_its_recovery(
    home: Home, told: Told
) -> None:
    service = await alert(home, **quiet(*BY_DAY))
    await service.goes("down")
    await service.goes("up", 20.0)
    await passes(home, minutes=10)
    assert not told.shown


async def test_in_the_quiet_hours_an_optional_service_waits_for_the_morning(
    home: Home, told: Told
) -> None:
    service = await alert(home, **quiet(*AT_NIGHT))
    row = wire_services.report_row("wiki", state="down", reason="Connection refused.")
    health = {"at": wire.BEGINNING, "critical": [], "optional": [row], "down": 1, "total": 1}
    home.agent.answers["GET /monitors/report"] = Answer(health)
    await service.goes("down")
    await passes(home, minutes=10)
    assert not told.shown
    await passes(home, hours=1, seconds=2)
    call = await heard(home, told.shown)
    assert call.data["title"] == "One service is down"
    assert "Wiki: Connection refused." in call.data["message"]


@pytest.mark.parametrize(("duration_s", "count"), [(7200.0, 1), (20.0, 0)])
async def test_what_was_told_in_the_morning_is_told_to_be_up_again(
    home: Home, told: Told, duration_s: float, count: int
) -> None:
    service = await alert(home, **quiet(*THIS_MORNING))
    await service.goes("up", duration_s)
    assert [call.data["title"] for call in told.shown] == ["Wiki is up again"] * count


async def test_at_night_nobody_is_told_that_something_optional_is_up_again(
    home: Home, told: Told
) -> None:
    service = await alert(home, **quiet(*AT_NIGHT))
    await service.goes("up", 86400.0)
    assert not told.shown


async def test_a_morning_on_which_all_is_well_is_quiet_too(home: Home, told: Told) -> None:
    service = await alert(home, **quiet(*AT_NIGHT))
    health = {"at": wire.BEGINNING, "critical": [], "optional": [], "down": 0, "total": 0}
    home.agent.answers["GET /monitors/report"] = Answer(health)
    await service.goes("down")
    await passes(home, minutes=10)
    await service.goes("up", 600.0)
    await passes(home, hours=1, seconds=2)
    await until(lambda: home.agent.count("GET", "/monitors/report"), "the report")
    await home.settled()
    assert not told.shown


async def test_a_morning_on_which_a_host_cannot_be_asked_is_told_too(
    home: Home, told: Told
) -> None:
    await alert(home, **quiet(*AT_NIGHT))
    away = Answer(wire.problem(503, "unavailable", "The journal cannot be read."), 503)
    home.agent.answers["GET /monitors/report"] = away
    await passes(home, hours=1, seconds=2)
    call = await heard(home, told.shown)
    assert call.data["title"] == "Nobody knows how the services are"
    assert call.data["message"] == "A host that watches them cannot be asked."


async def test_in_the_quiet_hours_a_critical_service_wakes_after_its_own_time(
    home: Home, told: Told
) -> None:
    service = await alert(home, "critical", critical_after={"minutes": 5}, **quiet(*AT_NIGHT))
    await service.goes("down")
    await passes(home, minutes=2)
    assert not told.shown
    await passes(home, minutes=6)
    call = await heard(home, told.shown)
    assert call.data["title"] == "Wiki is down"
    await service.goes("up", 400.0)
    call = await heard(home, told.shown, 2)
    assert call.data["title"] == "Wiki is up again"


async def test_by_day_a_critical_service_is_told_once(home: Home, told: Told) -> None:
    service = await alert(home, "critical", **quiet(*BY_DAY))
    await service.goes("down")
    await passes(home, minutes=2)
    await heard(home, told.shown)
    await passes(home, minutes=20)
    await home.settled()
    assert len(told.shown) == 1


async def test_who_wants_no_quiet_hours_has_none(home: Home, told: Told) -> None:
    service = await alert(home, quiet_from="07:00:00", quiet_until="07:00:00")
    await service.goes("down")
    await passes(home, minutes=2)
    await heard(home, told.shown)


@pytest.mark.parametrize(
    ("event", "title", "message"),
    [
        (
            {"stage": "days_7", "days_left": 6},
            "The certificate of wiki.example.com ends in 6 days",
            "It ends 2026-11-27 08:00, and was not renewed so far.",
        ),
        (
            {"stage": "days_1", "days_left": 1},
            "The certificate of wiki.example.com ends in 1 day",
            "It ends 2026-11-27 08:00, and was not renewed so far.",
        ),
        (
            {"kind": "expired", "stage": "expired", "days_left": -1, "reason": "It is old."},
            "The certificate of wiki.example.com has ended",
            f"It ended 2026-11-27 08:00. {REFUSED} It is old.",
        ),
    ],
)
async def test_each_rung_of_a_certificates_ladder_is_reported(
    home: Home, told: Told, event: dict[str, Any], title: str, message: str
) -> None:
    key = f"certificate:{CERTIFICATE}"
    await use(home, "certificate_ladder", certificates=target(home, key), first="7")
    too_early = wire_services.certificate_event(CERTIFICATE, "expiring", 1, stage="days_14")
    home.agent.put("certificate_event", CERTIFICATE, too_early)
    changed = {"number": 2, **event}
    home.agent.put(
        "certificate_event", CERTIFICATE, wire_services.certificate_event(CERTIFICATE, **changed)
    )
    call = await heard(home, told.shown)
    assert (call.data["title"], call.data["message"]) == (title, message)


@pytest.mark.parametrize("tell_change", [True, False])
async def test_a_certificate_that_was_replaced_is_reported_to_who_wants_that(
    home: Home, told: Told, *, tell_change: bool
) -> None:
    await use(home, "certificate_ladder", certificates=target(home, None), tell_change=tell_change)
    event = wire_services.certificate_event(CERTIFICATE, "changed", 2, stage="fine")
    home.agent.put("certificate_event", CERTIFICATE, event)
    if tell_change:
        call = await heard(home, told.shown)
        assert call.data["title"] == "The certificate of wiki.example.com was replaced"
    await home.settled()
    assert len(told.shown) == tell_change


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_disk_that_fills_is_reported_with_what_a_clean_up_would_free(
    home: Home, told: Told, *, reachable: bool
) -> None:
    preview = {"hash": "p", "items": [], "reclaimable_bytes": 3_200_000_000, "kept": []}
    away = Answer(wire.problem(503, "unavailable", "No Docker."), 503)
    home.agent.answers["GET /prune"] = Answer(preview) if reachable else away
    await use(home, "disk_filling", hosts=target(home, None), days=7)
    home.agent.put("disk_forecast", "/", wire_machine.disk_forecast("/", 5.5))
    call = await heard(home, told.shown)
    assert call.data["title"] == "/ on atlas will be full in about 5 days"
    freed = " A clean-up of Docker would free 3.2 GB." if reachable else ""
    assert call.data["message"] == f"It grows by 5.0 GB a day. 40.0 GB are left.{freed}"


async def test_a_disk_is_reported_without_a_look_at_docker(home: Home, told: Told) -> None:
    await use(home, "disk_filling", hosts=target(home, None), days=1, tell_reclaimable=False)
    home.agent.put("disk_forecast", "/", wire_machine.disk_forecast("/", 0.6))
    call = await heard(home, told.shown)
    assert call.data["title"] == "/ on atlas will be full within a day"
    assert not home.agent.count("GET", "/prune")


async def test_a_new_port_is_reported_with_who_opened_it_and_who_can_reach_it(
    home: Home, told: Told
) -> None:
    inputs = {"ignored_ports": ["22", "nonsense"], "ignored_owners": ["sshd", "web"]}
    await use(home, "new_port_warning", hosts=target(home, None), reach="network", **inputs)

    def opens(port: int, **changes: Any) -> None:
        event = wire_machine.port_event(port, "opened", port, **changes)
        home.agent.put("port_event", event["key"], event)

    opens(22)
    opens(2222, process="sshd")
    opens(8081, container="web")
    opens(8082, reach="machine")
    opens(8083, reach="public", address="203.0.113.7")
    call = await heard(home, told.shown)
    assert call.data["title"] == "Port 8083 of atlas is open"
    assert call.data["message"].startswith("python3 listens at 203.0.113.7 port 8083 (tcp).")
    assert "everybody on the internet" in call.data["message"]
    opens(8084)
    call = await heard(home, told.shown, 2)
    assert "local network" in call.data["message"]
