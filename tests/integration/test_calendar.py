"""The calendar of a host: expiries on the right day, windows at the right hour, and no more."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes import wire, wire_domains, wire_services
from tests.fakes.agent_server import Answer, FakeAgent
from tests.integration.home import Home, until

OCCURRENCES = "GET /maintenance/occurrences"


def occurrence(start: str, end: str, name: str = "Backup") -> dict[str, Any]:
    """Return one time that a window is open."""
    return {"key": name.lower(), "name": name, "starts_at": start, "ends_at": end}


def put_certificate(
    agent: FakeAgent, expires_at: str | None, key: str = "wiki.example-443"
) -> None:
    """Let the agent watch a certificate."""
    details = wire_services.certificate_details(expires_at=expires_at) if expires_at else None
    agent.put("certificate", key, wire_services.certificate(key, details=details))


def answer(agent: FakeAgent, *occurrences: dict[str, Any]) -> None:
    """Let the agent say when windows are open."""
    agent.answers[OCCURRENCES] = Answer({"occurrences": list(occurrences)})


async def events(home: Home, start: str, end: str) -> list[dict[str, Any]]:
    """Return what the calendar shows, as the action of Home Assistant gives it."""
    entity_id = home.entity_id("calendar", "calendar")
    answered = await home.hass.services.async_call(
        "calendar",
        "get_events",
        {"entity_id": entity_id, "start_date_time": start, "end_date_time": end},
        blocking=True,
        return_response=True,
    )
    assert answered is not None
    found: Any = answered[entity_id]
    return list(found["events"])


async def test_an_expiry_is_a_whole_day_of_local_time(home: Home) -> None:
    # The time zone of these tests is US/Pacific: at 3 o'clock in London it is the day before.
    put_certificate(home.agent, "2027-03-02T03:00:00Z")
    answer(home.agent)
    await home.becomes(
        "sensor", "certificate:wiki.example-443:expires_at", "2027-03-02T03:00:00+00:00"
    )
    (found,) = await events(home, "2027-02-01T00:00:00", "2027-04-01T00:00:00")
    assert (found["start"], found["end"]) == ("2027-03-01", "2027-03-02")
    assert found["summary"] == "wiki.example: certificate expires"
    assert found["description"] == "wiki.example.com"


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        ("2027-03-01T00:00:00", "2027-03-02T00:00:00", 1),
        ("2027-03-01T23:59:00", "2027-03-01T23:59:59", 1),
        ("2027-02-28T00:00:00", "2027-03-01T00:00:00", 0),
        ("2027-03-02T00:00:00", "2027-03-03T00:00:00", 0),
        ("2027-02-28T00:00:00", "2027-03-01T00:00:01", 1),
    ],
)
async def test_only_days_that_are_asked_for_are_shown(
    home: Home, start: str, end: str, shown: int
) -> None:
    put_certificate(home.agent, "2027-03-01T20:00:00Z")
    answer(home.agent)
    await home.becomes("binary_sensor", "certificate:wiki.example-443:problem", "off")
    assert len(await events(home, start, end)) == shown


async def test_windows_keep_their_moments_over_the_change_of_summer_time(home: Home) -> None:
    answer(
        home.agent,
        occurrence("2027-03-14T09:30:00Z", "2027-03-14T10:30:00Z"),
        occurrence("2027-11-07T08:30:00Z", "2027-11-07T09:30:00Z"),
    )
    found = await events(home, "2027-01-01T00:00:00", "2028-01-01T00:00:00")
    assert [(one["start"], one["end"]) for one in found] == [
        ("2027-03-14T01:30:00-08:00", "2027-03-14T03:30:00-07:00"),
        ("2027-11-07T01:30:00-07:00", "2027-11-07T01:30:00-08:00"),
    ]
    (asked,) = [one.query for one in home.agent.seen if one.path == "/maintenance/occurrences"]
    assert datetime.fromisoformat(asked["since"]) == datetime.fromisoformat("2027-01-01T08:00:00Z")


async def test_what_comes_first_is_shown_first(home: Home) -> None:
    put_certificate(home.agent, "2027-03-02T20:00:00Z")
    put_certificate(home.agent, None, "unread-443")
    answer(
        home.agent,
        occurrence("2027-03-03T09:00:00Z", "2027-03-03T10:00:00Z"),
        occurrence("2027-03-01T09:00:00Z", "2027-03-01T10:00:00Z", "Move"),
    )
    await home.becomes("binary_sensor", "certificate:wiki.example-443:problem", "off")
    found = await events(home, "2027-03-01T00:00:00", "2027-04-01T00:00:00")
    assert [one["summary"] for one in found] == [
        "Move",
        "wiki.example: certificate expires",
        "Backup",
    ]


async def test_an_agent_that_does_not_answer_is_no_empty_calendar(home: Home) -> None:
    refusal = Answer(wire.problem(503, "unavailable", "Not now."), 503)
    home.agent.answers[OCCURRENCES] = refusal
    with pytest.raises(HomeAssistantError, match="Not now"):
        await events(home, "2027-03-01T00:00:00", "2027-04-01T00:00:00")


def window(name: str, begins_in: timedelta, ends_in: timedelta) -> dict[str, Any]:
    """Return a window that opens and closes so long from now."""
    now = dt_util.utcnow()
    return wire_services.maintenance_window(
        name,
        next_from=(now + begins_in).isoformat(),
        next_until=(now + ends_in).isoformat(),
    )


async def test_a_window_that_is_open_is_on_and_the_next_one_is_announced(home: Home) -> None:
    def message() -> Any:
        return home.state("calendar", "calendar").attributes.get("message")

    hour = timedelta(hours=1)
    assert home.state("calendar", "calendar").state == "off"
    assert message() is None
    put_certificate(home.agent, "2020-02-01T09:00:00Z")
    past = wire_services.maintenance_window("Past", next_from=None, next_until=None)
    home.agent.put("maintenance_window", "past", past)
    home.agent.put("maintenance_window", "move", window("Move", 2 * hour, 3 * hour))
    home.agent.put("maintenance_window", "backup", window("Backup", hour, 2 * hour))
    await until(lambda: message() == "Backup", "the next window")
    assert home.state("calendar", "calendar").state == "off"
    home.agent.put("maintenance_window", "backup", window("Backup", -hour, hour))
    await home.becomes("calendar", "calendar", "on")
    home.agent.remove("maintenance_window", "backup")
    await until(lambda: message() == "Move", "the window after it")
    assert home.state("calendar", "calendar").state == "off"


async def test_a_calendar_is_not_there_while_the_agent_is_away(home: Home) -> None:
    await home.agent.stop()
    await home.becomes("calendar", "calendar", "unavailable")


async def test_expiries_are_told_in_the_language_of_the_home(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    hass.config.language = "de"
    put_certificate(agent, "2027-03-02T20:00:00Z")
    answer(agent)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    home = Home(hass, agent, entry)
    (found,) = await events(home, "2027-03-01T00:00:00", "2027-04-01T00:00:00")
    assert found["summary"] == "wiki.example: Zertifikat läuft ab"
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


def put_kept(agent: FakeAgent, **changes: Any) -> None:
    """Let the agent keep a certificate valid."""
    kept = wire_domains.managed_certificate(**changes)
    agent.put("managed_certificate", kept["key"], kept)


async def test_a_kept_certificate_is_renewed_and_would_end(home: Home) -> None:
    put_kept(home.agent, renew_at="2027-01-18T20:00:00Z", expires_at="2027-02-18T20:00:00Z")
    answer(home.agent)
    await home.settled()
    renewal, end = await events(home, "2027-01-01T00:00:00", "2027-04-01T00:00:00")
    assert (renewal["start"], renewal["end"]) == ("2027-01-18", "2027-01-19")
    assert renewal["summary"] == "photos.example.org: certificate is renewed"
    assert (end["start"], end["summary"]) == (
        "2027-02-18",
        "photos.example.org: certificate expires",
    )
    put_kept(home.agent, renew_at=None, expires_at=None)
    await home.settled()
    assert not await events(home, "2027-01-01T00:00:00", "2027-04-01T00:00:00")


async def test_a_kept_certificate_that_is_watched_too_ends_once(home: Home) -> None:
    put_kept(home.agent, renew_at=None, fingerprint_sha256="aa" * 32)
    put_certificate(home.agent, "2027-02-18T20:00:00Z")
    answer(home.agent)
    await home.settled()
    (end,) = await events(home, "2027-01-01T00:00:00", "2027-04-01T00:00:00")
    assert end["summary"] == "wiki.example: certificate expires"
