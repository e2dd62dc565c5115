"""How a service is, from one check to the next: when it counts as down, and what is told of it."""

from dataclasses import dataclass
from datetime import datetime

from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.models import MonitorEventType, MonitorState
from homelab_agent.areas.monitors.timeline import Moment
from homelab_agent.platform.model import Model


class Remembered(Model):
    """What a restart of the agent must not forget. `failing_since`: the first failed check.

    `told`: that it is down was told. `state` is never PAUSED or MAINTENANCE: those are beside it.
    """

    state: MonitorState = MonitorState.PENDING
    since: datetime | None = None
    reason: str | None = None
    code: str | None = None
    warning: str | None = None
    failing_since: datetime | None = None
    told: bool = False
    paused_since: datetime | None = None
    gone_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something to tell: it went down, or came up after `duration_s`."""

    type: MonitorEventType
    at: datetime
    reason: str | None = None
    code: str | None = None
    duration_s: float | None = None


class Condition:
    """How one service is. A failed check counts from its own time, also if confirmed later."""

    def __init__(self, remembered: Remembered) -> None:
        self.now = remembered
        self._failures = 0
        self._failing_from: Moment | None = None

    def take(
        self, outcome: CheckOutcome, moment: Moment, *, confirm_down: int, quiet: bool
    ) -> News | None:
        """Take a check's outcome; `quiet`: in a maintenance window, where no outage is told."""
        if not outcome.known:
            self.interrupt()
            self._become(MonitorState.UNKNOWN, moment.at, outcome)
            return None
        if outcome.ok:
            return self._up(outcome, moment)
        if self._failing_from is None and self.now.failing_since is None:
            self._failing_from = moment
            self._change(failing_since=moment.at)
        self._failures += 1
        if self._failures >= confirm_down or self.now.told:
            self._become(MonitorState.DOWN, self.now.failing_since, outcome)
            return None if quiet else self.tell_if_down()
        if self.now.state is not MonitorState.DOWN:
            self._become(MonitorState.FAILING, self.now.failing_since, outcome)
        return None

    def tell_if_down(self) -> News | None:
        """Return that it is down, where that was not told before."""
        began = self.now.failing_since
        if self.now.state is not MonitorState.DOWN or self.now.told or began is None:
            return None
        self._change(told=True)
        return News(
            type=MonitorEventType.DOWN,
            at=began,
            reason=self.now.reason,
            code=self.now.code,
        )

    def interrupt(self) -> None:
        """Forget failures that are not confirmed: nobody was looking for a while."""
        if self.now.state is MonitorState.DOWN or self.now.told:
            return
        self._failures = 0
        self._failing_from = None
        self._change(failing_since=None)

    def pause(self, at: datetime) -> None:
        """Stop watching: what was known does not hold any more."""
        self.begin_anew(at)

    def begin_anew(self, paused_since: datetime | None) -> None:
        """Know nothing: it is watched again, or something else is watched."""
        self._reset(Remembered(paused_since=paused_since, gone_since=self.now.gone_since))

    def leave(self, at: datetime | None) -> None:
        """Note since when the container that it is about is gone; None: it is there."""
        self._change(gone_since=at)

    def _up(self, outcome: CheckOutcome, moment: Moment) -> News | None:
        was = self.now
        began, self._failing_from, self._failures = self._failing_from, None, 0
        self._become(MonitorState.UP, moment.at, outcome, told=False, failing_since=None)
        if not was.told or was.failing_since is None:
            return None
        # Across a restart only the clock on the wall knows.
        down_s = (moment.at - was.failing_since).total_seconds()
        if began is not None:
            down_s = (moment.steady_ms - began.steady_ms) / 1000
        return News(
            type=MonitorEventType.UP,
            at=moment.at,
            reason=was.reason,
            code=was.code,
            duration_s=max(0.0, down_s),
        )

    def _become(
        self,
        state: MonitorState,
        since: datetime | None,
        outcome: CheckOutcome,
        **changes: bool | datetime | None,
    ) -> None:
        said: dict[str, object] = {
            "reason": outcome.reason if state is not MonitorState.UP else None,
            "code": outcome.code if state is not MonitorState.UP else None,
            "warning": outcome.warning,
        }
        if state is not self.now.state:
            said |= {"state": state, "since": since}
        self._change(**said, **changes)

    def _change(self, **changes: object) -> None:
        if any(getattr(self.now, name) != value for name, value in changes.items()):
            self.now = self.now.model_copy(update=changes)

    def _reset(self, remembered: Remembered) -> None:
        self.now = remembered
        self._failures = 0
        self._failing_from = None
