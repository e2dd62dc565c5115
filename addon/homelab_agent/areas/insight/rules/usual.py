"""What is usual at this time of day, from the hours of the last weeks."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from homelab_agent.platform.history.series import DAY_S, HOUR_S, Point

NEAR_S = 1.5 * HOUR_S
"""Of the same time of day are the hours so near to it."""

LEAST_DAYS = 5
"""So many days have to be known, or nothing is usual."""

_RECENT_S = 0.5 * DAY_S
"""What goes on now is not what it is compared with."""

_NORMAL = 1.4826
"""From the median deviation to the standard deviation."""


@dataclass(frozen=True, slots=True)
class Usual:
    """A robust mean and standard deviation, and what was highest at any time of day."""

    level: float
    deviation: float
    highest: float
    days: int


def usual_now(points: Sequence[Point], now_s: float) -> Usual | None:
    """Return what is usual at this time of day; None where too little is known."""
    before = [point for point in points if point.at_s < now_s - _RECENT_S]
    same = [point for point in before if _apart_s(point.at_s, now_s) <= NEAR_S]
    days = len({round((now_s - point.at_s) / DAY_S) for point in same})
    if days < LEAST_DAYS:
        return None
    level = median(point.value for point in same)
    deviation = _NORMAL * median(abs(point.value - level) for point in same)
    return Usual(level, deviation, max(point.value for point in before), days)


def _apart_s(one_s: float, other_s: float) -> float:
    """Return how far apart two times of day are."""
    apart_s = abs(one_s - other_s) % DAY_S
    return min(apart_s, DAY_S - apart_s)
