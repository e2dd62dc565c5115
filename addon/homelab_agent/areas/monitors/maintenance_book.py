"""The maintenance windows: which there are, and which are open right now."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from homelab_agent.areas.monitors.intake import Intake
from homelab_agent.areas.monitors.maintenance import (
    Rule,
    next_change,
    open_at,
    window_of,
    zone_of,
)
from homelab_agent.areas.monitors.models import (
    MAINTENANCE_KIND,
    MaintenanceBody,
    MaintenanceList,
    MaintenanceWindow,
    Occurrence,
    OccurrenceList,
    OccurrenceQuery,
)
from homelab_agent.areas.monitors.names import free_key
from homelab_agent.areas.monitors.store import MonitorStore
from homelab_agent.areas.monitors.watched import Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import AgentError, Conflict, Invalid, NotFound
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources

MOST_WINDOWS = 200
MOST_OCCURRENCES = 2000
LONGEST_RANGE = timedelta(days=400)
KEEP_ENDED = timedelta(days=30)
FARTHEST = timedelta(days=50 * 365)
"""Nobody plans further, and at the ends of the calendar nothing can be reckoned."""

_LOOK = timedelta(seconds=30)
"""The clock on the wall may be set: it is looked at this often, whatever is planned."""

_log = get_logger(__name__)


class MaintenanceBook:
    """Keeps the windows, and has monitors know when one opens or closes."""

    def __init__(
        self,
        store: MonitorStore,
        resources: Resources,
        intake: Intake,
        watched: Mapping[str, Watched],
        clock: Clock,
    ) -> None:
        self._store = store
        self._resources = resources
        self._intake = intake
        self._watched = watched
        self._clock = clock
        self._rules: dict[str, Rule] = {}
        self._changed = asyncio.Event()

    async def load(self) -> None:
        """Read the windows that were made."""
        self._rules = {rule.key: rule for rule in await self._store.windows()}

    async def run(self) -> None:
        """Open and close windows in time, until cancelled."""
        while True:
            self._changed.clear()
            now = self._clock()
            try:
                await self._remove_ended(now)
            except AgentError as error:
                _log.warning("maintenance_not_removed", why=error.message)
            self._settle_all(now)
            due = next_change(self._rules.values(), now, _LOOK)
            try:
                async with asyncio.timeout((due - now).total_seconds()):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def settle(self, watched: Watched) -> None:
        """Have one monitor know the window that is open for it."""
        open_now = open_at(self._rules.values(), self._clock())
        self._intake.set_window(watched, window_of(watched.key, open_now))

    def list(self) -> MaintenanceList:
        """Return all windows, by name."""
        now = self._clock()
        rules = sorted(self._rules.values(), key=lambda rule: (rule.body.name, rule.key))
        return MaintenanceList(windows=tuple(rule.shown(now) for rule in rules))

    async def add(self, body: MaintenanceBody) -> MaintenanceWindow:
        """Make a window.

        Raises:
            Invalid: the time has no zone, or the zone or a monitor does not exist.
            Conflict: there are too many.
        """
        _require_usable("starts_at", body.starts_at, self._clock())
        zone_of(body.time_zone)
        unknown = [key for key in body.monitors if key not in self._watched]
        if unknown:
            raise Invalid(
                f"There is no monitor {unknown[0]}",
                field="monitors",
                hint="GET /api/v1/monitors lists them all.",
            )
        if len(self._rules) >= MOST_WINDOWS:
            raise Conflict(f"There are {MOST_WINDOWS} maintenance windows, and no more fit in")
        rule = Rule(free_key(body.name, self._rules), body)
        self._rules[rule.key] = rule
        try:
            await self._store.add_window(rule)
        except BaseException:
            del self._rules[rule.key]
            raise
        self._changed.set()
        self._settle_all(self._clock())
        return rule.shown(self._clock())

    async def remove(self, key: str) -> str:
        """Remove a window; return its name.

        Raises:
            NotFound: there is none with this key.
        """
        rule = self._rules.get(key)
        if rule is None:
            raise NotFound(
                f"There is no maintenance window {key!r}",
                field="key",
                hint="GET /api/v1/maintenance lists them all.",
            )
        await self._store.remove_window(key)
        self._forget(key)
        self._changed.set()
        self._settle_all(self._clock())
        return rule.body.name

    def occurrences(self, query: OccurrenceQuery) -> OccurrenceList:
        """Return when windows are open between two moments, in order of time.

        Raises:
            Invalid: the moments have no zone, are in the wrong order or too far apart.
        """
        for field, moment in (("since", query.since), ("until", query.until)):
            _require_usable(field, moment, self._clock())
        if not query.since < query.until <= query.since + LONGEST_RANGE:
            raise Invalid(
                f"until has to be after since, and at most {LONGEST_RANGE.days} days",
                field="until",
            )
        found: list[Occurrence] = [
            each
            for rule in self._rules.values()
            for each in rule.occurrences(query.since, query.until)
        ]
        found.sort(key=lambda each: (each.starts_at, each.key))
        return OccurrenceList(occurrences=tuple(found[:MOST_OCCURRENCES]))

    def _settle_all(self, now: datetime) -> None:
        open_now = open_at(self._rules.values(), now)
        for watched in tuple(self._watched.values()):
            self._intake.set_window(watched, window_of(watched.key, open_now))
        for rule in self._rules.values():
            self._resources.publish(MAINTENANCE_KIND, rule.key, rule.shown(now))

    async def _remove_ended(self, now: datetime) -> None:
        for key, rule in tuple(self._rules.items()):
            if next(rule.occurrences(now - KEEP_ENDED, now + KEEP_ENDED), None) is None and (
                rule.body.starts_at < now
            ):
                await self._store.remove_window(key)
                self._forget(key)

    def _forget(self, key: str) -> None:
        self._rules.pop(key, None)
        self._resources.remove(MAINTENANCE_KIND, key)


def _require_usable(field: str, moment: datetime, now: datetime) -> None:
    """Raise `Invalid` for a moment that cannot be placed, or not be counted on from."""
    if moment.tzinfo is None:
        raise Invalid(
            f"{field} has no time zone", field=field, hint="Write it as 2026-12-01T03:00:00+01:00"
        )
    if abs(moment - now) > FARTHEST:
        raise Invalid(
            f"{field} is more than {FARTHEST.days // 365} years away",
            field=field,
            hint="Is the year right, and the clock of the agent's machine?",
        )
