"""The newest event of each container as a resource; it goes a while after the container."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from homelab_agent.areas.containers.models import (
    CONTAINER_EVENT_KIND,
    ContainerEvent,
    ContainerEventType,
)
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.resources import Resources

KEPT_AFTER_REMOVAL = timedelta(minutes=2)
MOST_REMOVED = 256
"""A host that makes and removes containers all the time is not to fill everyone's snapshot."""


class EventResources:
    """Publishes events. What is published of removed containers is bounded in time and number."""

    def __init__(self, resources: Resources, clock: Clock) -> None:
        self._resources = resources
        self._clock = clock
        self._number = 0
        self._told: set[str] = set()
        self._ending: dict[str, datetime] = {}

    def tell(
        self,
        event_type: ContainerEventType,
        key: str,
        name: str,
        at: datetime,
        exit_code: int | None = None,
    ) -> None:
        """Publish what happened; it replaces what was told of this container before."""
        # Microseconds: they grow across restarts too, and every reader of JSON can hold them.
        self._number = max(self._number + 1, int(at.timestamp() * 1_000_000))
        self._told.add(key)
        self._ending.pop(key, None)
        event = ContainerEvent(
            key=key, name=name, type=event_type, number=self._number, at=at, exit_code=exit_code
        )
        self._resources.publish(CONTAINER_EVENT_KIND, key, event)
        if event_type is ContainerEventType.REMOVED:
            self.let_go(key)

    def told(self) -> Iterable[str]:
        """Return the keys that are to stay."""
        return self._told - self._ending.keys()

    def let_go(self, key: str) -> None:
        """Have the resource of a key removed after a while."""
        if key in self._told:
            self._ending[key] = self._clock() + KEPT_AFTER_REMOVAL
            if len(self._ending) > MOST_REMOVED:
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
        self._resources.remove(CONTAINER_EVENT_KIND, key)
