"""Invented log lines: the same ones whenever the same time is asked for."""

from datetime import UTC, datetime, timedelta
from random import Random

from homelab_agent.platform.engine.logs import PackedLine
from homelab_agent.platform.engine.models import LogLine, LogStream

_EVERY = timedelta(seconds=17)
_OLDEST = timedelta(days=2)

MOST_INVENTED = 5000
"""As many lines as anybody asks for."""


def invent_lines(
    name: str,
    texts: tuple[str, ...],
    *,
    tail: int,
    since: datetime | None,
    until: datetime,
    stream: LogStream | None = None,
) -> tuple[LogLine, ...]:
    """Return the last `tail` lines a container would have written up to `until`."""
    oldest = max(until - _OLDEST, since) if since else until - _OLDEST
    slot = int(until.timestamp() / _EVERY.total_seconds())
    found: list[LogLine] = []
    while texts and len(found) < tail:
        at = datetime.fromtimestamp(slot * _EVERY.total_seconds(), UTC)
        if at < oldest:
            break
        line = _line(name, texts, slot, at)
        if at <= until and stream in {None, line.stream}:
            found.append(line)
        slot -= 1
    return tuple(reversed(found))


def packed(line: LogLine) -> PackedLine:
    """Return a line as Docker would have sent it."""
    stamp = f"{line.at.isoformat()} " if line.at else ""
    return PackedLine(line.stream, f"{stamp}{line.text}".encode())


def _line(name: str, texts: tuple[str, ...], slot: int, at: datetime) -> LogLine:
    dice = Random(f"{name} {slot}")  # noqa: S311 - nothing secret is drawn
    text = dice.choice(texts).replace("{n}", str(dice.randint(2, 99)))
    bad = any(sign in text.lower() for sign in ("error", "warn", "fail"))
    return LogLine(at=at, stream=LogStream.STDERR if bad else LogStream.STDOUT, text=text)
