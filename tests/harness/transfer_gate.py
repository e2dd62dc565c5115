"""A door between two name servers that can be held shut, so that the second stays behind."""

import asyncio
from contextlib import suppress

from tests.harness.name_servers import DNS_PORT

_CHUNK_BYTES = 65536


class TransferGate:
    """Listens at an address of its own and hands every TCP connection on to the primary.

    `delay_s`: every connection waits for so long first. `hold`: until `release`.
    """

    def __init__(self, address: str, primary: str, port: int) -> None:
        self.server = f"{address}@{port}"
        """Its address as Knot writes it."""
        self.delay_s = 0.0
        self._address = address
        self._primary = (primary, port)
        self._open = asyncio.Event()
        self._open.set()
        self._listening: asyncio.Server | None = None

    def hold(self) -> None:
        """Let nobody through from now on."""
        self._open.clear()

    def release(self) -> None:
        """Let all through, also those that wait."""
        self._open.set()

    async def start(self) -> None:
        """Listen."""
        self._listening = await asyncio.start_server(self._serve, self._address, DNS_PORT)

    async def close(self) -> None:
        """Be gone."""
        self.release()
        if self._listening:
            self._listening.close()
            self._listening.close_clients()
            await self._listening.wait_closed()

    async def _serve(self, asking: asyncio.StreamReader, asked: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(self.delay_s)
            await self._open.wait()
            answering, answered = await asyncio.open_connection(*self._primary)
        except OSError:
            asked.transport.abort()
            return
        both = (_hand_on(asking, answered), _hand_on(answering, asked))
        with suppress(ConnectionError):
            await asyncio.gather(*both)


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
