"""A proxy before a real server, at an address of its own; what it does there is its own affair."""

import asyncio
from types import TracebackType
from typing import Self


class TcpProxy:
    """`address`: where it listens, as host:port. What it is for is in `_serve` of its children."""

    def __init__(self, host: str, port: int) -> None:
        self.address = ""
        self._server_at = (host, port)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Be gone."""
        if self._server:
            self._server.close()
            self._server.close_clients()
            await self._server.wait_closed()

    async def _serve(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        raise NotImplementedError
