"""A proxy before a real server that hangs up in the middle of what is long."""

import asyncio
from typing import override

from tests.fakes.tcp_proxy import TcpProxy

_CHUNK_BYTES = 65536


class CuttingProxy(TcpProxy):
    """Every connection ends after `cut_after_bytes` of what the server says; None: never."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.cut_after_bytes: int | None = None
        self.cuts = 0

    @override
    async def _serve(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        from_server, to_server = await asyncio.open_connection(*self._server_at)
        asking = asyncio.create_task(_hand_on(from_client, to_server))
        try:
            await self._answer(from_server, to_client)
        except ConnectionError:
            pass
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            for writer in (to_client, to_server):
                writer.transport.abort()

    async def _answer(
        self, from_server: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        said_bytes = 0
        while chunk := await from_server.read(_CHUNK_BYTES):
            said_bytes += len(chunk)
            to_client.write(chunk)
            await to_client.drain()
            if self.cut_after_bytes is not None and said_bytes > self.cut_after_bytes:
                self.cuts += 1
                return


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
