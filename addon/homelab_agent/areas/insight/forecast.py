"""When a file system will be full, from what was left on it before; or why nobody can know.

All times are the history's. Use is looked at as one value a day, the fullest moment: what comes
every night and goes again, as backups and rotated logs, is then no growth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from homelab_agent.areas.insight.breaks import since_last_break
from homelab_agent.areas.insight.rush import is_usual, rush, seconds_left
from homelab_agent.areas.insight.trend import (
    Line,
    highest_of_blocks,
    largest_rise,
    most,
    noise,
    rises_all_the_time,
    theil_sen,
)
from homelab_agent.platform.amounts import time_text
from homelab_agent.platform.history.series import DAY_S, HOUR_S, Point

LEAST_S = DAY_S
"""Before a whole day was seen nothing is said: what every night brings is not known."""

SETTLED_S = 4 * DAY_S
"""From here on days are compared; before, only use that grows all the time is believed."""

HORIZON = 5.0
"""How many times the time that it rests on a forecast may reach."""

MOST_DAYS = 730.0
_MANY_DAYS = 30
MOST_BLOCKS = 60
"""The work grows with the square of it."""

_LEAST_BLOCKS = 4
_SHORT_BLOCKS = 12
_SHRINK = 0.75
_CERTAIN = 3.0
"""Standard deviations."""

_STRAYING = 2.0
_IMMATERIAL = 0.05
"""Of the growth: straying so little moves no date by more than a person would care for."""

_SIZE_NOISE = 0.0002
"""Of the size: less than this is never a trend."""

_SURGE_WINDOWS_S = (DAY_S, 6 * HOUR_S)
_SURGE = 2.0
"""So many times what the same time ever brought before is no longer the old behaviour."""

_SURGE_LEAST = 0.01


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be said. `days` is None where `reason` says why."""

    days: float | None
    reason: str | None
    growth_per_day: float | None
    observed: tuple[float, float] | None
    samples: int


@dataclass(frozen=True, slots=True)
class _Trend:
    """A line and what it rests on; `error` is what its slope may be off, per second."""

    line: Line
    error: float
    since_s: float


def look_ahead(
    available: Sequence[Point], size: float, now_s: float, minutes: Sequence[Point] = ()
) -> Outlook:
    """Return when nothing will be left; `available`, oldest first, and `size` in bytes.

    `minutes` are the points of the last hour: of the past fewer are kept.
    """
    hurried = rush(minutes, size, now_s)
    if hurried and not is_usual(minutes, available, now_s):
        return _within_the_hour(hurried)
    if not available:
        return Outlook(None, "Nothing is known about it yet.", None, None, 0)
    use = [Point(point.at_s, -point.value) for point in available]
    surge = _surge(use, size, now_s)
    if surge is not None:
        return _outlook(use, surge, now_s)
    use = list(since_last_break(use, size))
    seen_s = now_s - use[0].at_s
    if seen_s < LEAST_S:
        return _unknown(use, f"Too little is known yet: {time_text(seen_s)}, a day is needed.")
    if seen_s < SETTLED_S:
        trend = _steady_trend(use, size, seen_s, now_s)
        needed = f"{SETTLED_S / DAY_S:.0f} days are needed where it goes up and down"
        why = f"Too little is known yet: {time_text(seen_s)}, {needed}."
    else:
        trend = _daily_trend(use, size, seen_s, now_s)
        why = "It goes up and down too much to tell."
    return _unknown(use, why) if trend is None else _outlook(use, trend, now_s)


def _within_the_hour(use: Sequence[Point]) -> Outlook:
    line = theil_sen(use)
    observed = (use[0].at_s, use[-1].at_s)
    days = seconds_left(use, line) / DAY_S
    return Outlook(days, None, line.slope * DAY_S, observed, len(use))


