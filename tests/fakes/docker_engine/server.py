"""The fake engine's door: what is asked is counted, goes wrong on demand, or is answered."""

import asyncio
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.fakes.docker_engine.answers import error
from tests.fakes.docker_engine.containers import Containers
from tests.fakes.docker_engine.faults import Fault, Held
from tests.fakes.docker_engine.images import Images


class FakeDocker(Containers, Images):
    """The server. `faults` maps "METHOD path-regex" to what goes wrong there."""

    def __init__(self, *, api: str = "1.51", oldest: str = "1.24") -> None:
        Containers.__init__(self)
        Images.__init__(self)
        self.api = api
        self.oldest = oldest
        self.faults: dict[str, Fault] = {}
        self.fail_after: dict[str, tuple[str, Fault]] = {}
        """Once a call was served, another one goes wrong from then on."""
        self._held: dict[str, Held] = {}
        self.on_call: dict[str, asyncio.Event] = {}
        self.calls: Counter[str] = Counter()
        self.queries: list[str] = []
        self.folder = Path(tempfile.mkdtemp(prefix="fd-", dir="/tmp"))
        self.socket = self.folder / "docker.sock"
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()

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
        self.end_logs()
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
            answer = await self._misbehave(request, fault)
        elif version and _number(version) > _number(self.api):
            return error(
                400,
                f"client version {version} is too new. Maximum supported API version is {self.api}",
            )
        else:
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
        """Let the side of the engine answer that the path belongs to."""
        answer: web.StreamResponse | None = None
        match path.split("/"):
            case ["version"]:
                answer = self._version()
            case ["info"]:
                answer = self._info()
            case ["events"]:
                answer = await self.stream_events(request)
            case ["images", *parts]:
                answer = await self.answer_images(request, parts)
            case ["containers", name, "logs"] if (container := self.find(name)) is not None:
                answer = await self.answer_log(request, container)
            case ["containers", *parts]:
                answer = self.answer_containers(request, parts)
        return answer or error(404, "page not found")

    def _version(self) -> web.Response:
        return web.json_response(
            {
                "Version": "28.5.2",
                "ApiVersion": self.api,
                "MinAPIVersion": self.oldest,
                "Arch": "amd64",
                "KernelVersion": "6.12",
            }
        )

    def _info(self) -> web.Response:
        return web.json_response(
            {"Name": "fake", "OperatingSystem": "Fake OS", "NCPU": 2, "MemTotal": 4096}
        )


@asynccontextmanager
async def fake_docker(**options: str) -> AsyncIterator[FakeDocker]:
    """Give a running fake."""
    fake = FakeDocker(**options)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.close()


def _split(path: str) -> tuple[str | None, str]:
    found = re.match(r"/(?:v(\d+\.\d+)/)?(.*)", path)
    assert found
    return found[1], found[2]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
