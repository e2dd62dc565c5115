"""What was measured over some time, in whole milliseconds, so that sums are exact."""

from collections.abc import Iterator

from homelab_agent.areas.monitors.models import Span
from homelab_agent.areas.monitors.responses import Responses, encode, quantile_ms, slot_of

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86400
LENGTHS_S = (MINUTE_S, HOUR_S, DAY_S)


class Tally:
    """Time up and down, checks and those that failed, response times of the others."""

    __slots__ = ("checks", "down_ms", "errors", "responses", "up_ms")

    def __init__(self) -> None:
        self.up_ms = 0
        self.down_ms = 0
        self.checks = 0
        self.errors = 0
        self.responses: Responses = {}

    def spend(self, duration_ms: int, *, up: bool) -> None:
        """Add time."""
        if up:
            self.up_ms += duration_ms
        else:
            self.down_ms += duration_ms

    def count(self, *, ok: bool, slot: int | None) -> None:
        """Add a check."""
        self.checks += 1
        self.errors += not ok
        if slot is not None:
            self.responses[slot] = self.responses.get(slot, 0) + 1

    def add(self, other: Tally, sign: int = 1) -> None:
        """Add another one; with `sign` -1 take it away."""
        self.up_ms += sign * other.up_ms
        self.down_ms += sign * other.down_ms
        self.checks += sign * other.checks
        self.errors += sign * other.errors
        for slot, number in other.responses.items():
            left = self.responses.get(slot, 0) + sign * number
            if left:
                self.responses[slot] = left
            else:
                self.responses.pop(slot, None)

    def values(self) -> dict[str, int | bytes]:
        """Return it as a row of the store holds it."""
        return {
            "up_ms": self.up_ms,
            "down_ms": self.down_ms,
            "checks": self.checks,
            "errors": self.errors,
            "responses": encode(self.responses),
        }


def response_slot(*, ok: bool, response_ms: float | None) -> int | None:
    """Return where a check counts among response times; a failed one has none that means much."""
    return slot_of(response_ms) if ok and response_ms is not None else None


def pieces(start_ms: int, end_ms: int, length_s: int) -> Iterator[tuple[int, int]]:
    """Cut a time at the borders of buckets: the start of each in seconds, and its part in ms."""
    length_ms = length_s * 1000
    while start_ms < end_ms:
        border_ms = start_ms - start_ms % length_ms
        upto_ms = min(end_ms, border_ms + length_ms)
        yield border_ms // 1000, upto_ms - start_ms
        start_ms = upto_ms


def span(tally: Tally) -> Span:
    """Return it as the wire has it."""
    watched_ms = tally.up_ms + tally.down_ms
    return Span(
        uptime_percent=percent(tally.up_ms, watched_ms),
        error_percent=percent(tally.errors, tally.checks),
        response_p50_ms=_rounded_ms(quantile_ms(tally.responses, 0.5)),
        response_p95_ms=_rounded_ms(quantile_ms(tally.responses, 0.95)),
        up_s=tally.up_ms / 1000,
        down_s=tally.down_ms / 1000,
        checks=tally.checks,
    )


def percent(part: int, whole: int) -> float | None:
    """Return a share to a thousandth; None of nothing. Only all is 100, and only none is 0."""
    if whole == 0:
        return None
    share = round(100 * part / whole, 3)
    if part != whole and share == 100:  # noqa: PLR2004  # percent
        return 99.999
    return 0.001 if part and share == 0 else share


def _rounded_ms(value: float | None) -> float | None:
    if value is None:
        return None
    return round(value, 1) if value < 100 else round(value)  # noqa: PLR2004  # three digits
