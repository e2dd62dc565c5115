"""How a server can misbehave, whatever it should have spoken."""

import asyncio
import os
import socket
import struct

from tests.fakes.services.server import Talk

_CHUNK = b"x" * 65536
_DRIP_S = 0.02
_AT_ONCE = struct.pack("ii", 1, 0)


async def hangs(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Take everything and say nothing."""
    while await reader.read(65536):
        pass


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hang up without a word, and in good order: what is not read yet would become a reset."""
    writer.write_eof()
    await hangs(reader, writer)


async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Break the connection off as a program that is killed does."""
    reset(writer)


async def gabbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say what means nothing, and wait."""
    writer.write(b"\x00\xff\x13garbage\r\n" + os.urandom(512) + b"\r\n\r\n")
    await writer.drain()
    await hangs(reader, writer)


def says(words: bytes) -> Talk:
    """Say this, and listen."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        await hangs(reader, writer)

    return talk


def says_and_ends(words: bytes) -> Talk:
    """Say this and hang up, whatever is asked."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await closes(reader, writer)

    return talk


def drips(beginning: bytes) -> Talk:
    """Begin well, and then say a letter at a time, for ever."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(_DRIP_S)

    return talk


def floods(beginning: bytes) -> Talk:
    """Begin well, and then say more and more, for ever."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while True:
            writer.write(_CHUNK)
            await writer.drain()

    return talk


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset."""
    connected = writer.get_extra_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
