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
