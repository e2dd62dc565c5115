"""The fake engine's logs: read, and followed until the container ends."""

import asyncio
import struct
from collections import defaultdict
from datetime import datetime

from aiohttp import web

from tests.fakes.docker_engine.answers import now
from tests.fakes.docker_engine.container import FakeContainer
from tests.fakes.docker_engine.events import Events

_OUTPUTS = {"stdout": 1, "stderr": 2}


class Logs(Events):
    """What containers write. Every line has a frame and a time, as Docker keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self._followers: dict[str, set[asyncio.Queue[bytes | None]]] = defaultdict(set)

    def write(self, container: FakeContainer, *texts: str, output: int = 1) -> None:
        """Let a container write lines."""
        lines = b"".join(frame(output, f"{now()} {text}\n".encode()) for text in texts)
        container.log += lines
        for follower in self._followers[container.id]:
            follower.put_nowait(lines)

    def end_logs(self, container: FakeContainer | None = None) -> None:
        """End what follows a container, or all."""
        for container_id, followers in self._followers.items():
            if container is None or container.id == container_id:
                for follower in followers:
                    follower.put_nowait(None)

    def followers(self, container: FakeContainer) -> int:
        """Return how many follow a container's log right now."""
        return len(self._followers[container.id])

    async def answer_log(
        self, request: web.Request, container: FakeContainer
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/vnd.docker.raw-stream"})
        await response.prepare(request)
        follower: asyncio.Queue[bytes | None] = asyncio.Queue()
        followers = self._followers[container.id]
        body = container.log if container.tty else _wanted(container.log, request)
        if body:
            await response.write(body)
        if "follow" not in request.query or not container.running:
            return response
        followers.add(follower)
        try:
            while (lines := await follower.get()) is not None:
                await response.write(lines)
        except ConnectionError:
            # Who followed has left.
            return response
        finally:
            followers.discard(follower)
        return response


def frame(stream: int, text: bytes) -> bytes:
    """Return a piece of a log as Docker wraps it."""
    return struct.pack(">BxxxL", stream, len(text)) + text


def _wanted(body: bytes, request: web.Request) -> bytes:
    outputs = {number for name, number in _OUTPUTS.items() if request.query.get(name) == "true"}
    since = float(request.query.get("since", 0))
    found = [each for each in _frames(body) if each[0] in outputs and _written(each) >= since]
    tail = request.query.get("tail", "all")
    return b"".join(found if tail == "all" else found[len(found) - min(int(tail), len(found)) :])


def _written(piece: bytes) -> float:
    try:
        return datetime.fromisoformat(piece[8:].split(b" ")[0].decode()).timestamp()
    except ValueError:
        return float("inf")


def _frames(body: bytes) -> list[bytes]:
    found = []
    while body:
        length = struct.unpack(">BxxxL", body[:8])[1] + 8
        found.append(body[:length])
        body = body[length:]
    return found
