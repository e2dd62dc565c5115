"""When a disk is full: right within a tolerance, or an honest word on why nobody can know."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelab_agent.areas.insight.forecast import HORIZON, MOST_DAYS, Outlook, look_ahead
from homelab_agent.platform.history.series import DAY_S, HOUR_S, Point
from tests.fakes.disk_pasts import (
    GB,
    SIZE,
    Use,
    available,
    full_after,
    growing,
    noisy,
    with_backups,
    with_teeth,
)


def outlook(use: Use, days: float, **options: tuple[float, float]) -> Outlook:
    points, now_s = available(use, days, **options)
    return look_ahead(points, SIZE, now_s)


def require_sane(seen: Outlook, points: Sequence[Point], now_s: float) -> None:
    """Never negative, never further than the time it rests on allows, always with a reason."""
    assert (seen.days is None) == (seen.reason is not None)
    if not points:
        return
    assert seen.observed is not None
    assert points[0].at_s <= seen.observed[0] <= seen.observed[1] <= now_s
    assert 0 < seen.samples <= len(points)
    if seen.days is not None:
        horizon_days = HORIZON * (now_s - seen.observed[0]) / DAY_S
        assert 0 <= seen.days <= min(horizon_days + 1, MOST_DAYS)
        assert seen.growth_per_day is not None
        assert seen.growth_per_day > 0


FILLING: dict[str, tuple[Use, float]] = {
    "even": (growing(5 * GB), 30),
    "soon": (growing(10 * GB), 25),
    "long": (growing(2 * GB), 90),
    "fast": (growing(100 * GB), 1.5),
    "slow": (growing(0.8 * GB), 200),
    "noise": (noisy(growing(5 * GB), 1 * GB, 1), 30),
    "more noise": (noisy(growing(3 * GB), 2 * GB, 2), 60),
    "every night": (with_teeth(growing(5 * GB), 20 * GB), 30),
    "every week": (with_teeth(growing(4 * GB), 30 * GB, every_days=7), 60),
    "backups": (with_backups(growing(5 * GB), 40 * GB), 30),
    "bursts": (lambda day: 200 * GB + 10 * GB * (day // 7 + 1), 90),
}


@pytest.mark.parametrize(("use", "days"), FILLING.values(), ids=FILLING)
def test_a_disk_that_fills_up_is_told_in_time(use: Use, days: float) -> None:
    seen = outlook(use, days)
    assert seen.days == pytest.approx(full_after(use, days), rel=0.15, abs=2.0), seen


@pytest.mark.parametrize(
    "use",
    [
        lambda _: 200 * GB,
        noisy(growing(0), 2 * GB, 3),
        with_teeth(growing(0), 40 * GB),
        with_teeth(growing(0), 40 * GB, every_days=7),
        with_backups(growing(0), 100 * GB),
        growing(-2 * GB, start=400 * GB),
    ],
    ids=["still", "noise", "every night", "every week", "backups", "shrinks"],
)
def test_what_comes_and_goes_is_no_growth(use: Use) -> None:
    seen = outlook(use, 40)
    assert seen.days is None
    assert seen.reason == "It does not grow."


@pytest.mark.parametrize("days", [0.05, 0.3, 0.9])
def test_before_a_day_is_over_nobody_knows_what_the_night_brings(days: float) -> None:
    seen = outlook(growing(100 * GB), days)
    assert seen.days is None
    assert seen.reason is not None
    assert "a day is needed" in seen.reason


def test_two_days_with_a_backup_in_them_are_too_few() -> None:
    seen = outlook(with_teeth(growing(1 * GB), 100 * GB), 2)
    assert seen.days is None
    assert seen.reason is not None
    assert "4 days are needed" in seen.reason


def test_what_is_further_away_than_can_be_seen_is_said_to_be_so() -> None:
    seen = outlook(growing(1 * GB), 20)
    assert (seen.days, seen.reason) == (None, "Not within the next 90 days.")
    assert seen.growth_per_day == pytest.approx(1 * GB, rel=0.01)


def test_pure_chance_is_called_so_and_not_growth() -> None:
    seen = outlook(noisy(growing(0, start=440 * GB), 40 * GB, 7), 6)
    assert seen.days is None


@pytest.mark.parametrize("seed", range(8))
def test_a_random_walk_gives_no_absurd_date(seed: int) -> None:
    walk = noisy(growing(0), 1 * GB, seed)
    total = [200 * GB]

    def use(day: float) -> float:
        total[0] += walk(day) - 200 * GB
        return min(SIZE * 0.9, max(0.0, total[0]))

    points, now_s = available(use, 30)
    require_sane(look_ahead(points, SIZE, now_s), points, now_s)


def test_a_disk_that_was_cleaned_up_is_observed_anew() -> None:
    def use(day: float) -> float:
        return 200 * GB + 5 * GB * day - (120 * GB if day >= 30 else 0)

    before, after = outlook(use, 29.9), outlook(use, 30.1)
    assert before.days == pytest.approx(30, abs=1)
    assert after.days is None
    assert after.reason is not None
    assert "Too little is known yet" in after.reason
    # And the growth is found again soon.
    assert outlook(use, 36).growth_per_day == pytest.approx(5 * GB, rel=0.1)


def test_a_disk_that_was_made_larger_is_observed_anew() -> None:
    points, now_s = available(growing(10 * GB, start=0), 30)
    grown = [
        Point(point.at_s, point.value + (300 * GB if now_s - point.at_s < HOUR_S else 0))
        for point in points
    ]
    seen = look_ahead(grown, SIZE + 300 * GB, now_s)
    assert seen.days is None
    assert seen.observed is not None
    assert now_s - seen.observed[0] <= HOUR_S


def test_the_nights_prune_is_no_clean_up_to_begin_anew_after() -> None:
    seen = outlook(with_teeth(growing(5 * GB), 60 * GB), 30.1)
    assert seen.observed is not None
    assert seen.days == pytest.approx((300 - 60 - 150) / 5, rel=0.1)


def test_growth_that_became_faster_counts_more_than_what_was_before() -> None:
    def use(day: float) -> float:
        return 100 * GB + 0.5 * GB * day + 12 * GB * max(0.0, day - 50)

    seen = outlook(use, 60)
    left = SIZE - use(60)
    assert seen.days == pytest.approx(left / (12.5 * GB), rel=0.1)


def test_growth_that_ended_is_no_growth() -> None:
    seen = outlook(lambda day: 100 * GB + 8 * GB * min(day, 20), 40)
    assert (seen.days, seen.reason) == (None, "It does not grow.")


@pytest.mark.parametrize("hours", [5, 8, 20])
def test_something_that_runs_away_is_told_within_hours(hours: float) -> None:
    def use(day: float) -> float:
        base = with_teeth(growing(0.3 * GB), 10 * GB)(day)
        return base + 12 * GB * max(0.0, (day - 20) * 24)

    seen = outlook(use, 20 + hours / 24)
    left = SIZE - use(20 + hours / 24)
    assert seen.days is not None, seen
    assert seen.days * 24 == pytest.approx(left / (12 * GB), rel=0.2)


def test_a_gap_of_a_week_changes_nothing() -> None:
    seen = outlook(growing(5 * GB), 30, away=(10, 17))
    assert seen.days == pytest.approx(30, rel=0.05)


def test_a_full_disk_is_full_now() -> None:
    seen = outlook(growing(10 * GB), 31)
    assert seen.days == 0


grown = st.floats(0.2, 40).map(lambda per_day: per_day * GB)
seeds = st.integers(0, 10_000)


@settings(deadline=None, max_examples=60)
@given(
    per_day=grown,
    start=st.floats(0.05, 0.6),
    days=st.floats(5, 120),
    sigma=st.floats(0, 0.4),
    tooth=st.floats(0, 3),
    gap=st.floats(0, 0.4),
    seed=seeds,
)
def test_the_answer_is_close_to_the_truth_or_none(
    per_day: float,
    start: float,
    days: float,
    sigma: float,
    tooth: float,
    gap: float,
    seed: int,
) -> None:
    """`sigma` and `tooth` as shares of what grows in a day."""
    use = noisy(growing(per_day, start=start * SIZE), sigma * per_day, seed)
    use = with_teeth(use, tooth * per_day)
    points, now_s = available(use, days, away=(days * 0.3, days * (0.3 + gap)))
    seen = look_ahead(points, SIZE, now_s)
    require_sane(seen, points, now_s)
    if seen.days is not None:
        left = SIZE * (1 - start) - per_day * (days + tooth)
        # What a few days of chance cannot tell apart is no mistake.
        doubt_days = 1.5 + (tooth + 4 * sigma)
        assert seen.days == pytest.approx(max(0.0, left / per_day), rel=0.35, abs=doubt_days)


@settings(deadline=None, max_examples=60)
@given(
    per_day=grown,
    days=st.floats(10, 90),
    left_days=st.floats(1, 10),
    sigma=st.floats(0, 0.2),
    tooth=st.floats(0, 1),
    seed=seeds,
)
def test_a_disk_that_is_full_within_days_is_never_missed(
    per_day: float, days: float, left_days: float, sigma: float, tooth: float, seed: int
) -> None:
    size = per_day * (days + left_days) * 1.2
    start = size - per_day * (days + left_days)
    use = with_teeth(noisy(growing(per_day, start=start), sigma * per_day, seed), tooth * per_day)
    points, now_s = available(use, days, size=size)
    seen = look_ahead(points, size, now_s)
    require_sane(seen, points, now_s)
    assert seen.days == pytest.approx(left_days - tooth, rel=0.35, abs=1.5)


@settings(deadline=None, max_examples=60)
@given(
    days=st.floats(4, 90),
    sigma=st.floats(0, 20).map(lambda each: each * GB),
    tooth=st.floats(0, 60).map(lambda each: each * GB),
    seed=seeds,
)
def test_what_only_goes_up_and_down_never_fills_the_disk_soon(
    days: float, sigma: float, tooth: float, seed: int
) -> None:
    use = with_teeth(noisy(growing(0), sigma, seed), tooth)
    points, now_s = available(use, days)
    seen = look_ahead(points, SIZE, now_s)
    require_sane(seen, points, now_s)
    assert seen.days is None or seen.days > 7


pasts = st.lists(
    st.tuples(st.floats(1, 5 * DAY_S), st.floats(0, SIZE, allow_subnormal=False)),
    max_size=120,
)


@settings(deadline=None, max_examples=150)
@given(past=pasts, size=st.sampled_from([1.0, 1e6, SIZE, 1e17]))
def test_no_past_at_all_makes_it_fail_or_say_something_absurd(
    past: list[tuple[float, float]], size: float
) -> None:
    points, at_s = list[Point](), 1000.0
    for step_s, share in past:
        at_s += step_s
        points.append(Point(at_s, share / SIZE * size))
    require_sane(look_ahead(points, size, at_s), points, at_s)


steps: dict[str, Callable[[float], float]] = {
    "copied": lambda day: 150 * GB if day > 25 else 0,
    "copied long ago": lambda day: 150 * GB if day > 5 else 0,
    "made room twice": lambda day: -60 * GB * ((day > 10) + (day > 25)),
}


@pytest.mark.parametrize("step", steps.values(), ids=steps)
def test_one_step_is_no_trend(step: Callable[[float], float]) -> None:
    points, now_s = available(lambda day: 250 * GB + step(day), 32)
    seen = look_ahead(points, SIZE, now_s)
    require_sane(seen, points, now_s)
    assert seen.days is None
