"""Time that a test owns."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Move on, in the words of `timedelta`."""
        self.now += timedelta(**by)


class HandTime:
    """A wall clock that anybody may set, and a steady one that nobody can."""

    def __init__(self, wall: HandClock) -> None:
        self.wall = wall
        self._steady_s = 1000.0

    def steady(self) -> float:
        """Return the steady clock's seconds."""
        return self._steady_s

    def pass_by(self, seconds: float) -> None:
        """Let time pass, as both clocks see it."""
        self._steady_s += seconds
        self.wall.advance(seconds=seconds)
