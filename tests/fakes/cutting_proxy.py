"""A proxy before a real server that hangs up in the middle of what is long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_CHUNK_BYTES = 65536


class CuttingProxy:
    """Every connection ends after `cut_after_bytes` of what the server says; None: never."""

    def __init__(self, host: str, port: int) -> None:
        self.address = ""
        self.cut_after_bytes: int | None = None
        self.cuts = 0
        self._server_at = (host, port)
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


@asynccontextmanager
async def cutting_proxy(host: str, port: int) -> AsyncIterator[CuttingProxy]:
    """Give a running proxy."""
    proxy = CuttingProxy(host, port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
