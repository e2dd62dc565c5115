"""A real Docker engine over its socket: nothing of ours stands between a test and the truth."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, UnixConnector

SOCKET = "/var/run/docker.sock"
SLEEP_FOREVER = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done")
"""Ends at once when it is told to, so that a stop costs no ten seconds."""

OWN_LABEL = "homelab.test"
AT_ONCE = 32
ANSWER_S = 150
PAUSES = 5


class DockerRefused(Exception):
    """The engine answered with an error."""


class Docker:
    """The engine, and the containers that were made through this object: they go when it closes."""

    def __init__(self, socket: str = SOCKET) -> None:
        self.socket = socket
        self._session: ClientSession | None = None
        self._made: list[str] = []

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            connector=UnixConnector(self.socket, limit=0), timeout=ClientTimeout(total=ANSWER_S)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.remove_all(*self._made)
        finally:
            await self._client.close()

    async def version(self) -> dict[str, Any]:
        """Return the engine's own version answer."""
        answer: dict[str, Any] = await self.call("GET", "/version")
        return answer

    async def create(
        self,
        name: str,
        *,
        image: str = "busybox",
        command: Sequence[str] = SLEEP_FOREVER,
        labels: Mapping[str, str] | None = None,
        start: bool = True,
        config: Mapping[str, object] | None = None,
        **host_config: object,
    ) -> str:
        """Create a container (and start it) until this object closes; return its id.

        `config` and `host_config` go to the engine as they are, in Docker's own words.
        """
        body = {
            "Image": image,
            "Cmd": list(command) or None,
            "Labels": {OWN_LABEL: "true", **(labels or {})},
            "HostConfig": {"NetworkMode": "none", **host_config},
            **(config or {}),
        }
        answer = await self.call("POST", "/containers/create", params={"name": name}, json=body)
        identity: str = answer["Id"]
        self._made.append(identity)
        if start:
            await self.start(identity)
        return identity

    async def inspect(self, container: str) -> dict[str, Any]:
        """Return the engine's description of a container."""
        answer: dict[str, Any] = await self.call("GET", f"/containers/{container}/json")
        return answer

    async def start(self, container: str) -> None:
        """Start a container."""
        await self.call("POST", f"/containers/{container}/start")

    async def stop(self, container: str, *, grace_s: int = 2) -> None:
        """Stop a container."""
        await self.call("POST", f"/containers/{container}/stop", params={"t": str(grace_s)})

    async def pause(self, container: str) -> None:
        """Pause a container, also where it does not stand still at once."""
        for left in reversed(range(PAUSES)):
            try:
                await self.call("POST", f"/containers/{container}/pause")
            except DockerRefused as error:
                if not left or "unable to freeze" not in str(error):
                    raise
            else:
                return

    async def unpause(self, container: str) -> None:
        """Let a paused container go on."""
        await self.call("POST", f"/containers/{container}/unpause")

    async def kill(self, container: str) -> None:
        """Kill a container."""
        await self.call("POST", f"/containers/{container}/kill")

    async def remove(self, container: str) -> None:
        """Remove a container, running or not; nothing happens when it is gone already."""
        await self.call(
            "DELETE",
            f"/containers/{container}",
            params={"force": "true", "v": "true"},
            fine=(HTTPStatus.NOT_FOUND,),
        )

    async def remove_all(self, *containers: str) -> None:
        """Remove several containers, a few at a time."""
        places = asyncio.Semaphore(AT_ONCE)

        async def remove(container: str) -> None:
            async with places:
                await self.remove(container)

        await asyncio.gather(*(remove(container) for container in containers))

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Give the bare stream of container events, attached before this returns."""
        filters = json.dumps({"type": ["container"]})
        async with self._client.get(
            "http://docker/events", params={"filters": filters}, timeout=ClientTimeout(total=None)
        ) as answer:

            async def lines() -> AsyncIterator[dict[str, Any]]:
                async for line in answer.content:
                    yield json.loads(line)

            yield lines()

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        fine: Sequence[int] = (),
    ) -> Any:  # JSON of the engine
        """Do one request; an answer of 400 and more that is not `fine` raises `DockerRefused`."""
        async with self._client.request(
            method, f"http://docker{path}", params=params, json=json
        ) as answer:
            if answer.status >= HTTPStatus.BAD_REQUEST and answer.status not in fine:
                raise DockerRefused(
                    f"{method} {path}: {answer.status} {(await answer.text()).strip()}"
                )
            return await answer.json() if answer.content_type == "application/json" else None

    @property
    def _client(self) -> ClientSession:
        if self._session is None:
            raise DockerRefused("used outside of its `async with`")
        return self._session
