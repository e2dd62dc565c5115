"""A container's log out of Docker's stream: frames taken apart, lines put together, all bounded."""

import re
import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from homelab_agent.platform.engine.models import LogLine, LogStream

LONGEST_LINE = 16 * 1024
"""What is longer is cut, with a mark."""

MOST_BYTES = 4 * 1024 * 1024
"""What one answer may hold; the oldest lines go first."""

CUT_MARK = "…"

_HEADER = struct.Struct(">BxxxL")
_STREAMS = {0: LogStream.STDOUT, 1: LogStream.STDOUT, 2: LogStream.STDERR}
_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))(?: |$)")

_HALF_CHARACTER = "\ufffd"


@dataclass(frozen=True, slots=True)
class PackedLine:
    """A line as it came: most lines of a fast log are dropped, and those need not be read."""

    stream: LogStream
    raw: bytes
    cut: bool = False

    def unpack(self) -> LogLine:
        """Return the line with its time and its text."""
        found = _TIME.match(self.raw)
        text = self.raw[found.end() :] if found else self.raw
        shown = text.removesuffix(b"\r").decode(errors="replace")
        return LogLine(
            at=_moment(found[1].decode()) if found else None,
            stream=self.stream,
            text=shown.rstrip(_HALF_CHARACTER) + CUT_MARK if self.cut else shown,
        )


class LogSplitter:
    """Takes the body of a logs answer in chunks and gives back the lines that ended in each.

    `framed`: Docker says before each piece how long it is and from which output; the log of a
    TTY container comes bare. A line that is too long is given cut, as soon as it is too long.
    """

    def __init__(self, *, framed: bool) -> None:
        self._framed = framed
        self._head = bytearray()
        self._stream = LogStream.STDOUT
        self._left = 0
        self._fresh = False
        self._open: dict[LogStream, bytearray | None] = {}
        """The begun line of each output; None where the rest of a cut one is passed over."""

    def feed(self, chunk: bytes) -> list[PackedLine]:
        """Read on; return the lines that are whole now."""
        if not self._framed:
            return list(self._lines(LogStream.STDOUT, chunk))
        found: list[PackedLine] = []
        view = memoryview(chunk)
        while view:
            if self._left == 0:
                view = self._read_header(view)
                continue
            piece = bytes(view[: self._left])
            view = view[len(piece) :]
            self._left -= len(piece)
            found.extend(self._lines(self._stream, self._unstamped(piece)))
            self._fresh = False
        return found

    def finish(self) -> list[PackedLine]:
        """Return the unfinished lines."""
        begun, self._open = self._open, {}
        return [PackedLine(stream, bytes(line)) for stream, line in begun.items() if line]

    def _read_header(self, view: memoryview) -> memoryview:
        missing = _HEADER.size - len(self._head)
        self._head += view[:missing]
        if len(self._head) == _HEADER.size:
            number, self._left = _HEADER.unpack(self._head)
            self._stream = _STREAMS.get(number, LogStream.STDOUT)
            self._fresh = True
            self._head.clear()
        return view[missing:]

    def _unstamped(self, piece: bytes) -> bytes:
        """Docker keeps a long line in parts and puts a time before each: only the first counts."""
        if self._fresh and self._stream in self._open:
            found = _TIME.match(piece)
            return piece[found.end() :] if found else piece
        return piece

    def _lines(self, stream: LogStream, piece: bytes) -> Iterator[PackedLine]:
        *whole, rest = piece.split(b"\n")
        for text in whole:
            line = self._open.pop(stream, b"")
            if line is not None:
                raw = bytes(line) + text
                yield PackedLine(stream, raw[:LONGEST_LINE], cut=len(raw) > LONGEST_LINE)
        if rest:
            cut = self._go_on(stream, rest)
            if cut is not None:
                yield cut

    def _go_on(self, stream: LogStream, text: bytes) -> PackedLine | None:
        line = self._open.setdefault(stream, bytearray())
        if line is None:
            return None
        line += text[: LONGEST_LINE + 1 - len(line)]
        if len(line) <= LONGEST_LINE:
            return None
        self._open[stream] = None
        return PackedLine(stream, bytes(line[:LONGEST_LINE]), cut=True)


def _moment(text: str) -> datetime | None:
    """Return a time; None for what only looks like one."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError, OverflowError:
        return None


class LogReader:
    """Takes the body of a logs answer in chunks and keeps its last lines."""

    def __init__(self, lines: int, *, framed: bool) -> None:
        self._splitter = LogSplitter(framed=framed)
        self._tail = LineBuffer(lines, MOST_BYTES)

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        self._tail.extend(self._splitter.feed(chunk))

    def finish(self) -> tuple[LogLine, ...]:
        """Return the lines, an unfinished last one included."""
        self._tail.extend(self._splitter.finish())
        return tuple(line.unpack() for line in self._tail.take())


class LineBuffer:
    """The newest lines, bounded in number and bytes; `dropped` counts those that had to go."""

    def __init__(self, lines: int, size_bytes: int) -> None:
        self._most_lines = lines
        self._most_bytes = size_bytes
        self._lines: deque[PackedLine] = deque()
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._lines)

    def extend(self, lines: list[PackedLine]) -> None:
        """Add lines, which may cost the oldest ones."""
        self._lines.extend(lines)
        self._bytes += sum(len(line.raw) for line in lines)
        while len(self._lines) > self._most_lines or self._bytes > self._most_bytes:
            self._bytes -= len(self._lines.popleft().raw)
            self.dropped += 1

    def take(self, most: int | None = None) -> list[PackedLine]:
        """Take out the oldest lines, all where `most` is not given."""
        count = len(self._lines) if most is None else min(most, len(self._lines))
        taken = [self._lines.popleft() for _ in range(count)]
        self._bytes -= sum(len(line.raw) for line in taken)
        return taken
