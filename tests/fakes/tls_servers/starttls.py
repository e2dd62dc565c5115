"""What is spoken in plain text before the handshake, from the server's side, and refusals of it.

Made from the RFCs; `openssl s_client -starttls` gets along with each of them, which a test shows.
"""

import asyncio

from tests.fakes.tls_servers.server import Talk


async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220-mail.lab.example ESMTP\r\n220 at your service\r\n")
    await reader.readuntil(b"\r\n")
    writer.write(b"250-mail.lab.example\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
    await reader.readuntil(b"\r\n")
    writer.write(b"220 Ready to start TLS\r\n")


async def imap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")
    while True:
        tag, command = (await reader.readuntil(b"\r\n")).split(None, 1)
        if command.strip().upper() == b"STARTTLS":
            writer.write(b"* BYE-not untagged news\r\n" + tag + b" OK begin TLS\r\n")
            return
        writer.write(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")


async def ldap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _extended_request(reader)
    writer.write(_ldap_response(0))


async def postgresql(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert await reader.readexactly(8) == bytes.fromhex("0000000804d2162f")
    writer.write(b"S")


def saying(*answers: bytes) -> Talk:
    """A server that gives these answers, one after each thing that it is told."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            writer.write(answer)
            await reader.read(1024)

    return talk


def answering(answer: bytes) -> Talk:
    """A server that waits to be told something, and gives this answer."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(answer)
        await reader.read(1024)

    return talk


def _ldap_response(code: int) -> bytes:
    response = bytes((0x0A, 1, code)) + b"\x04\x00\x04\x00"
    message = b"\x02\x01\x01" + bytes((0x78, len(response))) + response
    # The long form of a length, as OpenLDAP writes it sometimes.
    return b"\x30\x84" + len(message).to_bytes(4) + message


def ldap_refusing(code: int) -> Talk:
    """An LDAP server that answers StartTLS with this result."""
    return answering(_ldap_response(code))


async def _extended_request(reader: asyncio.StreamReader) -> None:
    tag, length = await reader.readexactly(2)
    assert tag == 0x30
    message = await reader.readexactly(length)
    assert b"1.3.6.1.4.1.1466.20037" in message
