"""A small real agent whose every answer a test can script: refuse, hang, cut, lie."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.fakes import wire
from tests.fakes.wire import Json
from tests.harness.ports import free_port

TOKEN = "hl_test_0123456789"
COMMANDS = {
    "start": "running",
    "stop": "exited",
    "restart": "running",
    "pause": "paused",
    "unpause": "running",
    "kill": "exited",
}

JOBS = ("update", "recreate", "rollback", "check-update")
STACK_JOBS = ("start", "stop", "restart", "update", "down")

type StreamScript = Callable[[web.WebSocketResponse], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A scripted answer to a request."""

    body: Json | str
    status: int = HTTPStatus.OK
    headers: dict[str, str] | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


class FakeAgent:
    """Speaks the contract. Restarting keeps the port, and changes the epoch as a real one does."""

    def __init__(self) -> None:
        self.token = TOKEN
        self.info = wire.info()
        self.hello: Json = {"contract": 1, "oldest": 1}
        self.resources: dict[tuple[str, str], Json] = {}
        self.answers: dict[str, Answer] = {}
        """Scripted answers, by "METHOD /path?query" below the API's root; a query that counts."""
        self.hangs: set[str] = set()
        """What is never answered, in the same notation."""
        self.stream_script: StreamScript | None = None
        """Replaces the conversation on the stream."""
        self.seen: list[Seen] = []
        self.subscriptions: list[Json] = []
        self.pings = 0
        self.pongs = 0
        self.port = 0
        self.epoch = 0
        self.seq = 0
        self._history: list[tuple[int, Json]] = []
        self._runner: web.AppRunner | None = None
        self._streams: dict[web.WebSocketResponse, frozenset[str] | None] = {}
        """Who listens, and to which kinds, None being all."""
        self._transports: set[asyncio.Transport] = set()
        self._stopping = asyncio.Event()
        self._tls: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen; on the port of before when there was one."""
        self._tls = tls or self._tls
        self._stopping.clear()
        self.epoch += 1
        self._history.clear()
        self.put("agent", "agent", self.info)
        application = web.Application()
        application.router.add_get("/api/v1/stream", self._stream)
        application.router.add_route("*", "/api/v1/{path:.*}", self._request)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        # While it is gone nobody else is given its port.
        self.port = self.port or free_port()
        site = web.TCPSite(
            self._runner, "127.0.0.1", self.port, ssl_context=self._tls, reuse_address=True
        )
        await site.start()

    async def stop(self) -> None:
        """Be gone: nothing listens any more."""
        self._stopping.set()
        self.cut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def put(self, kind: str, key: str, data: Json) -> None:
        """Set a resource and tell every stream."""
        self.put_all(kind, {key: data})

    def put_all(self, kind: str, resources: dict[str, Json]) -> None:
        """Set resources of a kind and tell every stream in one message, as one tick does."""
        changes = []
        for key, data in resources.items():
            self.resources[kind, key] = data
            changes.append({"kind": kind, "key": key, "data": data})
        self._tell(*changes)

    def put_container(self, name: str, **changes: Any) -> None:
        """Set a container."""
        data = wire.container(name, **changes)
        self.put("container", data["key"], data)

    def change_container(self, key: str, **changes: Any) -> None:
        """Change some of what is known of a container."""
        self.put("container", key, self.resources["container", key] | changes)

    def put_job(self, kind: str, target: str, **changes: Any) -> Json:
        """Set a job, as one that runs unless told otherwise."""
        job = wire.job(kind, target, **changes)
        self.put("job", job["id"], job)
        return job

    def end_job(self, kind: str, target: str, outcome: str, **changes: Any) -> None:
        """Let a job end."""
        self.put_job(kind, target, state="finished", outcome=outcome, progress=1.0, **changes)

    def remove(self, kind: str, key: str) -> None:
        """Remove a resource and tell every stream."""
        del self.resources[kind, key]
        self._tell({"kind": kind, "key": key, "data": None})

    def cut(self) -> None:
        """Cut every stream without a word, as a pulled cable does."""
        for transport in self._transports:
            transport.abort()

    async def close_streams(self, code: int) -> None:
        """End every stream with a close code."""
        for socket in tuple(self._streams):
            await socket.close(code=code)

    async def ping_streams(self) -> None:
        """Ask every client whether it is there."""
        for socket in tuple(self._streams):
            await socket.ping()

    @property
    def open_streams(self) -> int:
        """How many clients listen."""
        return len(self._streams)

    def count(self, method: str, path: str) -> int:
        """Return how often a request arrived."""
        return sum(one.method == method and one.path == path for one in self.seen)

    def _tell(self, *changes: Json) -> None:
        for change in changes:
            self.seq += 1
            self._history.append((self.seq, change))
        for socket, kinds in self._streams.items():
            wanted = [change for change in changes if _wanted(change["kind"], kinds)]
            if not wanted:
                continue
            message = json.dumps({"type": "changes", "seq": self.seq, "changes": wanted})
            # Small messages fit the buffer: sending does not wait.
            sending = socket.send_str(message)
            task = asyncio.ensure_future(sending)
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {self.token}":
            return None
        return _problem(401, "unauthenticated", "The token is not known.")

    async def _request(self, request: web.Request) -> web.Response:
        path = f"/{request.match_info['path']}"
        body = await request.json() if request.can_read_body else None
        self.seen.append(Seen(request.method, path, dict(request.query), body))
        await self._hang_if_told(f"{request.method} {path}")
        asked = f"{request.method} {path}"
        scripted = self.answers.get(f"{asked}?{request.query_string}") or self.answers.get(asked)
        if scripted is not None:
            return _response(scripted)
        return self._refusal(request) or self._answer(request.method, path)

    async def _hang_if_told(self, what: str) -> None:
        if what in self.hangs:
            await self._stopping.wait()

    def _answer(self, method: str, path: str) -> web.Response:
        parts = path.strip("/").split("/")
        answer = self._read(parts) if method == "GET" else self._do(parts)
        return answer or _problem(404, "not_found", f"There is nothing at {path}.")

    def _read(self, parts: list[str]) -> web.Response | None:
        match parts:
            case ["info"]:
                return web.json_response(self.info)
            case ["containers"]:
                found = [d for (kind, _), d in self.resources.items() if kind == "container"]
                return web.json_response({"containers": found})
            case ["containers", key]:
                return self._of_container(key, lambda found: found)
            case ["containers", key, "logs"]:
                return self._of_container(key, _logs)
            case ["jobs", job_id] if ("job", job_id) in self.resources:
                return web.json_response(self.resources["job", job_id])
        return None

    def _do(self, parts: list[str]) -> web.Response | None:
        match parts:
            case ["containers", key, command] if command in COMMANDS:
                return self._command(key, command)
            case ["containers", key, command] if command in JOBS:
                return self._begin(f"containers.{command}", key)
            case ["stacks", name, command] if command in STACK_JOBS:
                return self._begin(f"stacks.{command}", f"stack:{name}")
        return None

    def _of_container(self, key: str, answer: Callable[[Json], Json]) -> web.Response:
        found = self.resources.get(("container", key))
        if found is None:
            return _problem(404, "not_found", f"There is no container {key}.", field="name")
        return web.json_response(answer(found))

    def _command(self, key: str, command: str) -> web.Response:
        found = self.resources.get(("container", key), {})
        reason = found.get("protected_reason")
        if reason and command != "start":
            return _problem(409, "protected", reason, hint="Remove the label first.")
        return self._of_container(key, lambda found: self._carry_out(found, command))

    def _begin(self, kind: str, target: str) -> web.Response:
        job = self.put_job(kind, target)
        return web.json_response({"outcome": None, "message": "Going on.", "job": job}, status=202)

    def _carry_out(self, found: Json, command: str) -> Json:
        state = COMMANDS[command]
        needed = found["state"] != state or command == "restart"
        self.change_container(found["key"], state=state)
        return {"outcome": "done" if needed else "not_needed", "message": f"{command}: {state}"}

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        await self._hang_if_told("GET /stream")
        scripted = self.answers.get("GET /stream")
        refusal = _response(scripted) if scripted else self._refusal(request)
        if refusal is not None:
            return refusal
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        transport = request.transport
        assert transport is not None
        self._transports.add(transport)
        try:
            await (self.stream_script or self.converse)(socket)
        finally:
            self._transports.discard(transport)
            self._streams.pop(socket, None)
        return socket

    async def greet(self, socket: web.WebSocketResponse) -> None:
        """Send the greeting."""
        hello = {
            "type": "hello",
            "instance_id": self.info["instance_id"],
            "version": self.info["version"],
            "epoch": str(self.epoch),
            **self.hello,
        }
        await socket.send_json(hello)

    async def converse(self, socket: web.WebSocketResponse) -> None:
        """Speak as a healthy agent does."""
        await self.greet(socket)
        message = await socket.receive()
        if message.type is not WSMsgType.TEXT:
            return
        subscribe = json.loads(message.data)
        self.subscriptions.append(subscribe)
        asked = subscribe["kinds"]
        kinds = self._streams[socket] = None if asked is None else frozenset(asked)
        resume = subscribe["resume"]
        if resume and resume["epoch"] == str(self.epoch):
            missed = [
                change
                for seq, change in self._history
                if seq > resume["seq"] and _wanted(change["kind"], kinds)
            ]
            await socket.send_json({"type": "changes", "seq": self.seq, "changes": missed})
        else:
            await socket.send_json(self.snapshot(kinds))
        await self.listen(socket)

    async def listen(self, socket: web.WebSocketResponse) -> None:
        """Hear the client until it leaves, and answer its pings."""
        while True:
            message = await socket.receive()
            if message.type is WSMsgType.PING:
                self.pings += 1
                await socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self.pongs += 1
            else:
                return

    def snapshot(self, kinds: frozenset[str] | None = None) -> Json:
        """Return the message that tells everything, of some kinds or of all."""
        resources = [
            {"kind": kind, "key": key, "data": data}
            for (kind, key), data in self.resources.items()
            if _wanted(kind, kinds)
        ]
        return {"type": "snapshot", "seq": self.seq, "resources": resources}


def _wanted(kind: str, kinds: frozenset[str] | None) -> bool:
    return kinds is None or kind in kinds


def _logs(found: Json) -> Json:
    return {
        "container": found["key"],
        "truncated": True,
        "lines": [
            {"at": "2026-11-21T06:30:01Z", "stream": "stdout", "text": "ready"},
            {"at": None, "stream": "stderr", "text": "odd"},
        ],
    }


def _problem(status: int, code: str, detail: str, **members: str) -> web.Response:
    return web.json_response(
        wire.problem(status, code, detail, **members),
        status=status,
        content_type="application/problem+json",
    )


def _response(answer: Answer) -> web.Response:
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    return web.Response(
        text=text,
        status=answer.status,
        headers=answer.headers,
        content_type=answer.content_type,
    )
