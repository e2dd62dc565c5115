"""A proxy before a real name server that takes updates, over TCP; it may keep them, or lie.

It knows no key, so it can change nothing of what is signed.
"""

import asyncio
from contextlib import suppress
from typing import override

from tests.fakes.tcp_proxy import TcpProxy

_UPDATE = 5
_CHUNK_BYTES = 65536


class FaultyDnsProxy(TcpProxy):
    """`fault`: what happens to the next update: "cut before", "cut after", "lies" or "hangs"."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.fault: str | None = None
        self.changes = 0

    @override
    async def _serve(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        handing: asyncio.Task[None] | None = None
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            message = await _message(from_client)
            match self._struck(message):
                case "lies":
                    to_client.write(_framed(_unsigned_success(message)))
                case "cut after":
                    await self._kept(message)
                    to_client.transport.abort()
                case "cut before":
                    to_client.transport.abort()
                case None:
                    handing = asyncio.create_task(self._hand_on(message, to_client))
            # The client ends the conversation as soon as it has all that it wants.
            await from_client.read()
        if handing:
            handing.cancel()
            await asyncio.gather(handing, return_exceptions=True)
        to_client.close()

    def _struck(self, message: bytes) -> str | None:
        # An update of nothing is only a question whether one might.
        if (message[2] >> 3) & 15 != _UPDATE or not int.from_bytes(message[8:10]):
            return None
        self.changes += 1
        fault, self.fault = self.fault, None
        return fault

    async def _kept(self, message: bytes) -> None:
        """Have it done, and keep the answer."""
        answering, answered = await asyncio.open_connection(*self._server_at)
        answered.write(_framed(message))
        await _message(answering)
        answered.transport.abort()

    async def _hand_on(self, message: bytes, asked: asyncio.StreamWriter) -> None:
        answering, answered = await asyncio.open_connection(*self._server_at)
        try:
            answered.write(_framed(message))
            while chunk := await answering.read(_CHUNK_BYTES):
                asked.write(chunk)
                await asked.drain()
        finally:
            answered.transport.abort()


async def _message(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2)))


def _framed(message: bytes) -> bytes:
    return len(message).to_bytes(2) + message


def _unsigned_success(message: bytes) -> bytes:
    """Return NOERROR to an update, as anybody could say it."""
    return message[:2] + bytes([0x80 | (_UPDATE << 3), 0]) + bytes(8)
