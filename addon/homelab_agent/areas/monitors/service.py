"""What can be asked about services that people reach, and what can be told to watch them."""

import asyncio
from collections.abc import Iterable

from homelab_agent.areas.monitors.budget import report as report_of
from homelab_agent.areas.monitors.check_settings import CheckType
from homelab_agent.areas.monitors.desk import Desk
from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.label_monitors import LabelMonitors
from homelab_agent.areas.monitors.models import (
    AddMonitorBody,
    HealthReport,
    HistoryQuery,
    Monitor,
    MonitorDescription,
    MonitorList,
    MonitorReport,
    MonitorSettings,
    MonitorSource,
    PastChecks,
    ReportRow,
    UpdateMonitorBody,
)
from homelab_agent.areas.monitors.models import History as Past
from homelab_agent.areas.monitors.names import LABEL_PREFIX, TAKEN
from homelab_agent.areas.monitors.past import past_checks, past_of
from homelab_agent.areas.monitors.prepare import prepared, require_allowed
from homelab_agent.areas.monitors.report import health_report
from homelab_agent.areas.monitors.secret_settings import refuse_stars, with_kept_secrets
from homelab_agent.areas.monitors.tally import percent
from homelab_agent.areas.monitors.watched import Watched
from homelab_agent.areas.monitors.windows import Window
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Caller, Outcome
from homelab_agent.platform.errors import Conflict, Invalid, NotFound
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.taking_up import until_taken_up


