"""The fake engine's events: told to every stream, and kept for those who ask from before."""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any

from aiohttp import web

from tests.fakes.docker_engine.container import FakeContainer


class Events:
    """The streams, and what was told on them. `history` holds every event."""

    def __init__(self) -> None:
        self.history: list[dict[str, Any]] = []
        self._streams: dict[web.StreamResponse, asyncio.Event] = {}
        self.attached = asyncio.Condition()
        self.attachments = 0
        self._last_ns = 0

    def emit(self, action: str, container: FakeContainer, **attributes: str) -> dict[str, Any]:
        """Tell everyone of an event."""
        self._last_ns = max(self._last_ns + 1, time.time_ns())
        event = {
            "status": action,
            "id": container.id,
            "from": container.image,
            "Type": "container",
            "Action": action,
            "Actor": {
                "ID": container.id,
                "Attributes": {"image": container.image, "name": container.name, **attributes},
            },
            "scope": "local",
            "time": self._last_ns // 10**9,
            "timeNano": self._last_ns,
        }
        self.history.append(event)
        self.send(_line(event))
        return event

    def send(self, raw: bytes) -> None:
        """Write bytes into every event stream."""
        for stream in self._streams:
            task = asyncio.ensure_future(stream.write(raw))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def cut_streams(self) -> None:
        """End every event stream."""
        for ended in self._streams.values():
            ended.set()

    async def wait_attached(self, times: int = 1) -> None:
        """Wait until an event stream was opened so many times."""
        async with self.attached:
            await asyncio.wait_for(self.attached.wait_for(lambda: self.attachments >= times), 60)

    async def stream_events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        since = request.query.get("since")
        if since is not None:
            seconds, _, rest = since.partition(".")
            since_ns = int(seconds) * 10**9 + int(rest.ljust(9, "0") or 0)
            for event in self.history:
                if event["timeNano"] >= since_ns and "until" not in request.query:
                    await response.write(_line(event))
        if "until" in request.query:
            return response
        ended = self._streams[response] = asyncio.Event()
        async with self.attached:
            self.attachments += 1
            self.attached.notify_all()
        try:
            await ended.wait()
        finally:
            del self._streams[response]
        with suppress(ConnectionError):
            await response.write_eof()
        return response


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"
