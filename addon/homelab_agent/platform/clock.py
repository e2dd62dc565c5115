"""Time, passed in so that tests can own it."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import CLOCK_BOOTTIME, clock_gettime

type Clock = Callable[[], datetime]
type Steady = Callable[[], float]


def utc_now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(UTC)


def steady_s() -> float:
    """Return seconds that nobody can set; they also pass while the machine sleeps."""
    return clock_gettime(CLOCK_BOOTTIME)
