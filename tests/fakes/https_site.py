"""A site that speaks HTTPS at port 443 of an address of its own, as a test says: well or badly."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.tls_servers import Issued

HTTPS_PORT = 443


@dataclass
class HttpsSite:
    """What it answers, which may be changed, and whom it was asked for."""

    address: str
    status: int = 200
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def https_site(issued: Issued, folder: Path, address: str) -> AsyncIterator[HttpsSite]:
    """Serve with a certificate. It takes root, as in the lab."""
    site = HttpsSite(address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(issued.write(folder, f"site-{issued.certificate.serial_number:x}"))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            site.asked += [
                line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("Host: ")
            ]
            writer.write(f"HTTP/1.1 {site.status} X\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, address, HTTPS_PORT, ssl=context)
    try:
        yield site
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()
