"""Asks one name server one question, with dnspython. It is only loaded where it is used.

There are no deadlines in here: dnspython's own would be of the wall clock, which may be set
meanwhile.
"""

import asyncio
import socket
from ipaddress import ip_address

from dns.message import Message, from_wire
from dns.resolver import NoResolverConfiguration, Resolver

from homelab_agent.platform.outbound.name_server import DNS_PORT

QUICKLY_READ_BYTES = 1232
"""A longer answer may be made to be slow to read: its names lead to each other."""

_HEADER_BYTES = 12
_LENGTH_BYTES = 2
_MOST_BYTES = 65535
_RESPONSE = 0x80
_TRUNCATED = 0x02
_RCODE = 0x0F
_TYPE_AND_CLASS_BYTES = 4

type Server = tuple[str, int]


def servers_of_the_system() -> tuple[Server, ...]:
    """Return the name servers that this machine is set to ask; it reads a file."""
    try:
        found = Resolver().nameservers
    except NoResolverConfiguration:
        return ()
    return tuple((str(server), DNS_PORT) for server in found)


async def exchange(query: Message, server: Server) -> Message:
    """Return the answer of a server, over TCP where it is too long for a datagram.

    Raises:
        OSError: it cannot be reached; also where nobody listens.
        DNSException, EOFError: it did not answer in proper DNS.
    """
    answer = await exchange_wire(query.to_wire(), server)
    if len(answer) > QUICKLY_READ_BYTES:
        return await asyncio.to_thread(from_wire, answer)
    return from_wire(answer)


async def exchange_wire(query: bytes, server: Server) -> bytes:
    """Return what a server answers to a question, both as they are on the wire; see `exchange`.

    What comes meanwhile and is no answer to this question is passed over.
    """
    answer = await _over_udp(query, server)
    return await _over_tcp(query, server) if answer[2] & _TRUNCATED else answer


async def _over_udp(query: bytes, server: Server) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(_family(server), socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        # A connected socket hears that nobody listens there, and hears nobody else.
        asking.connect(server)
        await loop.sock_sendall(asking, query)
        while True:
            answer = await loop.sock_recv(asking, _MOST_BYTES)
            if _answers(answer, query):
                return answer
            # Whoever floods us would else keep everybody waiting: what is there is read at once.
            await asyncio.sleep(0)


async def _over_tcp(query: bytes, server: Server) -> bytes:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(query).to_bytes(_LENGTH_BYTES) + query)
        await writer.drain()
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
        answer = await reader.readexactly(length)
    finally:
        writer.close()
    if not _answers(answer, query):
        raise EOFError("it answered something else")
    return answer


def _answers(answer: bytes, query: bytes) -> bool:
    """Return whether this is the answer to that question."""
    if len(answer) < _HEADER_BYTES or answer[:2] != query[:2] or not answer[2] & _RESPONSE:
        return False
    if answer[4:6] == b"\0\0":
        # Who says that it did not understand may leave the question out.
        return bool(answer[3] & _RCODE)
    end = _end_of_question(query)
    return answer[_HEADER_BYTES:end].lower() == query[_HEADER_BYTES:end].lower()


def _end_of_question(query: bytes) -> int:
    at = _HEADER_BYTES
    while query[at]:
        at += query[at] + 1
    return at + 1 + _TYPE_AND_CLASS_BYTES


def _family(server: Server) -> socket.AddressFamily:
    is_ipv6 = ip_address(server[0]).version == 6  # noqa: PLR2004
    return socket.AF_INET6 if is_ipv6 else socket.AF_INET
