"""Asks one name server one question, with dnspython. It is only loaded where it is used."""

import socket

from dns.asyncbackend import get_backend
from dns.asyncquery import udp_with_fallback
from dns.inet import af_for_address
from dns.message import Message
from dns.resolver import NoResolverConfiguration, Resolver

from homelab_agent.platform.outbound.name_server import DNS_PORT

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

    There is no deadline in here: dnspython's own would be one of the wall clock, which may be set
    meanwhile.

    Raises:
        OSError: it cannot be reached; also where nobody listens.
        DNSException, EOFError: it did not answer in proper DNS.
    """
    host, port = server
    # A connected socket hears that nobody listens there.
    connecting = get_backend("asyncio").make_socket(  # type: ignore[no-untyped-call]
        af_for_address(host), socket.SOCK_DGRAM, 0, None, server
    )
    async with await connecting as connected:
        answer, _ = await udp_with_fallback(
            query, host, None, port, udp_sock=connected, ignore_unexpected=True, ignore_errors=True
        )
        return answer
