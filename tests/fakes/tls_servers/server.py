"""Real TLS servers on a port of their own, and servers that say something else."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.tls_servers.authority import Issued

type Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class TlsServer:
    """A server and what came to it. `issued` may be changed: the next handshake shows it."""

    port: int = 0
    asked_names: list[str | None] = field(default_factory=list)
    connections: int = 0
    show: Callable[[Issued], None] = lambda _: None


@asynccontextmanager
async def tls_server(
    issued: Issued,
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    newest: ssl.TLSVersion | None = None,
    client_authority: Path | None = None,
    before: Talk | None = None,
) -> AsyncIterator[TlsServer]:
    """Serve TLS with a certificate; `before` is spoken in plain text first (STARTTLS).

    `newest` protocol that it speaks; `client_authority`: it wants certificates of its clients.
    """
    told = TlsServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Whatever is wrong with a certificate, this server shows it.
    context.set_ciphers("ALL:@SECLEVEL=0")
    if newest is not None:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nobody should speak it any more is the point
            context.maximum_version = newest
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_REQUIRED

    def show(new: Issued) -> None:
        context.load_cert_chain(new.write(folder, f"shown-{new.certificate.serial_number:x}"))

    def note(_socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        told.asked_names.append(name)

    show(issued)
    told.show = show
    context.sni_callback = note

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            if before is not None:
                await before(reader, writer)
                await writer.start_tls(context)
            await reader.read(1)
        writer.close()

    loop_wide = await asyncio.start_server(
        serve, host, port, ssl=None if before is not None else context
    )
    told.port = loop_wide.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        loop_wide.close()
        loop_wide.close_clients()
        await loop_wide.wait_closed()


@asynccontextmanager
async def plain_server(talk: Talk, *, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Serve whatever `talk` says to each who connects; gives the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()
