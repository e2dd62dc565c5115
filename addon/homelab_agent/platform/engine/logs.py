"""A container's log out of Docker's stream: frames taken apart, lines put together, all bounded."""

import re
import struct
from collections import deque
from collections.abc import Iterator
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


class LogReader:
    """Takes the body of a logs answer in chunks and keeps its last lines.

    `framed`: Docker says before each piece how long it is and from which output; the log of a
    TTY container comes bare.
    """

    def __init__(self, lines: int, *, framed: bool) -> None:
        self._tail = _Tail(lines)
        self._framed = framed
        self._head = bytearray()
        self._stream = LogStream.STDOUT
        self._left = 0
        self._fresh = False

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        if not self._framed:
            self._tail.add(LogStream.STDOUT, chunk, fresh=False)
            return
        view = memoryview(chunk)
        while view:
            if self._left == 0:
                view = self._read_header(view)
                continue
            piece = bytes(view[: self._left])
            view = view[len(piece) :]
            self._left -= len(piece)
            self._tail.add(self._stream, piece, fresh=self._fresh)
            self._fresh = False

    def finish(self) -> tuple[LogLine, ...]:
        """Return the lines, an unfinished last one included."""
        return self._tail.finish()

    def _read_header(self, view: memoryview) -> memoryview:
        missing = _HEADER.size - len(self._head)
        self._head += view[:missing]
        if len(self._head) == _HEADER.size:
            number, self._left = _HEADER.unpack(self._head)
            self._stream = _STREAMS.get(number, LogStream.STDOUT)
            self._fresh = True
            self._head.clear()
        return view[missing:]


class _Tail:
    """The last lines of both outputs, in the order in which they ended."""

    def __init__(self, lines: int) -> None:
        self._most = lines
        self._lines: deque[tuple[LogStream, bytes, bool]] = deque()
        self._bytes = 0
        self._open: dict[LogStream, tuple[bytearray, bool]] = {}

    def add(self, stream: LogStream, piece: bytes, *, fresh: bool) -> None:
        """Add what came; `fresh` where a frame begins with it."""
        if fresh and stream in self._open:
            # Docker keeps a long line in parts and puts a time before each of them.
            piece = _TIME.sub(b"", piece, count=1) if _TIME.match(piece) else piece
        for text, ended in _parts(piece):
            line, cut = self._open.get(stream) or (bytearray(), False)
            room = LONGEST_LINE - len(line)
            line += text[:room]
            self._open[stream] = (line, cut or len(text) > room)
            if ended:
                self._end(stream)

    def finish(self) -> tuple[LogLine, ...]:
        for stream in tuple(self._open):
            self._end(stream)
        return tuple(_line(stream, text, cut=cut) for stream, text, cut in self._lines)

    def _end(self, stream: LogStream) -> None:
        line, cut = self._open.pop(stream)
        self._lines.append((stream, bytes(line), cut))
        self._bytes += len(line)
        while len(self._lines) > self._most or self._bytes > MOST_BYTES:
            self._bytes -= len(self._lines.popleft()[1])


def _parts(piece: bytes) -> Iterator[tuple[bytes, bool]]:
    *whole, rest = piece.split(b"\n")
    for text in whole:
        yield text, True
    if rest:
        yield rest, False


def _line(stream: LogStream, raw: bytes, *, cut: bool) -> LogLine:
    found = _TIME.match(raw)
    text = raw[found.end() :] if found else raw
    return LogLine(
        at=datetime.fromisoformat(found[1].decode()).astimezone(UTC) if found else None,
        stream=stream,
        text=text.removesuffix(b"\r").decode(errors="replace") + (CUT_MARK if cut else ""),
    )