class MonitorService:
    """Monitors by key or by name."""

    def __init__(self, desk: Desk, history: History, labels: LabelMonitors, clock: Clock) -> None:
        self.ready = asyncio.Event()
        """Set as soon as the monitors are read from the store."""
        self._desk = desk
        self._history = history
        self._labels = labels
        self._clock = clock

    async def list(self) -> MonitorList:
        """Return all monitors, by name."""
        await self.until_ready()
        shown = [watched.shown() for watched in self._desk.shown().values()]
        found: Iterable[Monitor] = (*shown, *self._labels.troubled.values())
        return MonitorList(
            monitors=tuple(sorted(found, key=lambda each: (each.name.casefold(), each.key)))
        )

    async def describe(self, key: str) -> MonitorDescription:
        """Return everything about one monitor."""
        return self._described(await self._get(key))

    async def add(self, body: AddMonitorBody, caller: Caller) -> MonitorDescription:
        """Watch something new.

        Raises:
            Denied: only an admin may have guarded addresses asked.
            Invalid: the settings mean nothing.
            Conflict: there is a monitor with this key, or there are too many.
        """
        await self.until_ready()
        settings = prepared(body)
        require_allowed(settings, caller)
        refuse_stars(settings)
        self._require_check(settings)
        _require_free_key(body.key)
        return self._described(await self._desk.add(body.key, MonitorSource.PERSON, settings))

    async def update(self, key: str, body: UpdateMonitorBody, caller: Caller) -> MonitorDescription:
        """Watch with other settings.

        Raises:
            NotFound: there is no such monitor.
            Conflict: a label made it.
            Denied: only an admin may have guarded addresses asked.
        """
        watched = await self._own(key)
        settings = with_kept_secrets(prepared(body), watched.settings)
        require_allowed(settings, caller)
        self._require_check(settings)
        anew = settings.check != watched.settings.check
        await self._desk.change(watched, settings, anew=anew)
        return self._described(watched)

    async def remove(self, key: str) -> CommandResult:
        """Forget a monitor and its past."""
        watched = await self._own(key)
        await self._desk.remove(watched)
        return _done(f"{watched.settings.name} is not watched any more.")

    async def pause(self, key: str) -> CommandResult:
        """Stop checking until it is resumed."""
        watched = await self._get(key)
        if watched.is_paused:
            return _not_needed(f"{watched.settings.name} is paused already.")
        self._desk.pause(watched)
        return _done(f"{watched.settings.name} is paused.")

    async def resume(self, key: str) -> CommandResult:
        """Check again, at once."""
        watched = await self._get(key)
        if not watched.is_paused:
            return _not_needed(f"{watched.settings.name} is not paused.")
        self._desk.resume(watched)
        return _done(f"{watched.settings.name} is checked again.")

    async def check(self, key: str, wait_s: float) -> MonitorDescription:
        """Check now, and return what is known as soon as that is done, at the latest in `wait_s`.

        Raises:
            Conflict: it is paused.
        """
        watched = await self._get(key)
        if watched.is_paused:
            raise Conflict(
                f"{watched.settings.name} is paused", hint="Resume it, then it is checked at once"
            )
        task = self._desk.schedule.now(watched.key)
        if task is not None:
            await asyncio.wait((task,), timeout=wait_s)
        return self._described(watched)

    async def past(self, key: str, query: HistoryQuery) -> Past:
        """Return the past of one monitor in pieces."""
        return await past_of(self._history, (await self._get(key)).id, query, self._clock())

    async def past_checks(self, key: str, query: HistoryQuery) -> PastChecks:
        """Return single checks of one monitor."""
        return await past_checks(self._history, (await self._get(key)).id, query, self._clock())

    def reports(self) -> Iterable[MonitorReport]:
        """Return what is known of each monitor over time."""
        for watched in tuple(self._desk.shown().values()):
            found = self._report(watched)
            if found is not None:
                yield found

    async def health(self, names: tuple[str, ...] = ()) -> HealthReport:
        """Return the service health table: of all, or of those named.

        Raises:
            NotFound: there is none of a name.
        """
        await self.until_ready()
        rows = [self._row(watched) for watched in self._desk.shown().values()]
        rows += [_troubled_row(monitor) for monitor in self._labels.troubled.values()]
        for name in names:
            if not any(name in {row.key, row.name} for row in rows):
                raise _not_found(name)
        if names:
            rows = [row for row in rows if row.key in names or row.name in names]
        return health_report(self._clock(), rows)

    def settings(self) -> tuple[MonitorSettings, ...]:
        """Return the settings of all monitors."""
        return tuple(watched.settings for watched in self._desk.shown().values())

    async def _get(self, key: str) -> Watched:
        await self.until_ready()
        shown = self._desk.shown()
        found = shown.get(key)
        if found is None:
            named = [watched for watched in shown.values() if watched.settings.name == key]
            found = named[0] if len(named) == 1 else None
        if found is None:
            troubled = self._labels.troubled.get(key)
            if troubled is not None:
                raise Conflict(
                    troubled.reason or "Its label is wrong", hint="Correct the container's label"
                )
            raise _not_found(key)
        return found

    async def _own(self, key: str) -> Watched:
        watched = await self._get(key)
        if watched.source is MonitorSource.LABEL:
            raise Conflict(
                f"{watched.settings.name} was made by a label of {watched.settings.container}",
                field="key",
                hint="Change the label. It can be paused here.",
            )
        return watched

    def _described(self, watched: Watched) -> MonitorDescription:
        return MonitorDescription(
            monitor=watched.shown(),
            settings=watched.settings,
            result=watched.result(),
            report=self._report(watched),
        )

    def _report(self, watched: Watched) -> MonitorReport | None:
        tallies = self._history.tallies(watched.id)
        if tallies is None:
            return None
        settings = watched.settings
        return report_of(watched.key, settings.slo, settings.interval_s, tallies)

    def _row(self, watched: Watched) -> ReportRow:
        tallies = self._history.tallies(watched.id) or {}
        uptime = {
            window: percent(tally.up_ms, tally.up_ms + tally.down_ms)
            for window, tally in tallies.items()
        }
        shown, outcome, seen = watched.shown(), watched.outcome, watched.seen
        return ReportRow(
            name=shown.name,
            key=shown.key,
            tier=shown.tier,
            endpoint=shown.target,
            state=shown.state,
            since=shown.since,
            reason=shown.reason,
            last_check_at=seen.at if seen else None,
            response_ms=outcome.response_ms if outcome else None,
            uptime_day_percent=uptime.get(Window.DAY),
            uptime_week_percent=uptime.get(Window.WEEK),
            uptime_month_percent=uptime.get(Window.MONTH),
            uptime_year_percent=uptime.get(Window.YEAR),
        )

    def _require_check(self, settings: MonitorSettings) -> None:
        if not self._desk.checks.has(settings.check.type):
            known = [each for each in CheckType if self._desk.checks.has(each)]
            raise Invalid(
                f"This agent has no check {settings.check.type}",
                field="check.type",
                hint=f"It has: {', '.join(known)}",
            )

    async def until_ready(self) -> None:
        """Wait for the monitors to be read, right after the agent's start.

        Raises:
            Unavailable: that takes long.
        """
        await until_taken_up(self.ready, "monitors")


def _require_free_key(key: str | None) -> None:
    if key is not None and (key.startswith(LABEL_PREFIX) or key in TAKEN):
        raise Invalid(
            f"The key {key} is not for monitors of people",
            field="key",
            hint=f"Keys of labels begin with {LABEL_PREFIX}; not to be used: {', '.join(TAKEN)}",
        )


def _troubled_row(monitor: Monitor) -> ReportRow:
    return ReportRow(
        name=monitor.name,
        key=monitor.key,
        tier=monitor.tier,
        endpoint=monitor.target,
        state=monitor.state,
        reason=monitor.reason,
    )


def _not_found(key: str) -> NotFound:
    return NotFound(
        f"There is no monitor {key[:200]!r}",
        field="key",
        hint="GET /api/v1/monitors lists them all.",
    )


def _done(message: str) -> CommandResult:
    return CommandResult(outcome=Outcome.DONE, message=message)


def _not_needed(message: str) -> CommandResult:
    return CommandResult(outcome=Outcome.NOT_NEEDED, message=message)
