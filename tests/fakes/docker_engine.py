"""A small real server: as much of Docker's API as the agent uses, and misbehaving on demand."""

import asyncio
import hashlib
import json
import re
import shutil
import struct
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

NEVER = "0001-01-01T00:00:00Z"
SIGNALS = {"SIGKILL": 137, "SIGTERM": 143}


@dataclass
class Fault:
    """What happens instead of an answer: a status with a body, a hang, or a cut connection."""

    status: int = 0
    body: str = ""
    content_type: str = "application/json"
    hang: bool = False
    cut: bool = False
    half: bool = False
    """The connection is cut in the middle of the answer."""
    work_first: bool = False
    """The work is done, only the answer goes wrong."""


@dataclass
class FakeContainer:
    """One container, as Docker would describe it."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    image: str = "busybox"
    tty: bool = False
    health: str | None = None
    created: str = ""
    id: str = ""
    status: str = "created"
    exit_code: int = 0
    started: str = NEVER
    finished: str = NEVER
    restart_count: int = 0
    log: bytes = b""
    ports: dict[str, list[dict[str, str]] | None] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        return self.status in {"running", "paused", "restarting"}

    def inspected(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "Status": self.status,
            "Running": self.running,
            "Paused": self.status == "paused",
            "OOMKilled": False,
            "ExitCode": self.exit_code,
            "StartedAt": self.started,
            "FinishedAt": self.finished,
        }
        if self.health:
            # Docker itself calls a stopped container with a check unhealthy.
            state["Health"] = {"Status": self.health if self.running else "unhealthy", "Log": []}
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "Created": self.created,
            "Image": "sha256:" + "0" * 64,
            "RestartCount": self.restart_count,
            "State": state,
            "Config": {
                "Image": self.image,
                "Labels": self.labels,
                "Tty": self.tty,
                "Healthcheck": {"Test": ["CMD", "true"]} if self.health else None,
            },
            "HostConfig": {"RestartPolicy": {"Name": "", "MaximumRetryCount": 0}},
            "NetworkSettings": {"Ports": self.ports if self.running else {}},
        }

    def listed(self) -> dict[str, Any]:
        return {
            "Id": self.id,
            "Names": [f"/{self.name}", f"/other/{self.name}"],
            "Image": self.image,
            "ImageID": "sha256:" + "0" * 64,
            "Created": int(datetime.fromisoformat(self.created).timestamp()),
            "State": self.status,
            "Status": f"Up 2 hours ({self.health})" if self.health else "Up 2 hours",
            "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "IP": "::", "Type": "tcp"}],
            "Labels": self.labels,
        }


@dataclass
class Held:
    """Answers that are made at once but sent only after `release`."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)


