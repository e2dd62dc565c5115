"""What of monitors is published, and when."""

import asyncio
from collections.abc import Mapping

from homelab_agent.areas.monitors.condition import News
from homelab_agent.areas.monitors.models import (
    MONITOR_EVENT_KIND,
    MONITOR_KIND,
    MONITOR_REPORT_KIND,
    MONITOR_RESULT_KIND,
    Monitor,
    MonitorEvent,
    MonitorReport,
)
from homelab_agent.areas.monitors.watched import Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.newest_events import NewestEvents
from homelab_agent.platform.resources import Resources

_LOOK_S = 10.0
"""How often it is seen whether anybody still follows the results."""

_KINDS = (MONITOR_KIND, MONITOR_RESULT_KIND, MONITOR_REPORT_KIND)


class Board:
    """Publishes monitors. Single results only while somebody follows them."""

    def __init__(self, resources: Resources, clock: Clock) -> None:
        self._resources = resources
        self._events = NewestEvents(resources, MONITOR_EVENT_KIND, clock)
        self._clock = clock

    def show(self, watched: Watched) -> None:
        """Publish how a monitor is, as long as it is there for others."""
        if not watched.is_gone:
            self.show_monitor(watched.shown())

    def show_monitor(self, monitor: Monitor) -> None:
        """Publish a monitor."""
        self._resources.publish(MONITOR_KIND, monitor.key, monitor)

    def show_result(self, watched: Watched) -> None:
        """Publish the last check, where anybody wants to know."""
        result = watched.result()
        if result is not None and self._resources.has_listener(MONITOR_RESULT_KIND):
            self._resources.publish(MONITOR_RESULT_KIND, watched.key, result)

    def show_report(self, report: MonitorReport) -> None:
        """Publish what is known over time."""
        self._resources.publish(MONITOR_REPORT_KIND, report.key, report)

    def tell(self, watched: Watched, news: News) -> None:
        """Publish that a service went down or came up."""

        def make(number: int) -> MonitorEvent:
            return MonitorEvent(
                key=watched.key,
                name=watched.settings.name,
                tier=watched.settings.tier,
                type=news.type,
                number=number,
                at=news.at,
                reason=news.reason,
                code=news.code,
                duration_s=news.duration_s,
            )

        # Numbered by now, and not by `at`: the clock may have been set since it went down.
        self._events.tell(watched.key, self._clock(), make)

    def take_away(self, key: str) -> None:
        """Publish nothing of a monitor any more; its last event stays a while."""
        for kind in _KINDS:
            self._resources.remove(kind, key)
        self._events.let_go(key)

    def remove_due_events(self) -> None:
        """Remove the events whose time has come."""
        self._events.remove_due(self._clock())

    async def _nobody_follows(self) -> None:
        # Nobody tells when a listener goes, and it does not matter at once.
        while True:
            await asyncio.sleep(_LOOK_S)
            if not self._resources.has_listener(MONITOR_RESULT_KIND):
                return

    async def follow_results(self, all_watched: Mapping[str, Watched]) -> None:
        """Publish results from when somebody follows them until nobody does; until cancelled."""
        while True:
            await self._resources.listener(MONITOR_RESULT_KIND)
            for watched in tuple(all_watched.values()):
                self.show_result(watched)
            await self._nobody_follows()
            # What nobody follows is not kept up to date, so it is not left lying either.
            for key in self._resources.keys(MONITOR_RESULT_KIND):
                self._resources.remove(MONITOR_RESULT_KIND, key)
