"""The newest event of each thing as a resource; it goes a while after the thing itself.

A resource per thing, and not one for all: two events in one tick are both told.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources

KEPT_AFTER_END = timedelta(minutes=2)
MOST_ENDED = 256
"""A host where things come and go all the time is not to fill everyone's snapshot."""


class NewestEvents:
    """Publishes events under `(kind, key)`. What stays of things that are gone is bounded."""

    def __init__(self, resources: Resources, kind: str, clock: Clock) -> None:
        self._resources = resources
        self._kind = kind
        self._clock = clock
        self._number = 0
        self._told: set[str] = set()
        self._ending: dict[str, datetime] = {}

    def tell(self, key: str, at: datetime, make: Callable[[int], Model]) -> None:
        """Publish what `make` returns for the event's number, in place of the event before it.

        Numbers grow with every event of this kind, also across restarts.
        """
        number = self.next_number(at)
        self.show(key, number, make(number))

    def next_number(self, at: datetime) -> int:
        """Return the number of the next event, for who stores it before it is shown."""
        # Microseconds: every reader of JSON can hold them.
        self._number = max(self._number + 1, int(at.timestamp() * 1_000_000))
        return self._number

    def show(self, key: str, number: int, event: Model) -> None:
        """Publish an event that has its number already, in place of the event before it."""
        self._number = max(self._number, number)
        self._told.add(key)
        self._ending.pop(key, None)
        self._resources.publish(self._kind, key, event)

    def told(self) -> Iterable[str]:
        """Return the keys that are to stay."""
        return self._told - self._ending.keys()

    def let_go(self, key: str) -> None:
        """Have the resource of a key removed after a while."""
        if key in self._told:
            self._ending[key] = self._clock() + KEPT_AFTER_END
            if len(self._ending) > MOST_ENDED:
                self._remove(next(iter(self._ending)))

    def remove_due(self, now: datetime) -> None:
        """Remove the resources whose time has come."""
        for key in [key for key, due in self._ending.items() if due <= now]:
            self._remove(key)

    def next_due(self) -> datetime | None:
        """Return when the next one is to be removed."""
        return min(self._ending.values(), default=None)

    def _remove(self, key: str) -> None:
        del self._ending[key]
        self._told.discard(key)
        self._resources.remove(self._kind, key)