def _outlook(use: Sequence[Point], trend: _Trend, now_s: float) -> Outlook:
    """Say what a trend means; one that may as well be none means nothing."""
    used = [point for point in use if point.at_s >= trend.since_s]
    slope, certain = trend.line.slope, _CERTAIN * trend.error
    horizon_s = min(HORIZON * (now_s - trend.since_s), MOST_DAYS * DAY_S)
    # The highest moment of a day is what gets full first.
    left = max(0.0, min(-use[-1].value, -trend.line.value(now_s)))
    if slope <= certain:
        grows_unseen = left < (slope + certain) * horizon_s
        why = "It goes up and down too much to tell." if grows_unseen else "It does not grow."
        return _unknown(used, why, None if grows_unseen else slope * DAY_S)
    if left > slope * horizon_s:
        days = horizon_s // DAY_S
        # In tens, so that it is not told anew every day.
        days -= days % 10 if days > _MANY_DAYS else 0
        return _unknown(used, f"Not within the next {days:.0f} days.", slope * DAY_S)
    observed = (used[0].at_s, used[-1].at_s)
    return Outlook(left / slope / DAY_S, None, slope * DAY_S, observed, len(used))


def _unknown(use: Sequence[Point], reason: str, growth_per_day: float | None = None) -> Outlook:
    return Outlook(None, reason, growth_per_day, (use[0].at_s, use[-1].at_s), len(use))


def _surge(use: Sequence[Point], size: float, now_s: float) -> _Trend | None:
    """Return the trend of the last hours where they are unlike all that was before."""
    old = [point for point in use if point.at_s < now_s - SETTLED_S]
    if not old or old[-1].at_s - old[0].at_s < SETTLED_S:
        return None
    for window_s in _SURGE_WINDOWS_S:
        recent = [point for point in use if point.at_s >= now_s - window_s]
        if not rises_all_the_time(recent, window_s):
            continue
        rise = recent[-1].value - recent[0].value
        known = max(_SURGE * largest_rise(old, window_s), _SURGE_LEAST * size)
        line = theil_sen(highest_of_blocks(recent, window_s / _SHORT_BLOCKS, now_s))
        if rise > known and -recent[-1].value < line.slope * HORIZON * window_s:
            return _Trend(line, 0.0, recent[0].at_s)
    return None


def _steady_trend(use: Sequence[Point], size: float, seen_s: float, now_s: float) -> _Trend | None:
    """Return the trend of a short time, only where use rose all of it or was as good as still."""
    blocks = highest_of_blocks(use, seen_s / _SHORT_BLOCKS, now_s)
    span = max(point.value for point in use) - min(point.value for point in use)
    is_still = span <= _SIZE_NOISE * size
    if len(blocks) < _LEAST_BLOCKS or not (is_still or rises_all_the_time(use, seen_s)):
        return None
    return _trend(blocks, size)


def _daily_trend(use: Sequence[Point], size: float, seen_s: float, now_s: float) -> _Trend | None:
    """Return the trend of the longest time up to now that one line explains."""
    window_s = seen_s
    while window_s >= (_LEAST_BLOCKS - 1) * DAY_S:
        points = [point for point in use if point.at_s >= now_s - window_s]
        block_s = max(DAY_S, window_s / MOST_BLOCKS)
        blocks = highest_of_blocks(points, block_s, now_s)
        if len(blocks) >= _LEAST_BLOCKS:
            trend = _trend(blocks, size)
            if trend is not None:
                return trend
        window_s *= _SHRINK
    return None


def _trend(blocks: Sequence[Point], size: float) -> _Trend | None:
    """Return the line through the blocks; None where they stray from it more than by chance."""
    line = theil_sen(blocks)
    strays = [block.value - line.value(block.at_s) for block in blocks]
    usual = max(noise(blocks), _SIZE_NOISE * size)
    last, grown = strays[-3:], abs(line.slope) * (blocks[-1].at_s - blocks[0].at_s)
    allowed = max(_STRAYING * usual, _IMMATERIAL * grown)
    if most(strays) > allowed or abs(sum(last)) / len(last) > allowed:
        return None
    span_s, count = blocks[-1].at_s - blocks[0].at_s, len(blocks)
    error = usual / span_s * (12 * (count - 1) / (count * (count + 1))) ** 0.5
    return _Trend(line, error, blocks[0].at_s)
