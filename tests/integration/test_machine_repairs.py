"""The repairs of disks, the clock and certificates: said in words, and gone with their cause."""

from typing import Any

import pytest
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.homelab import issues
from custom_components.homelab.const import DOMAIN
from custom_components.homelab.issue_board import MOST
from tests.fakes import wire, wire_machine, wire_services
from tests.fakes.agent_server import Answer
from tests.integration.fixing import appears, fix, is_told, shown, vanishes
from tests.integration.home import Home, until

pytestmark = pytest.mark.filterwarnings("ignore:It is recommended to use web.AppKey")

SUBJECTS = {issues.DISK_FAILING: "sda", issues.CLOCK_WRONG: "host"}
SAYS = {
    issues.DISK_FILLING: {"disk": "/", "days": "5", "growth": "5.0"},
    issues.DISK_FULL: {"disk": "/", "percent": "98"},
    issues.DISK_FAILING: {"disk": "sda (Example SSD)", "reason": "Too many bad sectors."},
    issues.FILESYSTEM_LOST: {"disk": "/", "reason": "The server does not answer."},
    issues.FILESYSTEM_READ_ONLY: {"disk": "/", "reason": "The server does not answer."},
    issues.CLOCK_WRONG: {"seconds": "61"},
}
ITEM = {"kind": "images", "id": "i", "name": "old`1", "size_bytes": 5, "reason": "No tag."}


@pytest.fixture
async def home(home: Home) -> Home:
    """A home with Home Assistant's repairs, and a machine with a disk in trouble."""
    assert await async_setup_component(home.hass, "repairs", {})
    agent = home.agent
    filesystem = wire_machine.filesystem(
        "/", used_percent=98.2, inodes_percent=3.0, reason="The server does not answer."
    )
    agent.put("filesystem", "/", filesystem)
    agent.put("disk_forecast", "/", wire_machine.disk_forecast("/", 5.2))
    health = wire_machine.disk_health("sda", state="failing", reason="Too many bad sectors.")
    agent.put("disk_health", "sda", health)
    agent.put("network_status", "host", wire_machine.network_status(clock_offset_s=-61.2))
    await home.settled()
    return home


def found(home: Home, issue: str, subject: str | None = None, **changes: Any) -> None:
    """Let the agent find something."""
    subject = subject or SUBJECTS.get(issue, "/")
    finding = wire_machine.finding(issue, subject, **changes)
    home.agent.put("finding", finding["key"], finding)


def certificate(home: Home, key: str = "wiki.example.com-443", **changes: Any) -> None:
    home.agent.put("certificate", key, wire_services.certificate(key, **changes))


@pytest.mark.parametrize("issue", SAYS)
async def test_what_the_agent_found_is_said_and_goes_away_with_it(home: Home, issue: str) -> None:
    found(home, issue)
    issue_id = await appears(home, issue)
    await is_told(home, issue_id)
    told = ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)
    assert told is not None
    assert told.translation_placeholders == {"name": "atlas", **SAYS[issue]}
    home.agent.remove("finding", f"{issue}:{SUBJECTS.get(issue, '/')}")
    await vanishes(home, issue)


@pytest.mark.parametrize("issue", SAYS)
async def test_what_was_found_before_home_assistant_started_is_said(home: Home, issue: str) -> None:
    found(home, issue)
    await appears(home, issue)
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert not shown(home, issue)
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    await appears(home, issue)


async def test_what_is_only_worth_a_look_is_no_repair(home: Home) -> None:
    for kind in ("memory_leak", "temperature_unusual", "traffic_unusual", "from-the-future"):
        found(home, kind, "x")
    await home.settled()
    assert not [domain for domain, _ in ir.async_get(home.hass).issues if domain == DOMAIN]


async def test_the_days_that_are_left_stay_true(home: Home) -> None:
    found(home, issues.DISK_FILLING)
    issue_id = await appears(home, issues.DISK_FILLING)
    home.agent.put("disk_forecast", "/", wire_machine.disk_forecast("/", 3.1))

    def says() -> object:
        issue = ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)
        return issue and issue.translation_placeholders

    await until(lambda: (says() or {})["days"] == "3", "the days")


