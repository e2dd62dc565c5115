"""What automations are told of, and what watches for it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.signal_type import SignalType

from .client import Kind
from .coordinator import HomelabCoordinator
from .listeners import AnyEvent
from .mirror import Before, ResourceId
from .subjects import Subject


class HappeningType(StrEnum):
    """What automations can be triggered by."""

    CONTAINER_DIED = "container_died"
    CONTAINER_UNHEALTHY = "container_unhealthy"
    CONTAINER_RESTART_LOOP = "container_restart_loop"
    UPDATE_AVAILABLE = "update_available"
    UPDATE_ROLLED_BACK = "update_rolled_back"
    STACK_DEGRADED = "stack_degraded"
    MONITOR_DOWN = "monitor_down"
    MONITOR_RECOVERED = "monitor_recovered"
    SLO_BUDGET_LOW = "slo_budget_low"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    CERTIFICATE_CHANGED = "certificate_changed"
    DISK_FILLING = "disk_filling"
    PORT_OPENED = "port_opened"


@dataclass(frozen=True, slots=True)
class Fall:
    """A figure that fell: from where, None if from higher than anything, and to where.

    Each trigger has a limit of its own.
    """

    was: float | None
    now: float

    def passes(self, limit: float) -> bool:
        """Return whether the limit was reached just now."""
        return self.now <= limit and (self.was is None or self.was > limit)


class Figures:
    """The last known figure of each thing. It outlives a restart of the agent."""

    def __init__(self) -> None:
        self._known: dict[str, float | None] = {}

    def take(self, key: str, now: float | None) -> Fall | None:
        """Note a figure, None where it is not known; return the fall of one known before."""
        first = key not in self._known
        was = self._known.get(key)
        self._known[key] = now
        if first or now is None or (was is not None and was <= now):
            return None
        return Fall(was, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that just happened. `device` is what has the device of it, None for the host.

    `details` is what a message about it needs. `lasts` tells later whether it is still so.
    """

    type: HappeningType
    coordinator: HomelabCoordinator
    subject: Subject
    device: Subject | None
    name: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    lasts: Callable[[], bool] = lambda: True
    fall: Fall | None = None


HAPPENED: Final[SignalType[Happening]] = SignalType("homelab_happened")


class Watch:
    """Watches for what happens within one theme, at one agent."""

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        self._hass = hass
        self._coordinator = coordinator

    @callback
    def begin(self) -> list[CALLBACK_TYPE]:
        """Take note of what is so already, which is no news; return what ends the watch."""
        return []

    @callback
    def look(self, resource: ResourceId, before: Before, *, just_now: bool) -> None:
        """Look at one of the resources that changed."""

    def _tell(self, happening: Happening) -> None:
        """Announce what happened, wherever triggers wait for it."""
        async_dispatcher_send(self._hass, HAPPENED, happening)


class EventWatch[E: AnyEvent](Watch, ABC):
    """Watches events: each while the agent is heard, and the newest of a time when it was not."""

    event_kind: Kind[E]

    @abstractmethod
    def happened(self, event: E) -> None:
        """Tell of an event."""

    @abstractmethod
    def known_by(self, key: str) -> ResourceId:
        """Return the resource without which the agent was not heard of that thing before."""

    @override
    @callback
    def begin(self) -> list[CALLBACK_TYPE]:
        """Listen to the events."""
        return [self._coordinator.async_on_event(self.event_kind, self.happened)]

    @override
    @callback
    def look(self, resource: ResourceId, before: Before, *, just_now: bool) -> None:
        """Tell of the newest event where a connection was lost for long."""
        kind, key = resource
        if just_now or kind != self.event_kind.name:
            return
        event, old = self._coordinator.mirror.get(self.event_kind, key), before[resource]
        if event is None or not _was_there(before, self.known_by(key)):
            return
        if not isinstance(old, self.event_kind.model) or old.number != event.number:
            self.happened(event)


def _was_there(before: Before, resource: ResourceId) -> bool:
    """Return whether a resource was known before the message: changed by it, or not touched."""
    return before.get(resource, resource) is not None
