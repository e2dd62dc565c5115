"""When a certificate is renewed, and when again after that failed."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from homelab_agent.areas.renewal.authority import RenewalInfo
from homelab_agent.areas.renewal.kept import Issued, KeptCertificate, RenewalWindow

FIRST_RETRY_S, LONGEST_RETRY_S = 1800.0, 24 * 3600.0
LONGEST_WAIT_S = 30 * 24 * 3600.0
"""No authority asks for longer; what says so is a mistake, and would be waited for in vain."""

URGENT_DAYS_LEFT, LONGEST_URGENT_RETRY_S = 3, 6 * 3600.0
_LEFT = 1 / 3
"""Renewed when so much of its life is left, where the authority does not say when."""

_EARLIER = 0.02
_JITTER = 0.2

type Dice = Callable[[], float]
"""Gives 0..1."""

dice: Dice = random.SystemRandom().random


def at_a_third(issued: Issued, throw: Dice = dice) -> datetime:
    """Return when a certificate is renewed of which no authority says when.

    A little earlier each time: certificates of one day are not all renewed in one moment.
    """
    life = issued.expires_at - issued.not_before
    return issued.expires_at - life * (_LEFT + _EARLIER * throw())


def in_window(
    record: KeptCertificate, info: RenewalInfo, throw: Dice = dice
) -> tuple[RenewalWindow, datetime]:
    """Return the authority's window, and a moment in it; the same moment while that stays."""
    window = RenewalWindow(start=info.start, end=info.end)
    if record.window == window and record.renew_at is not None:
        return window, record.renew_at
    return window, window.start + (window.end - window.start) * throw()


def retry_after(
    attempts: int,
    *,
    wanted_s: float | None,
    time_left: timedelta | None,
    throw: Dice = dice,
) -> timedelta:
    """Return how long to wait after so many failures in a row: longer each time.

    Never shorter than the authority wants (`wanted_s`). With little time left it is tried more
    often, but never in a hurry.
    """
    grown_s = min(FIRST_RETRY_S * 2 ** min(attempts - 1, 10), LONGEST_RETRY_S)
    if time_left is not None and time_left < timedelta(days=URGENT_DAYS_LEFT):
        grown_s = min(grown_s, LONGEST_URGENT_RETRY_S)
    jittered_s = grown_s * (1 + _JITTER * (2 * throw() - 1))
    return timedelta(seconds=min(max(jittered_s, wanted_s or 0.0), LONGEST_WAIT_S))
