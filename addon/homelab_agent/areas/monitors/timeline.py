"""When something was: by a clock that only goes forward, and by the one on the wall.

Durations come from the first. Where the clock on the wall is set anew, what follows is placed
there, and no time is lost or counted twice for it. A machine that slept is noticed: for as long as
that was, nobody looked at anything.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from homelab_agent.platform.clock import Clock

_STEP_MS = 1000
"""By how much the two clocks may differ before it counts as set anew."""

_SLEEP_S = 2.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in milliseconds. `sleeps`: how often the machine had slept until then."""

    steady_ms: int
    wall_ms: int
    sleeps: int

    @property
    def at(self) -> datetime:
        """What the clock on the wall showed."""
        return datetime.fromtimestamp(self.wall_ms / 1000, UTC)


class Timeline:
    """Tells moments. `boot` goes on while the machine sleeps, `steady` does not."""

    def __init__(
        self,
        clock: Clock,
        steady: Callable[[], float] = time.monotonic,
        boot: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        self._clock = clock
        self._steady = steady
        self._boot = boot
        self._asleep_s = boot() - steady()
        self._sleeps = 0
        self._offset_ms: int | None = None

    def now(self) -> Moment:
        """Return this moment."""
        steady_s = self._steady()
        asleep_s = self._boot() - steady_s
        if asleep_s - self._asleep_s > _SLEEP_S:
            self._sleeps += 1
            self._asleep_s = asleep_s
        steady_ms = round(steady_s * 1000)
        offset_ms = round(self._clock().timestamp() * 1000) - steady_ms
        # Small differences are left alone: times that follow each other then fit together exactly.
        if self._offset_ms is None or abs(offset_ms - self._offset_ms) > _STEP_MS:
            self._offset_ms = offset_ms
        return Moment(steady_ms, steady_ms + self._offset_ms, self._sleeps)
