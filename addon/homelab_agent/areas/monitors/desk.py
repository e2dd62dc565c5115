"""All monitors while the agent runs: which are watched, and their checks."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from homelab_agent.areas.monitors.attempt import attempt
from homelab_agent.areas.monitors.board import Board
from homelab_agent.areas.monitors.checks.registry import Checks
from homelab_agent.areas.monitors.condition import Condition, Remembered
from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.intake import Intake
from homelab_agent.areas.monitors.models import MonitorSettings, MonitorSource
from homelab_agent.areas.monitors.names import free_key
from homelab_agent.areas.monitors.secret_settings import hide
from homelab_agent.areas.monitors.store import MonitorStore
from homelab_agent.areas.monitors.timeline import Timeline
from homelab_agent.areas.monitors.watched import Watched
from homelab_agent.platform.errors import Conflict
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.schedule import Schedule
from homelab_agent.platform.secrets import SecretFilter

MOST_MONITORS = 1000

_log = get_logger(__name__)


class Desk:
    """Adds, changes and removes monitors, and has them checked in time.

    `watched` holds all of them by key, also those that are paused or whose container is gone.
    """

    def __init__(  # noqa: PLR0913  # what a monitor passes through, from check to store
        self,
        store: MonitorStore,
        history: History,
        intake: Intake,
        board: Board,
        checks: Checks,
        timeline: Timeline,
        secrets: SecretFilter,
        *,
        most_at_once: int,
        observe: Callable[[float], None] = lambda _late_s: None,
    ) -> None:
        self.watched: dict[str, Watched] = {}
        self.schedule = Schedule(self._check, most_at_once=most_at_once, observe=observe)
        self._store = store
        self._history = history
        self._intake = intake
        self._board = board
        self.checks = checks
        self._timeline = timeline
        self._secrets = secrets
        # What is stored and what is watched change together, one change after the other.
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Take up all monitors as they were left."""
        for stored in await self._store.monitors():
            if not self.checks.has(stored.settings.check.type):
                _log.warning("monitor_cannot_be_checked", key=stored.key)
                continue
            condition = Condition(stored.status)
            # The agent was away: what was not confirmed by then is confirmed anew.
            condition.interrupt()
            self._take_up(stored.id, stored.key, stored.source, stored.settings, condition)

    async def add(
        self, key: str | None, source: MonitorSource, settings: MonitorSettings
    ) -> Watched:
        """Watch something new; without a key it gets a free one that is like its name.

        Raises:
            Conflict: there is a monitor with this key, or there are too many.
        """
        async with self._changing:
            key = key or free_key(settings.name, self.watched)
            if key in self.watched:
                raise Conflict(f"There is a monitor {key} already", field="key")
            if len(self.watched) >= MOST_MONITORS:
                raise Conflict(
                    f"There are {MOST_MONITORS} monitors, and no more fit in",
                    hint="Remove some that nobody needs",
                )
            remembered = Remembered()
            monitor_id = await self._store.add(key, source, settings, remembered)
            return self._take_up(monitor_id, key, source, settings, Condition(remembered))

    async def change(self, watched: Watched, settings: MonitorSettings, *, anew: bool) -> None:
        """Watch with other settings; `anew`: what was known of the service holds no more.

        Raises:
            Conflict: it was removed meanwhile.
        """
        async with self._changing:
            if not self._has(watched):
                raise Conflict(f"{watched.settings.name} was removed meanwhile", field="key")
            if settings != watched.settings:
                await self._store.change(watched.id, watched.key, watched.source, settings)
                self._take_over(watched, settings, anew=anew)

    async def remove(self, watched: Watched) -> None:
        """Forget a monitor and its past."""
        async with self._changing:
            if self._has(watched):
                await self._store.remove(watched.id)
                self._stop(watched)
                del self.watched[watched.key]
                self._history.forget(watched.id)

    def pause(self, watched: Watched) -> None:
        """Stop checking; what was known of the service holds no more."""
        self._intake.break_run(watched)
        watched.condition.pause(self._timeline.now().at)
        self._intake.settle(watched)
        self._plan(watched)

    def resume(self, watched: Watched) -> None:
        """Check again."""
        watched.condition.begin_anew(None)
        self._intake.settle(watched)
        self._plan(watched)
        self.schedule.now(watched.key)

    def leave(self, watched: Watched, at: datetime) -> None:
        """Watch no more, but keep the past: its container is gone, and may come again."""
        watched.condition.leave(at)
        self._intake.break_run(watched)
        self._intake.settle(watched)
        self._stop(watched)

    def come_back(self, watched: Watched) -> None:
        """Watch again: its container is there again."""
        watched.condition.leave(None)
        self._intake.settle(watched)
        self._board.show(watched)
        self._plan(watched)

    def shown(self) -> Mapping[str, Watched]:
        """Return the monitors that there are for others, by key."""
        return {key: each for key, each in self.watched.items() if not each.is_gone}

    def _has(self, watched: Watched) -> bool:
        return self.watched.get(watched.key) is watched

    def _take_over(self, watched: Watched, settings: MonitorSettings, *, anew: bool) -> None:
        hide(settings, self._secrets)
        watched.settings = settings
        watched.target = self.checks.target(settings.check)
        self._intake.break_run(watched)
        if anew:
            watched.condition.begin_anew(watched.condition.now.paused_since)
            watched.outcome = watched.seen = None
        self._intake.settle(watched)
        self._board.show(watched)
        self._plan(watched)

    def _take_up(
        self,
        monitor_id: int,
        key: str,
        source: MonitorSource,
        settings: MonitorSettings,
        condition: Condition,
    ) -> Watched:
        hide(settings, self._secrets)
        target = self.checks.target(settings.check)
        watched = Watched(monitor_id, key, source, settings, target, condition)
        watched.kept = condition.now
        self.watched[key] = watched
        self._board.show(watched)
        self._plan(watched)
        return watched

    def _plan(self, watched: Watched) -> None:
        if watched.is_paused or watched.is_gone:
            self.schedule.drop(watched.key)
        else:
            self.schedule.put(watched.key, watched.settings.interval_s)

    def _stop(self, watched: Watched) -> None:
        self.schedule.drop(watched.key)
        self._board.take_away(watched.key)

    async def _check(self, key: str) -> None:
        watched = self.watched[key]
        settings, began = watched.settings, self._timeline.now()
        outcome = await attempt(self.checks, settings)
        self._intake.take(watched, outcome, began, self._timeline.now())