async def test_what_is_not_known_is_not_made_up(home: Home) -> None:
    for kind, key in (("disk_forecast", "/"), ("filesystem", "/"), ("disk_health", "sda")):
        home.agent.remove(kind, key)
    home.agent.remove("network_status", "host")
    for issue in SAYS:
        found(home, issue)
    for issue, says in SAYS.items():
        issue_id = await appears(home, issue)
        told = ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)
        assert told is not None
        assert set(told.translation_placeholders or {}) == {"name", *says}


async def test_that_a_kept_certificate_ends_is_left_to_its_renewal(home: Home) -> None:
    certificate(home, stage="days_3", kept_valid=True)
    certificate(home, "other.example.com-443", stage="days_3")
    await appears(home, issues.CERTIFICATE_EXPIRING)
    assert len(shown(home, issues.CERTIFICATE_EXPIRING)) == 1


async def test_many_lost_file_systems_are_one_issue(home: Home) -> None:
    for number in range(MOST + 1):
        found(home, issues.FILESYSTEM_LOST, f"/mnt/{number}")
    issue_id = await appears(home, f"{issues.FILESYSTEM_LOST}_many")
    await is_told(home, issue_id)
    assert not shown(home, issues.FILESYSTEM_LOST)
    home.agent.remove("finding", f"{issues.FILESYSTEM_LOST}:/mnt/0")
    await until(lambda: len(shown(home, issues.FILESYSTEM_LOST)) == MOST, "one for each")


@pytest.mark.parametrize("issue", [issues.DISK_FILLING, issues.DISK_FULL])
async def test_a_clean_up_shows_what_would_go_and_removes_just_that(home: Home, issue: str) -> None:
    preview = {"hash": "p1", "items": [ITEM] * 30, "reclaimable_bytes": 2_500_000_000, "kept": []}
    home.agent.answers["GET /prune"] = Answer(preview)
    done = {"outcome": "done", "message": "Done.", "job": None}
    home.agent.answers["POST /prune"] = Answer(done)
    found(home, issue)
    issue_id = await appears(home, issue)
    step = await fix(home, issue_id, "clean_up")
    said = step["description_placeholders"]
    assert (said["count"], said["size"]) == ("30", "2.5")
    assert said["things"].startswith("- old1\n")
    assert said["things"].endswith("…")
    assert not home.agent.count("POST", "/prune")
    step = await fix(home, issue_id, "clean_up", "submit")
    assert step["type"] == "create_entry"
    body = home.agent.seen[-1].body
    assert body["hash"] == "p1"
    assert "volumes" not in body["kinds"]


async def test_a_clean_up_with_nothing_to_remove_says_so(home: Home) -> None:
    nothing = {"hash": "p1", "items": [], "reclaimable_bytes": 0, "kept": []}
    home.agent.answers["GET /prune"] = Answer(nothing)
    found(home, issues.DISK_FULL)
    step = await fix(home, await appears(home, issues.DISK_FULL), "clean_up")
    assert (step["type"], step["reason"]) == ("abort", "nothing_to_clean")


async def test_a_clean_up_that_fails_says_why_and_the_issue_stays(home: Home) -> None:
    home.agent.answers["GET /prune"] = Answer(wire.problem(503, "unavailable", "No Docker."), 503)
    found(home, issues.DISK_FULL)
    issue_id = await appears(home, issues.DISK_FULL)
    step = await fix(home, issue_id, "clean_up")
    assert "No Docker." in step["description_placeholders"]["error"]
    preview = {"hash": "p1", "items": [ITEM], "reclaimable_bytes": 5, "kept": []}
    home.agent.answers["GET /prune"] = Answer(preview)
    denied = wire.problem(403, "denied", "This needs the scope admin.")
    home.agent.answers["POST /prune"] = Answer(denied, 403)
    step = await fix(home, issue_id, "clean_up", "submit")
    assert "scope admin" in step["description_placeholders"]["error"]
    assert shown(home, issues.DISK_FULL)


