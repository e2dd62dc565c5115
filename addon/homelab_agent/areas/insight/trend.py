"""Which way something goes: robust lines through few points, and how far from them it strays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, pairwise
from math import ceil
from operator import attrgetter
from statistics import NormalDist, median

from homelab_agent.platform.history.series import Point

_MOST = 0.8
"""Of differences: so many are at most as large. What is rare, as one step, does not count."""

_MOST_OF_NORMAL = NormalDist().inv_cdf((1 + _MOST) / 2)
_BETWEEN_NEIGHBOURS = 1.5**0.5
"""By how much a point and the line between its neighbours differ more than the point alone."""


_STEADY = 0.2
"""Of a rise: what grows all the time falls back by less in between."""

_STEADY_POINTS = 6
_COVERED = 0.8
"""Of a time: points over less of it say nothing about the whole."""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line; `slope` is per second."""

    slope: float
    at_s: float
    level: float

    def value(self, at_s: float) -> float:
        """Return the line's height at a time."""
        return self.level + self.slope * (at_s - self.at_s)


def theil_sen(points: Sequence[Point]) -> Line:
    """Return the line whose slope is the median of all slopes between two points.

    A third of the points may be anywhere. Give at most some dozens, at two times at least: the
    work grows with their square.
    """
    slopes = [
        (later.value - earlier.value) / (later.at_s - earlier.at_s)
        for earlier, later in combinations(points, 2)
        if later.at_s > earlier.at_s
    ]
    slope, origin_s = median(slopes), points[-1].at_s
    level = median(point.value - slope * (point.at_s - origin_s) for point in points)
    return Line(slope, origin_s, level)


def most(sizes: Iterable[float]) -> float:
    """Return the size that four of five do not exceed."""
    ordered = sorted(map(abs, sizes))
    return ordered[ceil(_MOST * len(ordered)) - 1]


def noise(points: Sequence[Point]) -> float:
    """Return by how much a point differs from its neighbours, as a standard deviation.

    Neither a trend nor a few steps in it count. Needs three points.
    """
    strays = [
        mid.value - _between(before, after, mid.at_s)
        for before, mid, after in zip(points, points[1:], points[2:], strict=False)
    ]
    return most(strays) / _MOST_OF_NORMAL / _BETWEEN_NEIGHBOURS


def highest_of_blocks(points: Iterable[Point], block_s: float, now_s: float) -> list[Point]:
    """Return the highest point of each stretch of time, counted back from now; oldest first."""
    return [
        max(group, key=attrgetter("value"))
        for _, group in groupby(points, key=lambda point: (now_s - point.at_s) // block_s)
    ]


def largest_fall(points: Iterable[Point]) -> float:
    """Return the largest fall from a point to any later one."""
    highest, largest = float("-inf"), 0.0
    for point in points:
        highest = max(highest, point.value)
        largest = max(largest, highest - point.value)
    return largest


def largest_rise(points: Sequence[Point], within_s: float) -> float:
    """Return the largest rise from a point to one at most `within_s` later."""
    largest, lows = 0.0, list[Point]()
    first = 0
    for point in points:
        # `lows[first:]` rises; its first is the lowest that is still near enough.
        while len(lows) > first and lows[-1].value >= point.value:
            lows.pop()
        lows.append(point)
        while point.at_s - lows[first].at_s > within_s:
            first += 1
        largest = max(largest, point.value - lows[first].value)
    return largest


def rises_all_the_time(points: Sequence[Point], window_s: float) -> bool:
    """Return whether points go up evenly for most of a time."""
    if len(points) < _STEADY_POINTS or points[-1].at_s - points[0].at_s < window_s * _COVERED:
        return False
    rise = points[-1].value - points[0].value
    middle_s = (points[0].at_s + points[-1].at_s) / 2
    halfway = next(point.value for point in points if point.at_s >= middle_s) - points[0].value
    is_even = _STEADY * rise < halfway < (1 - _STEADY) * rise
    return is_even and largest_fall(points) <= _STEADY * rise


def longest_gap_s(points: Sequence[Point]) -> float:
    """Return the longest time between two points that follow each other."""
    return max((later.at_s - earlier.at_s for earlier, later in pairwise(points)), default=0.0)


def _between(before: Point, after: Point, at_s: float) -> float:
    share = (at_s - before.at_s) / (after.at_s - before.at_s)
    return before.value + share * (after.value - before.value)
