"""Made up pasts of file systems, as the history would have kept them."""

from collections.abc import Callable
from random import Random

from homelab_agent.platform.history.series import DAY_S, HOUR_S, Point

GB = 1e9
SIZE = 500 * GB
BEGAN_S = 1_790_000_000.0
LOOK_S = 600.0

type Use = Callable[[float], float]
"""Bytes used after so many days."""


def available(
    use: Use, days: float, *, size: float = SIZE, away: tuple[float, float] = (0.0, 0.0)
) -> tuple[list[Point], float]:
    """Return what was left, and the time now. The agent was away between two days.

    Looked at every ten minutes; of what is older the fullest moment of each hour, then day.
    """
    now_s = days * DAY_S
    looks = (look * LOOK_S for look in range(int(now_s / LOOK_S) + 1))
    fullest: dict[float, tuple[float, float]] = {}
    for at_s in looks:
        if away[0] <= at_s / DAY_S < away[1]:
            continue
        age_s = now_s - at_s
        every_s = LOOK_S if age_s < 2 * DAY_S else HOUR_S if age_s < 60 * DAY_S else DAY_S
        used = min(size, use(at_s / DAY_S))
        fullest[at_s // every_s * every_s] = max(
            fullest.get(at_s // every_s * every_s, (-1.0, 0.0)), (used, at_s)
        )
    points = [Point(BEGAN_S + at_s, size - used) for used, at_s in fullest.values()]
    return sorted(points), BEGAN_S + now_s


def full_after(use: Use, now: float, *, size: float = SIZE) -> float:
    """Return after how many days from now it is full."""
    day = now
    while use(day) < size:
        day += 1 / 24
    return day - now


def growing(per_day: float, *, start: float = 200 * GB) -> Use:
    """Use that grows evenly."""
    return lambda day: start + per_day * day


def noisy(use: Use, sigma: float, seed: int) -> Use:
    """The same with chance added."""
    dice = Random(seed)  # noqa: S311 - nothing secret is drawn
    return lambda day: use(day) + dice.gauss(0, sigma)


def with_teeth(use: Use, height: float, *, every_days: float = 1.0) -> Use:
    """The same with what comes bit by bit, and goes at once, again and again."""
    return lambda day: use(day) + height * (day / every_days % 1)


def with_backups(use: Use, size: float) -> Use:
    """The same with something large between 3 and 5 every night."""
    return lambda day: use(day) + (size if 3 / 24 <= day % 1 < 5 / 24 else 0)
