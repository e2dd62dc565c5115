"""The events of containers, as they are told."""

from datetime import datetime

from homelab_agent.areas.containers.models import (
    CONTAINER_EVENT_KIND,
    ContainerEvent,
    ContainerEventType,
)
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.newest_events import NewestEvents
from homelab_agent.platform.resources import Resources


class EventResources(NewestEvents):
    """The newest event of each container; it stays a while after the container."""

    def __init__(self, resources: Resources, clock: Clock) -> None:
        super().__init__(resources, CONTAINER_EVENT_KIND, clock)

    def tell_container(
        self,
        event_type: ContainerEventType,
        key: str,
        name: str,
        at: datetime,
        exit_code: int | None = None,
    ) -> None:
        """Publish what happened; it replaces what was told of this container before."""

        def make(number: int) -> ContainerEvent:
            return ContainerEvent(
                key=key, name=name, type=event_type, number=number, at=at, exit_code=exit_code
            )

        self.tell(key, at, make)
        if event_type is ContainerEventType.REMOVED:
            self.let_go(key)
