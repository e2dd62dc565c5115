"""Heat and traffic far above the usual; neither for one odd look nor for every evening."""

import math

import pytest

from homelab_agent.areas.insight.kept import RECEIVED, TEMPERATURE
from homelab_agent.areas.insight.models import FindingSeverity
from tests.unit.agent.areas.insight.conftest import Homelab

HOUR_S = 3600.0
MB = 1_000_000
HOT_DISK = "temperature_unusual:disk"


def daily(days: int, low: float, high: float) -> list[float]:
    """Return hours of days that are all alike, up to now."""
    return [
        low + (high - low) * (1 + math.sin(hour / 24 * math.tau)) / 2 + hour % 3
        for hour in range(days * 24)
    ]


async def test_a_sensor_above_its_limit_is_told_without_any_past(homelab: Homelab) -> None:
    homelab.have_sensor("cpu", 91.0, high=80.0, critical=100.0)
    await homelab.look(3)
    finding = homelab.findings["temperature_unusual:cpu"]
    assert finding.severity is FindingSeverity.WARNING
    assert finding.message == "cpu is at 91 °C, its limit is 80 °C."
    homelab.have_sensor("cpu", 101.0, high=80.0, critical=100.0)
    await homelab.look(2)
    assert homelab.findings["temperature_unusual:cpu"].severity is FindingSeverity.CRITICAL
    homelab.have_sensor("cpu", 78.5, high=80.0, critical=100.0)
    await homelab.look(5)
    assert "temperature_unusual:cpu" in homelab.findings
    homelab.have_sensor("cpu", 70.0, high=80.0, critical=100.0)
    await homelab.look(5)
    assert homelab.findings == {}


async def test_a_short_peak_is_nothing(homelab: Homelab) -> None:
    for value in (60.0, 95.0, 60.0, 60.0, 95.0, 60.0):
        homelab.have_sensor("cpu", value, high=80.0)
        await homelab.look()
        assert homelab.findings == {}


@pytest.mark.parametrize("limit", [0.0, 5.0, 65261.85])
async def test_a_limit_that_means_nothing_is_not_one(homelab: Homelab, limit: float) -> None:
    homelab.have_sensor("nvme", 45.0, high=limit, critical=limit)
    await homelab.look(4)
    assert homelab.findings == {}


async def test_a_room_that_became_hot_is_told_by_the_usual_at_this_time(homelab: Homelab) -> None:
    homelab.past(TEMPERATURE, "disk", daily(10, 34, 40), HOUR_S)
    homelab.have_sensor("disk", 58.0)
    await homelab.look(3)
    finding = homelab.findings["temperature_unusual:disk"]
    assert finding.severity is FindingSeverity.NOTICE
    facts = {fact.name: fact.value for fact in finding.evidence}
    assert 33 < float(facts["usual"]) < 43
    homelab.have_sensor("disk", 38.0)
    await homelab.look(5)
    assert homelab.findings == {}


async def test_an_afternoon_as_hot_as_every_afternoon_is_usual(homelab: Homelab) -> None:
    homelab.past(TEMPERATURE, "disk", daily(10, 30, 60), HOUR_S)
    homelab.have_sensor("disk", 61.0)
    await homelab.look(6)
    assert homelab.findings == {}


async def test_a_night_far_above_all_nights_is_unusual_although_afternoons_are_as_hot(
    homelab: Homelab,
) -> None:
    hours = daily(10, 30, 60)
    # It is the time of day now that was the coolest on all days.
    coolest = min(range(24), key=hours.__getitem__)
    past = hours[coolest : coolest - 24]
    homelab.past(TEMPERATURE, "disk", past, HOUR_S)
    homelab.have_sensor("disk", 64.0)
    await homelab.look(3)
    facts = {fact.name: fact.value for fact in homelab.findings[HOT_DISK].evidence}
    assert float(facts["usual"]) < 36


async def test_four_days_are_too_few_to_know_what_is_usual(homelab: Homelab) -> None:
    homelab.past(TEMPERATURE, "disk", daily(4, 30, 31), HOUR_S)
    homelab.have_sensor("disk", 62.0)
    await homelab.look(6)
    assert homelab.findings == {}


async def stream(homelab: Homelab, rate: float, looks: int) -> None:
    """Have so much traffic per second for so many looks."""
    total = homelab.total = getattr(homelab, "total", 0.0)
    for _ in range(looks):
        total += rate * 600
        homelab.have_traffic("eth0", total)
        await homelab.look()
    homelab.total = total


async def test_an_hour_of_traffic_as_never_before_is_told_until_it_ends(homelab: Homelab) -> None:
    homelab.past(RECEIVED, "eth0", [value * MB for value in daily(14, 1, 4)], HOUR_S)
    await stream(homelab, 60 * MB, 8)
    finding = homelab.findings["traffic_unusual:eth0"]
    assert finding.severity is FindingSeverity.NOTICE
    assert finding.message.startswith("eth0 receives 60 MB per second for an hour")
    await stream(homelab, 2 * MB, 4)
    assert homelab.findings == {}


async def test_half_an_hour_of_it_is_nothing(homelab: Homelab) -> None:
    homelab.past(RECEIVED, "eth0", [value * MB for value in daily(14, 1, 4)], HOUR_S)
    await stream(homelab, 2 * MB, 3)
    await stream(homelab, 60 * MB, 4)
    await stream(homelab, 2 * MB, 6)
    assert homelab.findings == {}


async def test_a_backup_in_the_first_days_is_not_unusual(homelab: Homelab) -> None:
    homelab.past(RECEIVED, "eth0", [1.0 * MB] * 24 * 5, HOUR_S)
    await stream(homelab, 90 * MB, 12)
    assert homelab.findings == {}


async def test_a_backup_that_comes_every_week_is_usual(homelab: Homelab) -> None:
    hours = [1.0 * MB] * 24 * 20
    for week in (1, 2):
        start = len(hours) - week * 7 * 24
        hours[start : start + 3] = [90.0 * MB] * 3
    homelab.past(RECEIVED, "eth0", hours, HOUR_S)
    await stream(homelab, 90 * MB, 12)
    assert homelab.findings == {}


async def test_counters_that_begin_anew_are_no_traffic(homelab: Homelab) -> None:
    homelab.past(RECEIVED, "eth0", [1.0 * MB] * 24 * 14, HOUR_S)
    await stream(homelab, 1 * MB, 8)
    assert all(
        value.value == pytest.approx(MB, rel=0.01)
        for value in homelab.history.points(RECEIVED, "eth0")
    )
