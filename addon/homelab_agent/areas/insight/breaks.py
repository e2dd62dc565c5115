"""Finds where an observation has to begin anew: a file system was resized, or cleaned up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import median

from homelab_agent.platform.history.series import DAY_S, HOUR_S, Point

SUDDEN_S = 2 * HOUR_S
"""A clean-up and a resize take no longer; what does is growth."""

MATTERS = 0.05
"""Of the size: smaller moves are no reason to forget anything."""

SINGULAR = 4.0
"""So many times the next largest move in the same direction: one of a kind, not every night's."""

_SETTLED_POINTS = 2
_SETTLED_S = 6 * HOUR_S


@dataclass(frozen=True, slots=True)
class _Move:
    start: int
    end: int
    size: float


def since_last_break(points: Sequence[Point], size: float) -> Sequence[Point]:
    """Return the points after the last sudden move that is unlike all others, and that lasted."""
    while (cut := _last_break(points, size * MATTERS)) is not None:
        points = points[cut:]
    return points


def _last_break(points: Sequence[Point], least: float) -> int | None:
    found = (_break(points, least, upwards=upwards) for upwards in (True, False))
    return max((end for end in found if end is not None), default=None)


def _break(points: Sequence[Point], least: float, *, upwards: bool) -> int | None:
    """Return where the largest move in one direction ends, where it is a break."""
    moves = [*_moves(points, upwards=upwards)]
    largest = max(moves, key=attrgetter("size"), default=None)
    if largest is None or largest.size < least:
        return None
    at_s = points[largest.end].at_s
    others = (each.size for each in moves if abs(points[each.end].at_s - at_s) > DAY_S / 2)
    is_singular = largest.size >= SINGULAR * max(others, default=0.0)
    return largest.end if is_singular and _lasted(points, largest) else None


def _moves(points: Sequence[Point], *, upwards: bool) -> Iterator[_Move]:
    """Yield for each point the largest move that ends there and was sudden."""
    first, sign = 0, 1 if upwards else -1
    for end, point in enumerate(points):
        while point.at_s - points[first].at_s > SUDDEN_S:
            first += 1
        start = min(range(first, end + 1), key=lambda index: sign * points[index].value)
        size = sign * (point.value - points[start].value)
        if size > 0:
            yield _Move(start, end, size)


def _lasted(points: Sequence[Point], move: _Move) -> bool:
    """Return whether most of the move was still there a while after."""
    until_s = points[move.end].at_s + _SETTLED_S
    after = [point.value for point in points[move.end :] if point.at_s <= until_s]
    if len(after) < _SETTLED_POINTS:
        return False
    moved = median(after) - points[move.start].value
    whole = points[move.end].value - points[move.start].value
    return moved / whole > 1 / 2
