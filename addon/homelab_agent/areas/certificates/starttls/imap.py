"""IMAP (RFC 9051, 6.2.1): greeting, STARTTLS."""

import asyncio

from homelab_agent.areas.certificates.starttls.interface import (
    MOST_LINES,
    NoStartTls,
    read_line,
)
from homelab_agent.areas.certificates.texts import shown

_TAG = "a1"


async def prepare(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bring an IMAP server to the point where the handshake begins; `NoStartTls` if it refuses."""
    greeting = await read_line(reader)
    if not greeting.upper().startswith(("* OK", "* PREAUTH")):
        raise NoStartTls(f'The IMAP server greets with "{shown(greeting)}".')
    writer.write(f"{_TAG} STARTTLS\r\n".encode())
    for _ in range(MOST_LINES):
        line = await read_line(reader)
        if line.startswith(f"{_TAG} "):
            if line.upper().startswith(f"{_TAG.upper()} OK"):
                return
            raise NoStartTls(f'The IMAP server answers STARTTLS with "{shown(line)}".')
    raise NoStartTls("The IMAP server does not come to the end of its answer.")
