"""What happens to the services that monitors watch: down, up again, too much of a budget used."""

from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .client.kinds import MONITOR, MONITOR_EVENT, MONITOR_REPORT
from .client.models import (
    Budget,
    MonitorEvent,
    MonitorEventType,
    MonitorReport,
    MonitorState,
)
from .coordinator import HomelabCoordinator
from .happening import EventWatch, Figures, Happening, HappeningType
from .mirror import Before, ResourceId
from .subjects import Subject

_TYPES: Final = {
    MonitorEventType.DOWN: HappeningType.MONITOR_DOWN,
    MonitorEventType.UP: HappeningType.MONITOR_RECOVERED,
}
_NOT_WATCHED: Final = {MonitorState.PENDING, MonitorState.PAUSED, MonitorState.MAINTENANCE}
_OVER: Final = {
    HappeningType.MONITOR_DOWN: frozenset({MonitorState.UP, *_NOT_WATCHED}),
    HappeningType.MONITOR_RECOVERED: frozenset({MonitorState.DOWN, *_NOT_WATCHED}),
}
"""What ends it. A failure that is not confirmed does not, nor a check that could not be made: what
was so before them goes on after them, and is not told again.
"""


class MonitorWatch(EventWatch[MonitorEvent]):
    """Watches monitors."""

    event_kind = MONITOR_EVENT

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        super().__init__(hass, coordinator)
        self._down: dict[str, MonitorEvent] = {}
        self._left = Figures()

    @override
    @callback
    def begin(self) -> list[CALLBACK_TYPE]:
        """Take note of why services are down already: their recovery will tell."""
        for event in self._coordinator.mirror.every(MONITOR_EVENT):
            self._note(event)
        for report in self._coordinator.mirror.every(MONITOR_REPORT):
            self._left.take(report.key, left_percent(report.budget))
        return super().begin()

    @override
    @callback
    def look(self, resource: ResourceId, before: Before, *, just_now: bool) -> None:
        """Tell of a budget of which less is left than before."""
        super().look(resource, before, just_now=just_now)
        kind, key = resource
        if kind == MONITOR.name and not self._coordinator.mirror.has(resource):
            self._down.pop(key, None)
        elif kind == MONITOR_REPORT.name:
            report = self._coordinator.mirror.get(MONITOR_REPORT, key)
            if report is not None:
                self._look_at_budget(report)

    def _note(self, event: MonitorEvent) -> MonitorEvent | None:
        """Remember why a service is down; return why it was."""
        was = self._down.pop(event.key, None)
        if event.type is MonitorEventType.DOWN:
            self._down[event.key] = event
        return was

    @override
    @callback
    def happened(self, event: MonitorEvent) -> None:
        """Tell that a service is down, or up again."""
        was = self._note(event)
        why = event if event.reason or was is None else was
        kind = _TYPES.get(event.type)
        if kind is None:
            return
        monitor = self._coordinator.mirror.get(MONITOR, event.key)

        def still_so(now: HomelabCoordinator) -> bool:
            known = now.mirror.get(MONITOR, event.key)
            return known is not None and known.state not in _OVER[kind]

        self._tell(
            Happening(
                type=kind,
                coordinator=self._coordinator,
                subject=Subject(MONITOR.name, event.key),
                device=self._coordinator.home_of(monitor) if monitor else None,
                name=event.name,
                at=event.at,
                details={
                    "tier": event.tier.value,
                    "target": monitor.target if monitor else None,
                    "reason": why.reason,
                    "code": why.code,
                    "duration": event.duration_s,
                },
                lasts=still_so,
            )
        )

    def _look_at_budget(self, report: MonitorReport) -> None:
        fall = self._left.take(report.key, left_percent(report.budget))
        monitor = self._coordinator.mirror.get(MONITOR, report.key)
        if fall is None or monitor is None:
            return
        self._tell(
            Happening(
                type=HappeningType.SLO_BUDGET_LOW,
                coordinator=self._coordinator,
                subject=Subject(MONITOR_REPORT.name, report.key),
                device=self._coordinator.home_of(monitor),
                name=monitor.name,
                at=dt_util.utcnow(),
                details={
                    "tier": monitor.tier.value,
                    "target": monitor.target,
                    "left_percent": fall.now,
                    "uptime_left_percent": report.budget.uptime_left_percent,
                    "uptime_left_s": report.budget.uptime_left_s,
                    "error_left_percent": report.budget.error_left_percent,
                    "burn_rate_1h": report.budget.burn_rate_1h,
                    "burn_rate_6h": report.budget.burn_rate_6h,
                },
                fall=fall,
            )
        )


def left_percent(budget: Budget) -> float | None:
    """Return how much is left of the budget that is nearer to its end; None if neither is known."""
    known = (budget.uptime_left_percent, budget.error_left_percent)
    return min((left for left in known if left is not None), default=None)
