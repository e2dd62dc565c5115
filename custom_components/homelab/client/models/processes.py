"""How a process is asked to stop."""

from dataclasses import dataclass
from datetime import datetime

from .base import OpenEnum


class StopSignal(OpenEnum):
    """How a process is asked to stop: TERM lets it tidy up, KILL does not."""

    TERM = "TERM"
    KILL = "KILL"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopProcessBody:
    """Which process exactly: `started_at` as listed, so that a pid given anew is never hit."""

    started_at: datetime
    signal: StopSignal = StopSignal.TERM
