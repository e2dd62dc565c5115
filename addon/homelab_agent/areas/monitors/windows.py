"""The times that reports are about, and from which buckets each is put together."""

from dataclasses import dataclass
from enum import StrEnum

from homelab_agent.areas.monitors.tally import DAY_S, HOUR_S, MINUTE_S


class Window(StrEnum):
    """How far back."""

    HOUR = "hour"
    SIX_HOURS = "six_hours"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class _Measure:
    """`edge_s`: the window begins at a whole one of these."""

    length_s: int
    edge_s: int


_MEASURES = {
    Window.HOUR: _Measure(HOUR_S, MINUTE_S),
    Window.SIX_HOURS: _Measure(6 * HOUR_S, MINUTE_S),
    Window.DAY: _Measure(DAY_S, MINUTE_S),
    Window.WEEK: _Measure(7 * DAY_S, HOUR_S),
    Window.MONTH: _Measure(30 * DAY_S, HOUR_S),
    Window.YEAR: _Measure(365 * DAY_S, DAY_S),
}


def edge_s(window: Window) -> int:
    """Return the length of the buckets that leave a window as it moves on."""
    return _MEASURES[window].edge_s


def start_s(window: Window, now_ms: int) -> int:
    """Return when a window begins, in seconds since 1970: at a whole minute, hour or day."""
    measure = _MEASURES[window]
    start = now_ms // 1000 - measure.length_s
    return start - start % measure.edge_s


@dataclass(frozen=True, slots=True)
class Part:
    """Buckets of one length from a start on; `until_s` None: all of them."""

    length_s: int
    since_s: int
    until_s: int | None

    def has(self, length_s: int, start_s: int) -> bool:
        """Return whether a bucket belongs to it."""
        return (
            length_s == self.length_s
            and start_s >= self.since_s
            and (self.until_s is None or start_s < self.until_s)
        )


def parts(window: Window, begin_s: int) -> tuple[Part, ...]:
    """Return what makes up a window: its edge from small buckets, all behind it from large ones."""
    found: list[Part] = []
    since_s = begin_s
    for length_s, larger_s in ((MINUTE_S, HOUR_S), (HOUR_S, DAY_S)):
        if length_s >= edge_s(window):
            until_s = -(-since_s // larger_s) * larger_s
            if since_s < until_s:
                found.append(Part(length_s, since_s, until_s))
            since_s = until_s
    return (*found, Part(DAY_S, since_s, None))
