"""A relay before any server that speaks in turns: each question is decided upon before it goes on.

So that a test can stop the world exactly where it wants to: before a question reaches a server, or
after the server did what was asked and before anybody hears of it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 65536


class Way(StrEnum):
    """What becomes of a question.

    HOLD: it waits until `release`. DO_AND_HOLD: it is asked, and its answer waits. CUT: the
    connection is ended.
    """

    PASS = "pass"
    HOLD = "hold"
    DO_AND_HOLD = "do_and_hold"
    CUT = "cut"


type Gate = Callable[[str, bytes], Awaitable[Way]]
"""Decides by the name of the relay and the question, or the first part of it."""


async def open_gate(_name: str, _question: bytes) -> Way:
    """Let everything pass."""
    return Way.PASS


@dataclass(slots=True)
class Exchange:
    """A question, and when the last of its answer went on so far; both by the monotonic clock."""

    began_s: float
    ended_s: float | None = None


class GatedRelay:
    """Listens at `address` (a path, or host and port) for what is at `server`.

    `gate` is asked with the relay's `name` about every question: what a client sends first, and
    what it sends after it was answered. Each answer is taken for the whole of it.
    """

    def __init__(
        self, name: str, server: str | tuple[str, int], address: str | tuple[str, int]
    ) -> None:
        self.name = name
        self.gate: Gate = open_gate
        self.exchanges: list[Exchange] = []
        """All that was asked here. One without an end was not answered yet, or was cut off."""
        self._server = server
        self._address = address
        self._released = asyncio.Event()
        self._listening: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        if isinstance(self._address, str):
            self._listening = await asyncio.start_unix_server(self._serve, self._address)
        else:
            self._listening = await asyncio.start_server(self._serve, *self._address)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
        if self._listening:
            self._listening.close()
            self._listening.close_clients()
            await self._listening.wait_closed()

    @property
    def port(self) -> int:
        """The port that it listens at."""
        assert self._listening is not None
        return int(self._listening.sockets[0].getsockname()[1])

    def release(self) -> None:
        """Cut off all that waits, as if its client had gone; later ones are decided upon anew."""
        self._released.set()
        self._released = asyncio.Event()

    async def _serve(self, asking: asyncio.StreamReader, asked: asyncio.StreamWriter) -> None:
        try:
            answering, answered = await self._connect()
        except OSError:
            asked.transport.abort()
            return
        turn = _Turn(self)
        there = asyncio.create_task(turn.questions(asking, answered))
        back = asyncio.create_task(turn.answers(answering, asked))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            if there.done() and not there.exception() and there.result():
                with suppress(OSError):
                    answered.write_eof()
                await asyncio.wait((back,), timeout=5)
        finally:
            for each in (there, back):
                each.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            answered.transport.abort()
            asked.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._server, str):
            return await asyncio.open_unix_connection(self._server)
        return await asyncio.open_connection(*self._server)

    async def wait(self) -> None:
        """Return when what waits now is cut off."""
        await self._released.wait()


class _Turn:
    """One connection: whose turn it is, and what was decided of the question that is open."""

    def __init__(self, relay: GatedRelay) -> None:
        self._relay = relay
        self._is_asking = False
        self._way = Way.PASS
        self._exchange: Exchange | None = None

    async def questions(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Hand on what the client says; return whether it ended in order."""
        while chunk := await reader.read(_CHUNK_BYTES):
            if not self._is_asking:
                self._is_asking = True
                self._exchange = Exchange(monotonic())
                self._relay.exchanges.append(self._exchange)
                self._way = await self._relay.gate(self._relay.name, chunk)
                if self._way is Way.CUT:
                    return False
                if self._way is Way.HOLD:
                    await self._relay.wait()
                    return False
            writer.write(chunk)
            await writer.drain()
        return True

    async def answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on what the server says."""
        while chunk := await reader.read(_CHUNK_BYTES):
            if self._way is Way.DO_AND_HOLD:
                await self._relay.wait()
                return
            self._is_asking = False
            if self._exchange:
                self._exchange.ended_s = monotonic()
            writer.write(chunk)
            await writer.drain()
