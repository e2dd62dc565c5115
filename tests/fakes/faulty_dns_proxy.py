"""A proxy before a real name server that takes updates, over TCP; it may keep them, or lie.

It knows no key, so it can change nothing of what is signed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_UPDATE = 5
_CHUNK_BYTES = 65536


class FaultyDnsProxy:
    """`fault`: what happens to the next update: "cut before", "cut after", "lies" or "hangs"."""

    def __init__(self, host: str, port: int) -> None:
        self.address = ""
        self.fault: str | None = None
        self.changes = 0
        self._target = (host, port)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"

    async def close(self) -> None:
        """Be gone."""
        if self._server:
            self._server.close()
            self._server.close_clients()
            await self._server.wait_closed()

    async def _serve(self, asking: asyncio.StreamReader, asked: asyncio.StreamWriter) -> None:
        handing: asyncio.Task[None] | None = None
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            message = await _message(asking)
            match self._struck(message):
                case "lies":
                    asked.write(_framed(_unsigned_success(message)))
                case "cut after":
                    await self._kept(message)
                    asked.transport.abort()
                case "cut before":
                    asked.transport.abort()
                case None:
                    handing = asyncio.create_task(self._hand_on(message, asked))
            # The client ends the conversation as soon as it has all that it wants.
            await asking.read()
        if handing:
            handing.cancel()
            await asyncio.gather(handing, return_exceptions=True)
        asked.close()

    def _struck(self, message: bytes) -> str | None:
        # An update of nothing is only a question whether one might.
        if (message[2] >> 3) & 15 != _UPDATE or not int.from_bytes(message[8:10]):
            return None
        self.changes += 1
        fault, self.fault = self.fault, None
        return fault

    async def _kept(self, message: bytes) -> None:
        """Have it done, and keep the answer."""
        answering, answered = await asyncio.open_connection(*self._target)
        answered.write(_framed(message))
        await _message(answering)
        answered.transport.abort()

    async def _hand_on(self, message: bytes, asked: asyncio.StreamWriter) -> None:
        answering, answered = await asyncio.open_connection(*self._target)
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


@asynccontextmanager
async def faulty_dns_proxy(host: str, port: int) -> AsyncIterator[FaultyDnsProxy]:
    """Give a running proxy."""
    proxy = FaultyDnsProxy(host, port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
