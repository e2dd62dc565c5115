"""Which containers end by themselves again and again."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

ENDS = 3
WINDOW = timedelta(minutes=10)
"""So many ends within that time are a loop; as long without one, and it is over."""


class RestartLoops:
    """Counts ends by container key. Holds only what ended within the window."""

    def __init__(self) -> None:
        self._ends: dict[str, deque[datetime]] = {}
        self._looping: set[str] = set()

    def ended(self, key: str, now: datetime, times: int = 1) -> bool:
        """Count ends by itself; return whether the container is in a loop now."""
        ends = self._ends.setdefault(key, deque(maxlen=ENDS))
        ends.extend([now] * min(times, ENDS))
        if len(ends) == ENDS and now - ends[0] < WINDOW:
            self._looping.add(key)
        return key in self._looping

    def forget(self, key: str) -> None:
        """Begin anew with a container: somebody stopped it, or it is gone."""
        self._ends.pop(key, None)
        self._looping.discard(key)

    def calmed(self, now: datetime) -> Iterable[str]:
        """Forget and return those that have been calm for long enough."""
        calm = [key for key, ends in self._ends.items() if now - ends[-1] >= WINDOW]
        looped = [key for key in calm if key in self._looping]
        for key in calm:
            self.forget(key)
        return looped

    def next_calm(self) -> datetime | None:
        """Return when the next one will have been calm for long enough, None where none loops."""
        ends = [ends[-1] for ends in self._ends.values()]
        return min(ends) + WINDOW if ends else None
