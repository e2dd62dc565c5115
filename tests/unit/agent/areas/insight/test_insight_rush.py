"""A disk that fills within the hour is told in time; what is copied and ends is not."""

from collections.abc import Callable

import pytest

from homelab_agent.areas.insight.kept import AVAILABLE
from homelab_agent.areas.insight.models import FindingSeverity
from homelab_agent.platform.history.series import HOUR_S, MINUTE_S
from tests.unit.agent.areas.insight.conftest import GB, Homelab

KEY = "/mnt/data"
FINDING = f"disk_filling:{KEY}"


async def minutes(homelab: Homelab, left: Callable[[int], float], count: int) -> None:
    """Let minutes pass, with so much left after each."""
    for minute in range(1, count + 1):
        homelab.time.pass_by(MINUTE_S)
        homelab.have_filesystem(KEY, left(minute))
        await homelab.watch.look_at_facts()


@pytest.mark.parametrize("days_known", [0, 40])
async def test_a_disk_that_fills_in_twenty_minutes_is_told_with_most_of_them_left(
    homelab: Homelab, days_known: int
) -> None:
    homelab.past(AVAILABLE, KEY, [100 * GB] * (days_known * 24), HOUR_S)
    await homelab.look()
    await minutes(homelab, lambda minute: (100 - 5 * minute) * GB, 6)
    forecast = homelab.forecast(KEY)
    assert forecast.days_until_full is not None
    assert forecast.days_until_full * 24 * 60 == pytest.approx(14, abs=1)
    assert forecast.growth_bytes_per_day == pytest.approx(5 * GB * 24 * 60, rel=0.02)
    assert homelab.findings[FINDING].severity is FindingSeverity.CRITICAL
    assert homelab.findings[FINDING].message.endswith("minutes: it grows by 300 GB an hour.")


async def test_once_it_has_stopped_nobody_is_told_any_longer(homelab: Homelab) -> None:
    await minutes(homelab, lambda minute: (100 - 5 * minute) * GB, 8)
    assert FINDING in homelab.findings
    await minutes(homelab, lambda _: 60 * GB, 10)
    assert homelab.forecast(KEY).days_until_full is None
    assert homelab.findings == {}


async def test_the_backup_of_every_night_is_not_told_although_it_fits_only_just(
    homelab: Homelab,
) -> None:
    night = [*[120 * GB] * 22, 40 * GB, 120 * GB]
    homelab.past(AVAILABLE, KEY, night * 20, HOUR_S)
    await minutes(homelab, lambda minute: (120 - 4 * minute) * GB, 20)
    assert homelab.findings == {}
    # Tonight it is more than it ever was.
    await minutes(homelab, lambda minute: max(40 - 4 * minute, 0) * GB, 7)
    assert FINDING in homelab.findings


@pytest.mark.parametrize(
    "left",
    [
        lambda minute: 400 * GB - (50 * GB if minute > 4 else 0),
        lambda minute: 400 * GB - minute * GB,
        lambda minute: (90 - 30 * (minute % 3)) * GB,
        lambda minute: (100 - 5 * min(minute, 4)) * GB,
        lambda minute: (100 + 5 * minute) * GB,
        lambda _: 0.0,
    ],
    ids=["one file", "far away", "up and down", "ended", "freed", "full"],
)
async def test_what_does_not_fill_the_disk_within_the_hour_is_not_told(
    homelab: Homelab, left: Callable[[int], float]
) -> None:
    await minutes(homelab, left, 30)
    assert FINDING not in homelab.findings


async def test_a_disk_that_was_made_larger_meanwhile_is_observed_anew(homelab: Homelab) -> None:
    await minutes(homelab, lambda minute: (100 - 5 * minute) * GB, 5)
    homelab.time.pass_by(MINUTE_S)
    homelab.have_filesystem(KEY, 570 * GB, size=1000 * GB)
    await homelab.watch.look_at_facts()
    assert homelab.findings == {}
