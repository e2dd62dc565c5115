"""The fake engine's containers: listed, described and commanded."""

import hashlib
from typing import Any

from aiohttp import web

from tests.fakes.docker_engine.answers import error, now
from tests.fakes.docker_engine.container import FakeContainer
from tests.fakes.docker_engine.logs import Logs

SIGNALS = {"SIGKILL": 137, "SIGTERM": 143}


class Containers(Logs):
    """The containers; whatever happens to one is told as an event."""

    def __init__(self) -> None:
        super().__init__()
        self.containers: dict[str, FakeContainer] = {}
        self._ids = 0

    def add(self, name: str, *, running: bool = True, **facts: Any) -> FakeContainer:
        """Have a container, silently."""
        self._ids += 1
        container = FakeContainer(name=name, created=now(), **facts)
        container.id = hashlib.sha256(f"{name} {self._ids}".encode()).hexdigest()
        if running:
            container.status, container.started = "running", now()
        self.containers[container.id] = container
        return container

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
        container.status, container.exit_code, container.finished = "exited", exit_code, now()
        self.end_logs(container)
        self.emit("die", container, exitCode=str(exit_code))

    def remove(self, container: FakeContainer) -> None:
        """Remove a container."""
        del self.containers[container.id]
        self.emit("destroy", container)

    def answer_containers(
        self, request: web.Request, parts: list[str]
    ) -> web.StreamResponse | None:
        """Answer what is below /containers; None for what is not known here."""
        match parts:
            case ["json"]:
                return web.json_response([each.listed() for each in self.containers.values()])
            case [name, verb]:
                return self._container(request, name, verb)
            case _:
                return None

    def _container(self, request: web.Request, name: str, verb: str) -> web.StreamResponse:
        container = self.find(name)
        if container is None:
            return error(404, f"No such container: {name}")
        if request.method == "GET":
            if verb == "json":
                return web.json_response(container.inspected())
            if verb == "stats":
                return web.json_response(container.uses.told(running=container.running))
            return error(404, "page not found")
        return self.change(container, verb, request.query.get("signal", "SIGKILL"))

    def _begin(self, container: FakeContainer) -> None:
        container.status, container.exit_code, container.started = "running", 0, now()
        self.emit("start", container)

    def _freeze(self, container: FakeContainer, verb: str) -> web.Response:
        wanted, after = ("running", "paused") if verb == "pause" else ("paused", "running")
        if container.status != wanted:
            # Some versions answer this with 500, others with 409.
            return error(
                500 if verb == "unpause" else 409, f"Container {container.id} is not {wanted}"
            )
        container.status = after
        self.emit(verb, container)
        return web.Response(status=204)

    def _kill(self, container: FakeContainer, signal: str) -> web.Response:
        if not container.running:
            return error(409, f"cannot kill container: {container.id}: container is not running")
        if signal not in {*SIGNALS, "SIGHUP"}:
            return error(400, f"invalid signal: {signal}")
        self.emit("kill", container, signal="9")
        if signal in SIGNALS:
            self.end(container, SIGNALS[signal])
        return web.Response(status=204)

    def find(self, name: str) -> FakeContainer | None:
        """Return a container by id or name."""
        if name in self.containers:
            return self.containers[name]
        return next((c for c in self.containers.values() if c.name == name), None)