async def test_a_clean_up_without_its_agent_says_so(home: Home) -> None:
    found(home, issues.DISK_FULL)
    issue_id = await appears(home, issues.DISK_FULL)
    manager = repairs_flow_manager(home.hass)
    assert manager is not None
    step: Any = await manager.async_init(DOMAIN, context={"issue_id": issue_id})
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    step = await manager.async_configure(step["flow_id"], {"next_step_id": "clean_up"})
    assert (step["type"], step["reason"]) == ("abort", "not_connected")


async def test_a_disk_that_is_put_aside_is_not_shown_until_it_comes_anew(home: Home) -> None:
    found(home, issues.DISK_FULL)
    step = await fix(home, await appears(home, issues.DISK_FULL), "ignore")
    assert step["reason"] == "ignored"
    found(home, issues.DISK_FULL, severity="critical")
    await home.settled()
    assert not shown(home, issues.DISK_FULL)


@pytest.mark.parametrize(
    ("changes", "issue"),
    [
        ({"stage": "days_7", "days_left": 6}, issues.CERTIFICATE_EXPIRING),
        (
            {"stage": "days_1", "days_left": 0, "verdict": "self_signed"},
            issues.CERTIFICATE_EXPIRING,
        ),
        ({"stage": "expired", "days_left": -2, "verdict": "expired"}, issues.CERTIFICATE_EXPIRED),
        ({"stage": "days_7", "verdict": "wrong_name"}, issues.CERTIFICATE_PROBLEM),
        ({"verdict": "incomplete_chain", "reason": "One is missing."}, issues.CERTIFICATE_PROBLEM),
    ],
)
async def test_a_certificate_in_trouble_is_one_issue_until_it_is_renewed(
    home: Home, changes: dict[str, Any], issue: str
) -> None:
    certificate(home, **changes)
    issue_id = await appears(home, issue)
    await is_told(home, issue_id)
    assert sum(len(shown(home, each)) for each in issues.OF_CERTIFICATES) == 1
    certificate(home)
    await vanishes(home, issue)


@pytest.mark.parametrize(
    "changes",
    [
        {"stage": "days_14", "days_left": 12},
        {"verdict": "self_signed"},
        {"verdict": "unknown_authority"},
        {"verdict": "unreachable", "details": None, "days_left": None},
        {"verdict": "from-the-future"},
    ],
)
async def test_a_certificate_that_is_as_somebody_wants_it_is_no_repair(
    home: Home, changes: dict[str, Any]
) -> None:
    certificate(home, **changes)
    await home.settled()
    assert not any(shown(home, each) for each in issues.OF_CERTIFICATES)


async def test_a_certificate_that_was_put_aside_does_not_come_again_with_each_outage(
    home: Home,
) -> None:
    refused = {"stage": "days_7", "verdict": "wrong_name"}
    certificate(home, **refused)
    issue_id = await appears(home, issues.CERTIFICATE_PROBLEM)
    ir.async_ignore_issue(home.hass, DOMAIN, issue_id, ignore=True)
    for changes in ({**refused, "verdict": "unreachable"}, refused):
        certificate(home, **changes)
        await home.settled()
        assert not any(shown(home, each) for each in issues.OF_CERTIFICATES)
    certificate(home, verdict="trusted")
    await home.settled()
    certificate(home, **refused)
    await appears(home, issues.CERTIFICATE_PROBLEM)


async def test_a_certificate_that_is_watched_no_longer_takes_its_issue_with_it(home: Home) -> None:
    certificate(home, stage="expired", details=None, days_left=None)
    await appears(home, issues.CERTIFICATE_EXPIRED)
    home.agent.remove("certificate", "wiki.example.com-443")
    await vanishes(home, issues.CERTIFICATE_EXPIRED)
