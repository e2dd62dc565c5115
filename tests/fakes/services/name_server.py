"""A name server that says what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

type Answerer = Callable[[bytes], bytes | None]


@dataclass
class NameServer:
    """Where it is, and what it was asked. `over_tcp`: how often that way."""

    port: int = 0
    came: int = 0
    over_tcp: int = 0
    transports: list[asyncio.DatagramTransport] = field(default_factory=list)
    asked_from: list[tuple[str, int]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def was_asked(self) -> bool:
        """Return whether a datagram came."""
        return self.came > 0


def knows(*records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Answerer:
    """Answer with these records, written as in a zone file: "nas.lab. 60 IN A 192.0.2.1"."""

    def answer(asked: bytes) -> bytes:
        response = dns.message.make_response(dns.message.from_wire(asked))
        response.set_rcode(rcode)
        for record in records:
            name, ttl, kind, record_type, value = record.split(maxsplit=4)
            response.answer.append(dns.rrset.from_text(name, int(ttl), kind, record_type, value))
        return response.to_wire()

    return answer


def silent(_: bytes) -> None:
    """Say nothing."""


def truncated(asked: bytes) -> bytes:
    """Say that the answer is too long for a datagram."""
    response = dns.message.make_response(dns.message.from_wire(asked))
    response.flags |= dns.flags.TC
    return response.to_wire()


@asynccontextmanager
async def name_server(over_udp: Answerer, over_tcp: Answerer = silent) -> AsyncIterator[NameServer]:
    """Serve on one port, both ways."""
    server = NameServer()

    class Datagrams(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.DatagramTransport)
            server.transports.append(transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            server.came += 1
            server.asked_from.append(addr)
            answer = over_udp(data)
            if answer is not None:
                server.transports[0].sendto(answer, addr)

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.over_tcp += 1
        asked = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        answer = over_tcp(asked)
        if answer is None:
            await reader.read()
        else:
            writer.write(len(answer).to_bytes(2) + answer)
            await writer.drain()
        writer.close()

    streams = await asyncio.start_server(stream, "127.0.0.1", 0)
    server.port = streams.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    datagrams, _ = await loop.create_datagram_endpoint(
        Datagrams, local_addr=("127.0.0.1", server.port)
    )
    try:
        yield server
    finally:
        datagrams.close()
        streams.close()
        streams.close_clients()
        await streams.wait_closed()
