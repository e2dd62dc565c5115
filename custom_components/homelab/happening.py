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
    CONTAINER_RECOVERED = "container_recovered"
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
    DOMAIN_UNHEALTHY = "domain_unhealthy"
    DOMAIN_RECOVERED = "domain_recovered"
    DOMAIN_PROVISIONED = "domain_provisioned"
    ADDRESS_CHANGED = "address_changed"
    CERTIFICATE_RENEWAL_FAILED = "certificate_renewal_failed"


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

    `details` is what a message about it needs. `lasts` tells later whether it is still so,
    by what is known then.
    """

    type: HappeningType
    coordinator: HomelabCoordinator
    subject: Subject
    device: Subject | None
    name: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    lasts: Callable[[HomelabCoordinator], bool] = lambda _: True
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
    """Watches events: each while the agent is heard, and the newest of a time when it was not.

    Their numbers grow over restarts of the agent, which may publish an event once more.
    """

    event_kind: Kind[E]

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        super().__init__(hass, coordinator)
        self._newest: dict[str, int] = {}

    @abstractmethod
    def happened(self, event: E) -> None:
        """Tell of an event."""

    @override
    @callback
    def begin(self) -> list[CALLBACK_TYPE]:
        """Listen to the events; those that are there already are old."""
        for event in self._coordinator.mirror.every(self.event_kind):
            self._newest[event.key] = event.number
        return [self._coordinator.async_on_event(self.event_kind, self._take)]

    @override
    @callback
    def look(self, resource: ResourceId, before: Before, *, just_now: bool) -> None:
        """Tell of the newest event where a connection was lost for long."""
        kind, key = resource
        if kind != self.event_kind.name:
            return
        event = self._coordinator.mirror.get(self.event_kind, key)
        if event is None and just_now:
            # The thing is gone; what a restart of the agent loses may come again.
            self._newest.pop(key, None)
        elif event is not None and not just_now:
            self._take(event)

    @callback
    def _take(self, event: E) -> None:
        if event.number > self._newest.get(event.key, 0):
            self._newest[event.key] = event.number
            self.happened(event)
