"""One series of numbers: fine where it is new, coarse where it is old, never more than planned."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


class Point(NamedTuple):
    """A number and when it was so, in seconds of the history's own clock."""

    at_s: float
    value: float


type Choice = Callable[[Sequence[Point]], Point]


def lowest(points: Sequence[Point]) -> Point:
    """Choose the smallest, of equals the first."""
    return min(points, key=attrgetter("value"))


def middle(points: Sequence[Point]) -> Point:
    """Choose the one in the middle by value."""
    return sorted(points, key=attrgetter("value"))[len(points) // 2]


class Tier(NamedTuple):
    """Of what is younger than `keep_s`, one point for each `every_s`."""

    every_s: float
    keep_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How series of one kind are kept. `tiers`: the finest first; `choose`: who stands for many.

    A series to which nothing came for `forget_after_s` is removed.
    """

    tiers: tuple[Tier, ...]
    choose: Choice
    forget_after_s: float

    @property
    def most_points(self) -> int:
        """How many points a series can have at most."""
        # Those that wait to be merged, the open bucket, and one on each border.
        most, young_s = self.tiers[:2][-1].every_s / self.tiers[0].every_s + 1, 0.0
        for tier in self.tiers:
            most += (tier.keep_s - young_s) / tier.every_s + 1
            young_s = tier.keep_s
        return int(most)

    def bucket(self, at_s: float, now_s: float) -> tuple[float, float] | None:
        """Return what a point shares with those it is merged with; None where it is too old."""
        for tier in self.tiers:
            if now_s - at_s < tier.keep_s:
                return (tier.every_s, at_s // tier.every_s)
        return None


@dataclass(frozen=True, slots=True)
class Closing:
    """What closing a bucket did to a series."""

    added: tuple[Point, ...] = ()
    removed: tuple[Point, ...] = ()


class Series:
    """Points by time. Those of the newest bucket are still open, and only in memory."""

    def __init__(self, plan: Plan, kept: Iterable[Point] = ()) -> None:
        self._plan = plan
        self._times = array("d")
        self._values = array("d")
        self._open: list[Point] = []
        for point in kept:
            self._append(point)

    @property
    def newest_s(self) -> float | None:
        """When the newest point was."""
        if self._open:
            return self._open[-1].at_s
        return self._times[-1] if self._times else None

    @property
    def closed_until_s(self) -> float | None:
        """When the newest point was whose bucket is over."""
        return self._times[-1] if self._times else None

    def add(self, point: Point) -> Closing:
        """Take a point that is not older than the newest."""
        closing = Closing()
        if self._open and self._is_apart(point, self._plan.tiers[0].every_s):
            closing = self._close(point)
        self._open.append(point)
        return closing

    def points(self, since_s: float = 0.0) -> list[Point]:
        """Return the points since a time, oldest first; one stands for the open bucket."""
        found = self.closed(since_s)
        if self._open and self._open[-1].at_s >= since_s:
            found.append(self._plan.choose(self._open))
        return found

    def closed(self, since_s: float = 0.0) -> list[Point]:
        """Return the points whose bucket is over."""
        first = bisect_left(self._times, since_s)
        return [*map(Point, self._times[first:], self._values[first:], strict=True)]

    def _is_apart(self, point: Point, every_s: float) -> bool:
        return self._open[0].at_s // every_s != point.at_s // every_s

    def _close(self, point: Point) -> Closing:
        # What has become old is merged when there is a bucket full of it.
        thins = self._is_apart(point, self._plan.tiers[:2][-1].every_s)
        chosen = self._plan.choose(self._open)
        self._open.clear()
        self._append(chosen)
        return Closing(added=(chosen,), removed=self._thin(point.at_s) if thins else ())

    def _thin(self, now_s: float) -> tuple[Point, ...]:
        """Merge what has become old; return what had to go."""
        count = bisect_right(self._times, now_s - self._plan.tiers[0].keep_s)
        old = [*map(Point, self._times[:count], self._values[:count], strict=True)]
        kept: list[Point] = []
        for bucket, group in groupby(old, key=lambda each: self._plan.bucket(each.at_s, now_s)):
            if bucket is not None:
                kept.append(self._plan.choose(tuple(group)))
        if len(kept) == len(old):
            return ()
        self._times[:count] = array("d", (point.at_s for point in kept))
        self._values[:count] = array("d", (point.value for point in kept))
        staying = {point.at_s for point in kept}
        return tuple(point for point in old if point.at_s not in staying)

    def _append(self, point: Point) -> None:
        self._times.append(point.at_s)
        self._values.append(point.value)
