"""A leak is told, a cache is not."""

import math
from collections.abc import Callable

import pytest

from homelab_agent.areas.insight.kept import MEMORY
from homelab_agent.areas.insight.models import FindingSeverity
from tests.unit.agent.areas.insight.conftest import MIB, Homelab

HOUR_S = 3600.0

type Memory = Callable[[int], float]
"""Bytes after so many hours."""


async def live(homelab: Homelab, memory: Memory, hours: range, limit: float | None = None) -> None:
    """Let hours pass, with a look in each and the memory that is used then."""
    for hour in hours:
        homelab.have_container("web", memory(hour), limit=limit)
        await homelab.look(every_s=HOUR_S)


def leaking(hour: int) -> float:
    return (200 + 20 * hour + 6 * (hour % 3)) * MIB


async def test_a_container_that_grows_for_more_than_a_day_is_told_with_what_it_rests_on(
    homelab: Homelab,
) -> None:
    await live(homelab, leaking, range(34), 2048 * MIB)

    finding = homelab.findings["memory_leak:web"]
    assert finding.subject == "web"
    assert finding.message.startswith("web may leak memory: ")
    facts = {fact.name: fact.value for fact in finding.evidence}
    assert facts["growth per hour"] == pytest.approx(20 * MIB, rel=0.1)
    hours_left = (2048 * MIB - float(facts["memory now"])) / (20 * MIB)
    assert facts["limit reached in"] == pytest.approx(hours_left, rel=0.1)


async def test_a_day_is_too_short_for_a_suspicion(homelab: Homelab) -> None:
    await live(homelab, leaking, range(25))
    assert homelab.findings == {}


async def test_a_limit_that_is_near_makes_it_a_warning(homelab: Homelab) -> None:
    await live(homelab, leaking, range(34), 1000 * MIB)
    assert homelab.findings["memory_leak:web"].severity is FindingSeverity.WARNING


@pytest.mark.parametrize(
    "memory",
    [
        lambda _: 800 * MIB,
        lambda hour: 200 * MIB + 900 * MIB * (1 - math.exp(-hour / 8)),
        lambda hour: 300 * MIB + 700 * MIB * min(1, hour / 12),
        lambda hour: 300 * MIB + (600 * MIB if hour % 24 in range(2, 6) else 0),
        lambda hour: 300 * MIB + 200 * MIB * (hour % 24) / 24,
        lambda hour: (300 + 0.5 * hour) * MIB,
        lambda hour: 300 * MIB + (500 * MIB if hour > 20 else 0),
        lambda hour: (300 + 20 * hour - (150 if hour % 10 == 9 else 0)) * MIB,
    ],
    ids=[
        "still",
        "saturates",
        "warms up",
        "job at night",
        "daily",
        "tiny",
        "one step",
        "gives back now and then",
    ],
)
async def test_what_saturates_comes_and_goes_or_is_small_is_no_leak(
    homelab: Homelab, memory: Memory
) -> None:
    for hour in range(72):
        homelab.have_container("web", memory(hour))
        await homelab.look(every_s=HOUR_S)
        assert homelab.findings == {}, hour


async def test_a_leak_that_begins_after_weeks_of_calm_is_told(homelab: Homelab) -> None:
    homelab.past(MEMORY, "web", [300.0 * MIB] * 480, HOUR_S)
    await live(homelab, lambda hour: (300 + 25 * hour) * MIB, range(34))
    assert "memory_leak:web" in homelab.findings


async def test_a_restart_of_the_container_ends_the_suspicion(homelab: Homelab) -> None:
    await live(homelab, leaking, range(34))
    assert "memory_leak:web" in homelab.findings
    homelab.have_container("web", 200 * MIB, started_at=homelab.time.wall.now)
    await homelab.look(4, every_s=HOUR_S)
    assert homelab.findings == {}
    assert len(homelab.history.points(MEMORY, "web")) == 4


async def test_a_restart_while_the_agent_was_away_is_noticed_too(homelab: Homelab) -> None:
    await live(homelab, leaking, range(30))
    homelab.time.pass_by(2 * HOUR_S)
    homelab.have_container("web", 210 * MIB, started_at=homelab.time.wall.now)
    homelab.time.pass_by(HOUR_S)
    homelab.begin()
    await homelab.load()
    await homelab.look()
    assert len(homelab.history.points(MEMORY, "web")) == 1


async def test_a_restart_of_the_agent_forgets_nothing(homelab: Homelab) -> None:
    await live(homelab, leaking, range(20))
    homelab.begin()
    await homelab.load()
    await live(homelab, leaking, range(20, 34))
    assert "memory_leak:web" in homelab.findings


async def test_a_container_that_stops_is_no_longer_suspected(homelab: Homelab) -> None:
    await live(homelab, leaking, range(34))
    homelab.have_container("web", 0, state="exited")
    await homelab.look(3)
    assert homelab.findings == {}
