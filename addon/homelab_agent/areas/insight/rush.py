"""A disk that fills within the hour: what was left on it in the last minutes, and what that means.

Whoever copies much does so for minutes, too: only what rises evenly, and fills the disk before long
if it goes on, is told.
"""

from collections import deque
from collections.abc import Collection, Sequence

from homelab_agent.areas.insight.trend import (
    Line,
    largest_rise,
    rises_all_the_time,
    theil_sen,
)
from homelab_agent.platform.history.series import HOUR_S, MINUTE_S, Point

WINDOWS_S = (15 * MINUTE_S, 6 * MINUTE_S)
REMEMBERED_S = HOUR_S
WITHIN_S = HOUR_S
"""What is further away is told by hours and days."""

REACH = 5.0
"""How many times the time that it rests on it may reach."""

_LEAST_APART_S = 20.0
_LEAST = 0.01
"""Of the size: less is no rush."""

_OTHER_SIZE = 0.02
_MORE_THAN_USUAL = 1.2
_OVER_S = 2 * HOUR_S
"""What is so old is the past, and no part of what goes on now."""


class Minutes:
    """What was left on file systems in the last hour. Only in memory."""

    def __init__(self) -> None:
        self._points: dict[str, deque[Point]] = {}
        self._sizes: dict[str, float] = {}

    def note(self, key: str, available: float, size: float, at_s: float) -> None:
        """Note what is left now; another size begins anew."""
        if abs(size - self._sizes.get(key, size)) > _OTHER_SIZE * size:
            self._points.pop(key, None)
        self._sizes[key] = size
        points = self._points.setdefault(key, deque())
        if points and at_s - points[-1].at_s < _LEAST_APART_S:
            return
        points.append(Point(at_s, available))
        while at_s - points[0].at_s > REMEMBERED_S:
            points.popleft()

    def of(self, key: str) -> tuple[Point, ...]:
        """Return what is known, oldest first."""
        return tuple(self._points.get(key, ()))

    def keep(self, keys: Collection[str]) -> None:
        """Forget all other file systems."""
        for key in self._points.keys() - keys:
            del self._points[key], self._sizes[key]


def rush(minutes: Sequence[Point], size: float, now_s: float) -> Sequence[Point]:
    """Return the use of the last minutes where it fills the disk within the hour, else nothing."""
    for window_s in WINDOWS_S:
        use = [Point(each.at_s, -each.value) for each in minutes if now_s - each.at_s <= window_s]
        if not rises_all_the_time(use, window_s) or use[-1].value - use[0].value < _LEAST * size:
            continue
        if seconds_left(use, theil_sen(use)) <= min(WITHIN_S, REACH * window_s):
            return use
    return ()


def seconds_left(use: Sequence[Point], line: Line) -> float:
    """Return how long it takes until nothing is left."""
    return max(0.0, -use[-1].value) / line.slope if line.slope > 0 else float("inf")


def is_usual(minutes: Sequence[Point], available: Sequence[Point], now_s: float) -> bool:
    """Return whether as much came within an hour before, and ended: a backup, as every night."""
    old = [Point(each.at_s, -each.value) for each in available if now_s - each.at_s > _OVER_S]
    risen = largest_rise([Point(each.at_s, -each.value) for each in minutes], REMEMBERED_S)
    # Of long ago there is one point an hour.
    return risen <= _MORE_THAN_USUAL * largest_rise(old, _OVER_S)
