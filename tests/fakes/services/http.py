"""Answers in HTTP, byte by byte as they go over the wire."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.services.server import Talk

END = b"\r\n\r\n"


def answer(
    body: bytes = b"",
    *,
    status: str = "200 OK",
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
) -> bytes:
    """One whole answer; `length` is a lie about its body."""
    told = {"Content-Length": str(len(body) if length is None else length), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def answers(*each: bytes) -> Talk:
    """Answer each request in turn with one of these, the last one for ever."""
    left = list(each)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(END)
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return talk


def answers_by_path(pages: Mapping[str, bytes]) -> Talk:
    """Answer by the path that is asked for."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(END)
        path = asked.split()[1].decode()
        writer.write(pages.get(path, answer(status="404 Not Found")))
        await writer.drain()

    return talk


def json_answer(document: Any, *, status: str = "200 OK") -> bytes:
    """An answer that is JSON."""
    return answer(
        json.dumps(document).encode(), status=status, headers={"Content-Type": "application/json"}
    )


async def echoes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with what was asked, headers and all, in every place that a check looks at."""
    asked = (await reader.readuntil(END)).decode()
    told = {"state": asked, "version": asked, "value": asked, "start_url": asked}
    writer.write(json_answer({**told, "MediaContainer": {"version": asked, "size": asked}}))
    await writer.drain()
