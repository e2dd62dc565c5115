"""A wall clock that is wrong, or that was set while the agent ran."""

from dataclasses import dataclass
from datetime import datetime

from homelab_agent.areas.insight.models import Fact, FindingSeverity, FindingType
from homelab_agent.areas.insight.noticed import Noticed
from homelab_agent.areas.network.models import NETWORK_KEY, NETWORK_STATUS_KIND, NetworkStatus
from homelab_agent.platform.amounts import time_text
from homelab_agent.platform.clock import Clock, Steady

WRONG_S = 30.0
STEP_S = 60.0
_GRAVE_S = 300.0
"""Certificates and one-time passwords fail from about here on."""

STEP_JUDGED_AFTER_S = 330.0
"""A machine without a clock of its own sets it some time after each boot, and that is right so: by
then the kernel was asked anew whether somebody keeps its clock."""

STEP_TOLD_S = 6 * 3600.0
"""How long a step is told where nobody can say whether the clock is right now."""


@dataclass(frozen=True, slots=True)
class _Step:
    by_s: float
    at_s: float
    at: datetime


class ClockWatch:
    """Compares the wall clock with one that nobody sets, and with what the internet says."""

    def __init__(self, clock: Clock, steady: Steady) -> None:
        self._clock = clock
        self._steady = steady
        self._apart_s = self._difference_s()
        self._step: _Step | None = None
        self._asked_at: datetime | None = None
        self._wrong_looks = 0

    def notice(self, status: NetworkStatus | None, *, synchronized: bool) -> Noticed | None:
        """Return that the clock is wrong, or was set by more than a minute; look often.

        `synchronized`: the kernel says that somebody keeps the clock right.
        """
        before = self._step
        self._compare()
        offset_s = self._offset_s(status, before)
        if offset_s is not None and self._wrong_looks > 1:
            return _wrong(offset_s)
        if self._step is None:
            return None
        age_s = self._steady() - self._step.at_s
        if age_s < STEP_JUDGED_AFTER_S:
            return None
        if synchronized or age_s > STEP_TOLD_S:
            self._step = None
            return None
        return _stepped(self._step)

    def _difference_s(self) -> float:
        return self._clock().timestamp() - self._steady()

    def _compare(self) -> None:
        apart_s = self._difference_s()
        by_s, self._apart_s = apart_s - self._apart_s, apart_s
        if abs(by_s) > STEP_S:
            self._step = _Step(by_s, self._steady(), self._clock())

    def _offset_s(self, status: NetworkStatus | None, before: _Step | None) -> float | None:
        """Return how far the clock is ahead; counts the looks in which it was wrong.

        `before` is the step that was known before this look.
        """
        if status is None or status.clock_offset_s is None:
            self._wrong_looks = 0
            return None
        asked = [each.checked_at for each in (status.public_ipv4, status.public_ipv6)]
        asked_at = max((at for at in asked if at is not None), default=None)
        if asked_at != self._asked_at or asked_at is None:
            self._asked_at = asked_at
            is_wrong = abs(status.clock_offset_s) > WRONG_S
            self._wrong_looks = self._wrong_looks + 1 if is_wrong else 0
            if not is_wrong and self._step is before:
                # Asked after the step, and all is well: it was put right.
                self._step = None
        return status.clock_offset_s


def _wrong(offset_s: float) -> Noticed:
    which = "ahead" if offset_s > 0 else "behind"
    is_grave = abs(offset_s) >= _GRAVE_S
    return _noticed(
        FindingSeverity.CRITICAL if is_grave else FindingSeverity.WARNING,
        f"The clock of this machine is {time_text(abs(offset_s))} {which}.",
        Fact(name="ahead of the internet's time", value=round(offset_s), unit="s"),
    )


def _stepped(step: _Step) -> Noticed:
    which = "forward" if step.by_s > 0 else "back"
    return _noticed(
        FindingSeverity.WARNING,
        f"The clock of this machine was set {which} by {time_text(abs(step.by_s))}.",
        Fact(name="set by", value=round(step.by_s), unit="s"),
        Fact(name="new time then", value=step.at.isoformat(timespec="seconds")),
    )


def _noticed(severity: FindingSeverity, message: str, *evidence: Fact) -> Noticed:
    return Noticed(
        type=FindingType.CLOCK_WRONG,
        severity=severity,
        subject_kind=NETWORK_STATUS_KIND,
        subject=NETWORK_KEY,
        message=message,
        evidence=evidence,
    )
