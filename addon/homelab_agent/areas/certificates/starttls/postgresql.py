"""PostgreSQL: SSLRequest, answered by one letter."""

import asyncio
import struct

from homelab_agent.areas.certificates.starttls.interface import NoStartTls, read_exactly

_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_YES, _NO, _ERROR = b"S", b"N", b"E"


async def prepare(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bring a server to the point where the handshake begins; `NoStartTls` if it refuses."""
    writer.write(_SSL_REQUEST)
    answer = await read_exactly(reader, 1)
    if answer == _NO:
        raise NoStartTls("The PostgreSQL server has TLS switched off (ssl = off).")
    if answer == _ERROR:
        raise NoStartTls("The PostgreSQL server answers the wish for TLS with an error.")
    if answer != _YES:
        raise NoStartTls("What answers there does not speak PostgreSQL.")
