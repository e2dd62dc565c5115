"""What a result means: for the time that it accounts for, for the state, and for who is told."""

from homelab_agent.areas.monitors.attempt import longest_s
from homelab_agent.areas.monitors.board import Board
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.condition import News
from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.models import Occurrence
from homelab_agent.areas.monitors.timeline import Moment
from homelab_agent.areas.monitors.watched import Watched

_STOOD_STILL_S = 2.0
"""A failure that took so much longer than a check may take is of a loop that stood still."""


class Intake:
    """Takes in results, and what breaks a run of them.

    The time between two results of one unbroken run counts as what the former found. A run is
    broken by a pause, a maintenance window, other settings, a result that tells nothing, a machine
    that slept, and by more time between two results than a check may take.
    """

    def __init__(self, history: History, board: Board) -> None:
        self._history = history
        self._board = board

    def take(self, watched: Watched, outcome: CheckOutcome, began: Moment, ended: Moment) -> bool:
        """Take in a result; return whether it tells anything of the service."""
        took_s = (ended.steady_ms - began.steady_ms) / 1000
        stood_still = took_s > longest_s(watched.settings) + _STOOD_STILL_S
        if ended.sleeps != began.sleeps or (stood_still and not outcome.ok):
            self.break_run(watched)
            return False
        self._note_gap(watched, ended)
        self._account(watched, outcome, ended)
        watched.outcome, watched.seen = outcome, ended
        news = watched.condition.take(
            outcome,
            ended,
            confirm_down=watched.settings.confirm_down,
            quiet=watched.window is not None,
        )
        self._board.show_result(watched)
        self.settle(watched, news)
        return True

    def settle(self, watched: Watched, news: News | None = None) -> None:
        """Publish and keep how a monitor is where that is new, and tell the news."""
        now = watched.condition.now
        if now is not watched.kept:
            watched.kept = now
            # What is told has to be known after a crash, or it would be told again.
            urgent = news is not None
            self._history.keep_status(watched.id, now.model_dump(mode="json"), urgent=urgent)
            self._board.show(watched)
        if news is not None:
            self._board.tell(watched, news)

    def break_run(self, watched: Watched) -> None:
        """Let the time until the next result count for nothing, and failures begin anew."""
        watched.counted = None
        watched.condition.interrupt()

    def set_window(self, watched: Watched, window: Occurrence | None) -> None:
        """Note which maintenance window is open; an outage that outlasts it is told."""
        if window == watched.window:
            return
        watched.window = window
        watched.counted = None
        news = None if window is not None else watched.condition.tell_if_down()
        self.settle(watched, news)
        self._board.show(watched)

    def _note_gap(self, watched: Watched, ended: Moment) -> None:
        before = watched.seen
        if before is None:
            return
        apart_ms = ended.steady_ms - before.steady_ms
        if ended.sleeps != before.sleeps or apart_ms > watched.longest_ms:
            self.break_run(watched)

    def _account(self, watched: Watched, outcome: CheckOutcome, ended: Moment) -> None:
        if not outcome.known or watched.window is not None:
            watched.counted = None
            return
        before, found = watched.counted, watched.outcome
        if before is not None and found is not None:
            duration_ms = ended.steady_ms - before.steady_ms
            self._history.spend(watched.id, before.wall_ms, duration_ms, up=found.ok)
        self._history.count(
            watched.id,
            ended.wall_ms,
            ok=outcome.ok,
            response_ms=outcome.response_ms,
            code=outcome.code,
        )
        watched.counted = ended
