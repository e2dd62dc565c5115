"""SMTP (RFC 3207): greeting, EHLO, STARTTLS. Answers may have many lines."""

import asyncio

from homelab_agent.areas.certificates.starttls.interface import (
    MOST_LINES,
    NoStartTls,
    read_line,
)
from homelab_agent.areas.certificates.texts import shown

_READY, _DONE = "220", "250"


async def prepare(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bring an SMTP server to the point where the handshake begins; `NoStartTls` if it refuses."""
    _expect(_READY, await _answer(reader), "greets with")
    writer.write(b"EHLO homelab-agent.invalid\r\n")
    offers = await _answer(reader)
    _expect(_DONE, offers, "answers EHLO with")
    # The first line is the server's name.
    if not any(offer[4:].strip().upper() == "STARTTLS" for offer in offers[1:]):
        raise NoStartTls("The SMTP server does not offer STARTTLS.")
    writer.write(b"STARTTLS\r\n")
    _expect(_READY, await _answer(reader), "answers STARTTLS with")


async def _answer(reader: asyncio.StreamReader) -> list[str]:
    lines: list[str] = []
    while len(lines) < MOST_LINES:
        lines.append(await read_line(reader))
        if lines[-1][3:4] != "-":
            return lines
    raise NoStartTls("The SMTP server does not come to the end of its answer.")


def _expect(code: str, answer: list[str], does: str) -> None:
    if not answer[-1].startswith(code):
        raise NoStartTls(f'The SMTP server {does} "{shown(answer[-1])}".')
