"""HTTP to the engine through aiodocker: one API version, deadlines, errors of ours only.

Every call has its own connection. A unix socket costs nothing to open, and a kept connection
that the engine has closed would make a POST fail without our knowing whether it arrived.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import aiodocker
import aiohttp
from pydantic import ValidationError

from homelab_agent.platform.engine.address import without_password
from homelab_agent.platform.engine.documents import EngineVersion
from homelab_agent.platform.engine.errors import (
    Call,
    from_connection,
    from_status,
    is_version_refused,
    timed_out,
    unreadable,
)
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.versions import OLDEST, ApiVersion, agree, written
from homelab_agent.platform.errors import SettingsError

type Parameters = Mapping[str, str]

_NO_CONNECTION = 900
"""The status aiodocker invents when it has none."""

_PATIENCE = 3
"""Starting, stopping and long logs take this many times longer than a look on a busy machine."""

_VERSION_CALL = Call("tell its version", EngineRight.INFO)


class Transport:
    """Calls to one engine."""

    def __init__(self, url: str, *, deadline_s: float) -> None:
        self._url = url
        self._address = without_password(url)
        self._deadline_s = deadline_s
        self._docker: aiodocker.Docker | None = None
        self._connector: aiohttp.BaseConnector | None = None
        self._agreed: ApiVersion | None = None
        self._agreeing = asyncio.Lock()

    async def negotiate(self) -> tuple[EngineVersion, ApiVersion]:
        """Ask for the engine's version and agree on one to speak from now on."""
        async with self._agreeing:
            version = await self._version()
            # Forgotten first: with an engine that cannot be spoken to, nothing is agreed.
            self._agreed = None
            agreed = self._agreed = agree(version.api_version, version.oldest)
            self._client().api_version = f"v{written(agreed)}"
            return version, agreed

    async def read(self, path: str, call: Call, parameters: Parameters | None = None) -> bytes:
        """GET, and return the whole body."""
        await self._ready()
        body = bytearray()
        await self._fed(body.extend, path, "GET", call, parameters, self._deadline_s)
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
        await self._fed(feed, path, "GET", call, parameters, self._deadline_s * _PATIENCE)

    async def change(
        self,
        path: str,
        call: Call,
        parameters: Parameters | None = None,
        *,
        extra_s: float = 0,
    ) -> None:
        """POST exactly once. `extra_s`: how much longer than usual this may take."""
        await self._ready()
        deadline_s = self._deadline_s * _PATIENCE + extra_s
        await self._fed(lambda _: None, path, "POST", call, parameters, deadline_s)

    @asynccontextmanager
    async def stream(
        self, path: str, call: Call, parameters: Parameters
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """GET, and give the body as it comes; the deadline is for the first answer only."""
        await self._ready()
        with self._translated(call, self._deadline_s):
            async with asyncio.timeout(self._deadline_s):
                response = await self._request(path, "GET", parameters)
        try:
            yield self._chunks(response, call)
        finally:
            response.close()

    async def close(self) -> None:
        """Close every connection."""
        docker, connector = self._docker, self._connector
        self._docker = self._connector = None
        if docker is not None:
            await docker.close()
        if connector is not None:
            await connector.close()

    async def _ready(self) -> None:
        if self._agreed is None:
            await self.negotiate()

    async def _version(self) -> EngineVersion:
        body = bytearray()
        await self._fed(
            body.extend, "version", "GET", _VERSION_CALL, None, self._deadline_s, versioned=False
        )
        try:
            return EngineVersion.model_validate_json(body)
        except ValidationError:
            raise unreadable(_VERSION_CALL, body[:80].decode(errors="replace")) from None

    async def _fed(
        self,
        feed: Callable[[bytes], object],
        path: str,
        method: str,
        call: Call,
        parameters: Parameters | None,
        deadline_s: float,
        *,
        versioned: bool = True,
    ) -> None:
        with self._translated(call, deadline_s):
            async with asyncio.timeout(deadline_s):
                response = await self._request(path, method, parameters, versioned=versioned)
                try:
                    async for chunk in response.content.iter_any():
                        feed(chunk)
                finally:
                    response.close()

    async def _request(
        self,
        path: str,
        method: str,
        parameters: Parameters | None,
        *,
        versioned: bool = True,
    ) -> aiohttp.ClientResponse:
        # aiodocker's own calls hide parts that are needed here (raw logs, the event lines), and
        # its query is what its documentation points to for what it does not wrap.
        return await self._client()._do_query(  # noqa: SLF001
            path, method, params=dict(parameters or {}), versioned_api=versioned
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
                raise from_connection(call, self._address, error.__context__) from None
            if is_version_refused(error.status, error.message):
                self._agreed = None
            raise from_status(call, error.status, error.message) from None
        except (aiohttp.ClientError, OSError) as error:
            raise from_connection(call, self._address, error) from None
        except (KeyError, TypeError, ValueError) as error:
            # aiodocker reads an error's body as {"message": ...} without looking.
            raise unreadable(call, str(error)) from None

    def _client(self) -> aiodocker.Docker:
        if self._docker is None:
            base, self._connector = _connect(self._url)
            self._docker = aiodocker.Docker(
                url=base,
                connector=self._connector,
                # Deadlines are set around each call: a timeout of the session would end streams.
                timeout=aiohttp.ClientTimeout(total=None),
                api_version=f"v{written(OLDEST)}",
            )
        return self._docker


def _connect(url: str) -> tuple[str, aiohttp.BaseConnector]:
    scheme, _, rest = url.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return "unix://localhost", aiohttp.UnixConnector(rest, force_close=True)
    if scheme in {"tcp", "http"} and rest:
        return f"http://{rest.rstrip('/')}", aiohttp.TCPConnector(force_close=True)
    if scheme == "https" and rest:
        return f"https://{rest.rstrip('/')}", aiohttp.TCPConnector(force_close=True)
    raise SettingsError(
        f"docker_url {without_password(url)!r} is not an address of a Docker engine.",
        field="docker_url",
        hint="Use unix:///var/run/docker.sock, tcp://host:2375 or https://host:2376.",
    )
