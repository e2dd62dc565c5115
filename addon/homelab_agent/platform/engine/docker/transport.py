"""HTTP to the engine through aiodocker: one API version, deadlines, errors of ours only.

Every call has its own connection: a kept connection that the engine has closed would make a POST
fail without our knowing whether it arrived. Only what is read again and again has kept ones.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiodocker
import aiohttp
from aiodocker.stream import Stream
from pydantic import JsonValue, ValidationError
from pydantic_core import to_json
from yarl import URL

from homelab_agent.platform.engine.docker.address import without_password
from homelab_agent.platform.engine.docker.container_documents import EngineVersion
from homelab_agent.platform.engine.docker.errors import (
    Call,
    from_connection,
    from_status,
    is_version_refused,
    timed_out,
    unreadable,
)
from homelab_agent.platform.engine.docker.versions import OLDEST, ApiVersion, agree, written
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.errors import SettingsError

type Parameters = Mapping[str, str]
type Headers = Mapping[str, str]
type Change = Literal["POST", "PUT", "DELETE"]

DEADLINE_S = 10.0

_NO_CONNECTION = 900
"""The status aiodocker invents when it has none."""

_PATIENCE = 3
"""Starting, stopping and long logs take this many times longer than a look on a busy machine."""

_VERSION_CALL = Call("tell its version", EngineRight.INFO)


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    method: str
    parameters: Parameters | None = None
    body: JsonValue = field(default=None, kw_only=True)
    archive: bytes | None = field(default=None, kw_only=True)
    headers: Headers | None = field(default=None, kw_only=True)
    versioned: bool = field(default=True, kw_only=True)
    often: bool = field(default=False, kw_only=True)


class Transport:
    """Calls to one engine; `url` is unix:///path, tcp:// or https://."""

    def __init__(self, url: str, *, deadline_s: float = DEADLINE_S) -> None:
        self._url = url
        self.address = without_password(url)
        self._deadline_s = deadline_s
        self._clients: dict[bool, tuple[aiodocker.Docker, aiohttp.BaseConnector]] = {}
        """Two at most: whether its connections are kept tells them apart."""
        self._agreed: ApiVersion | None = None
        self._agreeing = asyncio.Lock()

    async def negotiate(self) -> tuple[EngineVersion, ApiVersion]:
        """Ask for the engine's version and agree on one to speak from now on."""
        async with self._agreeing:
            version = await self._version()
            # Forgotten first: with an engine that cannot be spoken to, nothing is agreed.
            self._agreed = None
            agreed = self._agreed = agree(version.api_version, version.oldest)
            for docker, _ in self._clients.values():
                docker.api_version = f"v{written(agreed)}"
            return version, agreed

    async def api_version(self) -> ApiVersion:
        """Return the version that is spoken, agreeing on one first where none is."""
        if self._agreed is None:
            return (await self.negotiate())[1]
        return self._agreed

    async def read(
        self,
        path: str,
        call: Call,
        parameters: Parameters | None = None,
        *,
        extra_s: float = 0,
        often: bool = False,
    ) -> bytes:
        """GET, and return the whole body; `extra_s`: how much longer this may take.

        `often`: over a connection that is kept for the next time.
        """
        await self._ready()
        body = bytearray()
        request = _Request(path, "GET", parameters, often=often)
        await self._fed(body.extend, request, call, self._deadline_s + extra_s)
        return bytes(body)

    async def read_into(
        self,
        feed: Callable[[bytes], None],
        path: str,
        call: Call,
        parameters: Parameters | None = None,
    ) -> None:
        """GET a body that may be long, and hand on each part of it as it comes."""
        await self._ready()
        request = _Request(path, "GET", parameters)
        await self._fed(feed, request, call, self._deadline_s * _PATIENCE)

    async def change(
        self,
        path: str,
        call: Call,
        parameters: Parameters | None = None,
        *,
        method: Change = "POST",
        body: JsonValue = None,
        headers: Headers | None = None,
        extra_s: float = 0,
    ) -> bytes:
        """Send exactly once and return the answer; `extra_s`: how much longer this may take."""
        await self._ready()
        deadline_s = self._deadline_s * _PATIENCE + extra_s
        answer = bytearray()
        request = _Request(path, method, parameters, body=body, headers=headers)
        await self._fed(answer.extend, request, call, deadline_s)
        return bytes(answer)

    async def put_archive(
        self, path: str, call: Call, parameters: Parameters, archive: bytes
    ) -> None:
        """Send a tar exactly once."""
        await self._ready()
        headers = {"Content-Type": "application/x-tar"}
        request = _Request(path, "PUT", parameters, archive=archive, headers=headers)
        await self._fed(lambda _: None, request, call, self._deadline_s * _PATIENCE)

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        call: Call,
        parameters: Parameters,
        *,
        method: Literal["GET", "POST"] = "GET",
        headers: Headers | None = None,
        first_s: float | None = None,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the body as it comes; the deadline (`first_s`) is for the first answer only."""
        await self._ready()
        deadline_s = first_s or self._deadline_s
        with self._translated(call, deadline_s):
            async with asyncio.timeout(deadline_s):
                response = await self._send(_Request(path, method, parameters, headers=headers))
        try:
            yield self._chunks(response, call)
        finally:
            response.close()

    async def converse(
        self, path: str, call: Call, given: bytes, *, keep_bytes: int, deadline_s: float
    ) -> bytes:
        """POST what turns into the input and outputs of a program, and wait for its end.

        Sends `given` and then that this is all; returns the last `keep_bytes` of both outputs.
        """
        await self._ready()
        said = bytearray()
        with self._translated(call, deadline_s):
            async with asyncio.timeout(deadline_s), self._attached(path) as stream:
                await stream.write_in(given)
                _end_input(stream)
                while (message := await stream.read_out()) is not None:
                    said = (said + message.data)[-keep_bytes:]
        return bytes(said)

    def _attached(self, path: str) -> Stream:
        async def setup() -> tuple[URL, bytes, bool]:
            return URL(path), to_json({"Detach": False, "Tty": False}), False

        return Stream(self._client(often=False), setup)

    async def close(self) -> None:
        """Close every connection."""
        clients, self._clients = self._clients, {}
        for docker, connector in clients.values():
            await docker.close()
            await connector.close()

    async def _ready(self) -> None:
        if self._agreed is None:
            await self.negotiate()

    async def _version(self) -> EngineVersion:
        body = bytearray()
        request = _Request("version", "GET", versioned=False)
        await self._fed(body.extend, request, _VERSION_CALL, self._deadline_s)
        try:
            return EngineVersion.model_validate_json(body)
        except ValidationError:
            raise unreadable(_VERSION_CALL, body[:80].decode(errors="replace")) from None

    async def _fed(
        self,
        feed: Callable[[bytes], object],
        request: _Request,
        call: Call,
        deadline_s: float,
    ) -> None:
        with self._translated(call, deadline_s):
            async with asyncio.timeout(deadline_s):
                response = await self._send(request)
                try:
                    async for chunk in response.content.iter_any():
                        feed(chunk)
                finally:
                    response.close()

    async def _send(self, request: _Request) -> aiohttp.ClientResponse:
        # aiodocker's own calls hide parts that are needed here (raw logs, the event lines), and
        # its query is what its documentation points to for what it does not wrap.
        client = self._client(often=request.often)
        return await client._do_query(  # noqa: SLF001
            request.path,
            request.method,
            params=dict(request.parameters or {}),
            data=request.archive if request.body is None else to_json(request.body),
            headers=request.headers,
            versioned_api=request.versioned,
        )

    async def _chunks(self, response: aiohttp.ClientResponse, call: Call) -> AsyncIterator[bytes]:
        while True:
            with self._translated(call, self._deadline_s):
                chunk = await response.content.readany()
            if not chunk:
                return
            yield chunk

    @contextmanager
    def _translated(self, call: Call, deadline_s: float) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise timed_out(call, deadline_s) from None
        except aiodocker.DockerError as error:
            if error.status == _NO_CONNECTION:
                raise from_connection(call, self.address, error.__context__) from None
            if is_version_refused(error.status, error.message):
                self._agreed = None
            raise from_status(call, error.status, error.message) from None
        except (aiohttp.ClientError, OSError) as error:
            raise from_connection(call, self.address, error) from None
        except (KeyError, TypeError, ValueError) as error:
            # aiodocker reads an error's body as {"message": ...} without looking.
            raise unreadable(call, str(error)) from None

    def _client(self, *, often: bool) -> aiodocker.Docker:
        known = self._clients.get(often)
        if known is None:
            base, connector = _connect(self._url, force_close=not often)
            docker = aiodocker.Docker(
                url=base,
                connector=connector,
                # Deadlines are set around each call: a timeout of the session would end streams.
                timeout=aiohttp.ClientTimeout(total=None),
                api_version=f"v{written(self._agreed or OLDEST)}",
            )
            known = self._clients[often] = (docker, connector)
        return known[0]


def _end_input(stream: Stream) -> None:
    """Say that nothing more comes, and go on reading; aiodocker only knows how to hang up."""
    connection = stream._resp.connection if stream._resp else None  # noqa: SLF001
    transport = connection.transport if connection else None
    if transport is None or not transport.can_write_eof():
        raise ValueError("this connection cannot end a program's input")
    transport.write_eof()


def _connect(url: str, *, force_close: bool) -> tuple[str, aiohttp.BaseConnector]:
    scheme, _, rest = url.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return "unix://localhost", aiohttp.UnixConnector(rest, force_close=force_close)
    if scheme in {"tcp", "http"} and rest:
        return f"http://{rest.rstrip('/')}", aiohttp.TCPConnector(force_close=force_close)
    if scheme == "https" and rest:
        return f"https://{rest.rstrip('/')}", aiohttp.TCPConnector(force_close=force_close)
    raise SettingsError(
        f"docker_url {without_password(url)!r} is not an address of a Docker engine.",
        field="docker_url",
        hint="Use unix:///var/run/docker.sock, tcp://host:2375 or https://host:2376.",
    )
