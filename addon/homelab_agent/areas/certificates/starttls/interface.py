"""What a protocol has to do before TLS begins."""

import asyncio
from collections.abc import Awaitable, Callable

MOST_LINE_BYTES = 2048
MOST_LINES = 100

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
type Prepare = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class NoStartTls(Exception):
    """The server does not begin TLS; the message says in a sentence why."""


async def read_line(reader: asyncio.StreamReader) -> str:
    """Return the next line without its end.

    Raises:
        NoStartTls: it never ends, or the server closed the connection.
    """
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise NoStartTls("It sends a line without an end.") from error
    except asyncio.IncompleteReadError as error:
        raise NoStartTls("It closed the connection before TLS began.") from error
    if len(line) > MOST_LINE_BYTES:
        raise NoStartTls("It sends lines longer than any answer may be.")
    return line.decode(errors="replace").rstrip("\r\n")


async def read_exactly(reader: asyncio.StreamReader, count: int) -> bytes:
    """Return so many bytes; `NoStartTls` where the server closes before."""
    try:
        return await reader.readexactly(count)
    except asyncio.IncompleteReadError as error:
        raise NoStartTls("It closed the connection before TLS began.") from error