class FakeDocker:
    """The server. `faults` maps "METHOD path-regex" to what goes wrong there."""

    def __init__(self, *, api: str = "1.51", oldest: str = "1.24") -> None:
        self.api = api
        self.oldest = oldest
        self.containers: dict[str, FakeContainer] = {}
        self.faults: dict[str, Fault] = {}
        self.fail_after: dict[str, tuple[str, Fault]] = {}
        """Once a call was served, another one goes wrong from then on."""
        self._held: dict[str, Held] = {}
        self.on_call: dict[str, asyncio.Event] = {}
        self.calls: Counter[str] = Counter()
        self.queries: list[str] = []
        self.folder = Path(tempfile.mkdtemp(prefix="fd-", dir="/tmp"))
        self.socket = self.folder / "docker.sock"
        self.history: list[dict[str, Any]] = []
        self._streams: dict[web.StreamResponse, asyncio.Event] = {}
        self.attached = asyncio.Condition()
        self.attachments = 0
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()
        self._last_ns = 0
        self._ids = 0

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    async def start(self) -> None:
        """Listen (again)."""
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket)).start()

    @asynccontextmanager
    async def held(self, key: str) -> AsyncIterator[Held]:
        """Hold back the answers to a call."""
        held = self._held[key] = Held()
        try:
            yield held
        finally:
            held.release.set()
            del self._held[key]

    async def listen_on_tcp(self) -> int:
        """Listen on a port as well; return it."""
        assert self._runner is not None
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return int(self._runner.addresses[-1][1])

    async def stop(self, *, keep_socket: bool = False) -> None:
        """Be gone; with `keep_socket` the file stays and refuses, as after a crash."""
        self._released.set()
        self.cut_streams()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None
        self._released = asyncio.Event()
        if keep_socket:
            await asyncio.to_thread(self.socket.touch)
        else:
            await asyncio.to_thread(self.socket.unlink, True)

    async def close(self) -> None:
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder, True)

    def add(self, name: str, *, running: bool = True, **facts: Any) -> FakeContainer:
        """Have a container, silently."""
        self._ids += 1
        container = FakeContainer(name=name, created=_now(), **facts)
        container.id = hashlib.sha256(f"{name} {self._ids}".encode()).hexdigest()
        if running:
            container.status, container.started = "running", _now()
        self.containers[container.id] = container
        return container

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
            await asyncio.wait_for(self.attached.wait_for(lambda: self.attachments >= times), 10)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        version, path = _split(request.path)
        key = f"{request.method} {path}"
        self.calls[key] += 1
        self.queries.append(request.path_qs)
        fault = self._fault(key)
        if fault and fault.work_first:
            await self._answer(request, path)
        if key in self.fail_after:
            other, later = self.fail_after[key]
            self.faults[other] = later
        for pattern, event in self.on_call.items():
            if re.fullmatch(pattern, key) and "_rights" not in key:
                event.set()
        if fault and fault.hang:
            await self._released.wait()
        if fault:
            return await self._misbehave(request, fault)
        if version and _number(version) > _number(self.api):
            return _error(
                400,
                f"client version {version} is too new. Maximum supported API version is {self.api}",
            )
        answer = await self._answer(request, path)
        if key in self._held:
            self._held[key].reached.set()
            await self._held[key].release.wait()
        return answer

    async def _misbehave(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.half:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"[{")
        elif not (fault.cut or fault.hang):
            return web.Response(
                status=fault.status, text=fault.body, content_type=fault.content_type
            )
        if request.transport is not None:
            request.transport.close()
        return web.Response()

    def _fault(self, key: str) -> Fault | None:
        return next((f for text, f in self.faults.items() if re.fullmatch(text, key)), None)

    async def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        match path.split("/"):
            case ["version"]:
                return web.json_response(
                    {
                        "Version": "28.5.2",
                        "ApiVersion": self.api,
                        "MinAPIVersion": self.oldest,
                        "Arch": "amd64",
                        "KernelVersion": "6.12",
                    }
                )
            case ["info"]:
                return web.json_response(
                    {"Name": "fake", "OperatingSystem": "Fake OS", "NCPU": 2, "MemTotal": 4096}
                )
            case ["events"]:
                return await self._events(request)
            case ["images" | "containers" as kind, "json"]:
                rows = [c.listed() for c in self.containers.values()]
                return web.json_response(rows if kind == "containers" else [])
            case ["containers", name, verb]:
                return self._container(request, name, verb)
            case _:
                return _error(404, "page not found")

    def _container(self, request: web.Request, name: str, verb: str) -> web.StreamResponse:
        container = self._find(name)
        if container is None:
            return _error(404, f"No such container: {name}")
        if request.method == "GET":
            if verb == "json":
                return web.json_response(container.inspected())
            return self._log(request, container)
        return self.change(container, verb, request.query.get("signal", "SIGKILL"))

    def change(
        self, container: FakeContainer, verb: str, signal: str = "SIGKILL"
    ) -> web.StreamResponse:
        """Do what a command does, with its events."""
        if verb == "start":
            if container.running:
                return web.Response(status=304)
            self._begin(container)
        elif verb in {"stop", "restart"}:
            if container.running:
                self.end(container, 143)
                self.emit("stop", container)
            elif verb == "stop":
                return web.Response(status=304)
            if verb == "restart":
                self._begin(container)
                self.emit("restart", container)
        elif verb in {"pause", "unpause"}:
            return self._freeze(container, verb)
        elif verb == "kill":
            return self._kill(container, signal)
        return web.Response(status=204)

    def end(self, container: FakeContainer, exit_code: int) -> None:
        """Let a container end."""
        container.status, container.exit_code, container.finished = "exited", exit_code, _now()
        self.emit("die", container, exitCode=str(exit_code))

    def remove(self, container: FakeContainer) -> None:
        """Remove a container."""
        del self.containers[container.id]
        self.emit("destroy", container)

    def _begin(self, container: FakeContainer) -> None:
        container.status, container.exit_code, container.started = "running", 0, _now()
        self.emit("start", container)

    def _freeze(self, container: FakeContainer, verb: str) -> web.Response:
        wanted, after = ("running", "paused") if verb == "pause" else ("paused", "running")
        if container.status != wanted:
            # Some versions answer this with 500, others with 409.
            return _error(
                500 if verb == "unpause" else 409, f"Container {container.id} is not {wanted}"
            )
        container.status = after
        self.emit(verb, container)
        return web.Response(status=204)

    def _kill(self, container: FakeContainer, signal: str) -> web.Response:
        if not container.running:
            return _error(409, f"cannot kill container: {container.id}: container is not running")
        if signal not in {*SIGNALS, "SIGHUP"}:
            return _error(400, f"invalid signal: {signal}")
        self.emit("kill", container, signal="9")
        if signal in SIGNALS:
            self.end(container, SIGNALS[signal])
        return web.Response(status=204)

    def _log(self, request: web.Request, container: FakeContainer) -> web.Response:
        body = container.log
        tail = request.query.get("tail", "all")
        if tail != "all" and not container.tty:
            body = b"".join(_frames(body)[-int(tail) :])
        return web.Response(body=body, content_type="application/vnd.docker.raw-stream")

    def _find(self, name: str) -> FakeContainer | None:
        if name in self.containers:
            return self.containers[name]
        return next((c for c in self.containers.values() if c.name == name), None)

    async def _events(self, request: web.Request) -> web.StreamResponse:
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


@asynccontextmanager
async def fake_docker(**options: str) -> AsyncIterator[FakeDocker]:
    """Give a running fake."""
    fake = FakeDocker(**options)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.close()


def frame(stream: int, text: bytes) -> bytes:
    """Return a piece of a log as Docker wraps it."""
    return struct.pack(">BxxxL", stream, len(text)) + text


def _frames(body: bytes) -> list[bytes]:
    found = []
    while body:
        length = struct.unpack(">BxxxL", body[:8])[1] + 8
        found.append(body[:length])
        body = body[length:]
    return found


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def _split(path: str) -> tuple[str | None, str]:
    found = re.match(r"/(?:v(\d+\.\d+)/)?(.*)", path)
    assert found
    return found[1], found[2]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
