"""Caddy's admin API: read the configuration with its Etag, change it only where it is still that.

Never sends `Origin` or `Sec-Fetch-Mode`, which Caddy takes for a browser's.
"""

import asyncio
import json
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, override
from urllib.parse import quote, urlsplit

import aiohttp
from pydantic import JsonValue
from yarl import URL

from homelab_agent.areas.proxy.caddy_errors import (
    CaddyAway,
    CaddyRefuses,
    CaddyRefusesUs,
    CaddyUnsuitable,
    ChangedMeanwhile,
)
from homelab_agent.areas.proxy.json_tree import Change, Verb, as_object, as_text
from homelab_agent.areas.proxy.models import UpstreamState
from homelab_agent.platform.errors import Denied, TimedOut
from homelab_agent.platform.outbound.http import Attempt, HttpRequest, OutboundHttp
from homelab_agent.platform.outbound.reasons import why_not
from homelab_agent.platform.outbound.tls_contexts import TlsContexts

READ_S = 10.0
WRITE_S = 60.0
"""Caddy makes the whole configuration anew for each change before it answers."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts of an address that lead to the machine itself."""

MOST_BYTES = 64 * 1024 * 1024

_PLACEHOLDER_HOST = "caddy"
_HTTPS_PORT = 443
_HTTP_PORT = 80
_BUILD = re.compile(r'^go_build_info\{[^}]*version="v?(\d[^"]*)"', re.MULTILINE)
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Caddy's whole configuration; `document` None: it has none. `etag` names just this one."""

    document: JsonValue
    etag: str


class CaddyAdmin(Protocol):
    """What the agent asks of a Caddy.

    Raises `CaddyAway`, `CaddyRefusesUs`, `CaddyUnsuitable`, and `TimedOut` where it hangs.
    """

    address: str

    async def read(self) -> Configuration:
        """Return the whole configuration."""

    async def write(self, change: Change, etag: str) -> None:
        """Change it at one place, if the whole of it is still what `etag` names.

        Raises:
            ChangedMeanwhile: it is not; nothing was changed.
            CaddyRefuses: Caddy does not take it; nothing was changed.
            TimedOut, CaddyAway: whether it was changed is not known.
        """

    async def upstreams(self) -> tuple[UpstreamState, ...]:
        """Return how Caddy sees the upstreams of all its routes."""

    async def version(self) -> str | None:
        """Return its version; None where it does not tell."""

    async def process_id(self) -> int | None:
        """Return the process that listens at the socket; None where that cannot be seen."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    etag: str | None
    text: str


class HttpCaddyAdmin(CaddyAdmin):
    """The admin API of a real Caddy, at a unix socket or an address."""

    def __init__(
        self,
        address: str,
        http: OutboundHttp,
        tls: TlsContexts,
        *,
        read_s: float = READ_S,
        write_s: float = WRITE_S,
    ) -> None:
        self.address = address
        self._http = http
        self._tls = tls
        self._socket = socket_path(address)
        self._read_s = read_s
        self._write_s = write_s

    @override
    async def read(self) -> Configuration:
        answer = await self._ask("GET", "/config/", deadline_s=self._read_s)
        _require_let_in(answer, self.address)
        if answer.status != HTTPStatus.OK:
            raise CaddyUnsuitable(
                f"What answers at {self.address} is no admin API of Caddy: status {answer.status}."
            )
        document = _document(answer.text, self.address)
        if answer.etag is None:
            raise CaddyUnsuitable(
                "This Caddy does not tell which configuration it has (no Etag), so that it cannot "
                "be changed without the danger of undoing somebody else's work.",
                hint="Use a newer Caddy; 2.11 is known to work.",
            )
        return Configuration(document, answer.etag)

    @override
    async def write(self, change: Change, etag: str) -> None:
        removes = change.verb is Verb.REMOVE
        path = "/config/" + "/".join(quote(key, safe="") for key in change.place)
        answer = await self._ask(
            # The root is always there: it cannot be created, only set.
            "POST" if not change.place else change.verb.value,
            path,
            body=None if removes else json.dumps(change.value).encode(),
            etag=etag,
            deadline_s=self._write_s,
        )
        if answer.status == HTTPStatus.OK:
            return
        _require_let_in(answer, self.address)
        if answer.status in {
            HTTPStatus.PRECONDITION_FAILED,
            HTTPStatus.CONFLICT,
            HTTPStatus.NOT_FOUND,
        }:
            raise ChangedMeanwhile("Somebody changed Caddy's configuration meanwhile.")
        raise CaddyRefuses(f"Caddy does not take it: {_said(answer)}")

    @override
    async def upstreams(self) -> tuple[UpstreamState, ...]:
        answer = await self._ask("GET", "/reverse_proxy/upstreams", deadline_s=self._read_s)
        if answer.status != HTTPStatus.OK:
            return ()
        found = _document(answer.text, self.address)
        return tuple(
            UpstreamState(
                address=as_text(each.get("address")),
                requests=_number(each.get("num_requests")),
                fails=_number(each.get("fails")),
            )
            for each in map(as_object, found if isinstance(found, list) else [])
        )

    @override
    async def version(self) -> str | None:
        answer = await self._ask("GET", "/metrics", deadline_s=self._read_s)
        found = _BUILD.search(answer.text) if answer.status == HTTPStatus.OK else None
        return found[1] if found else None

    @override
    async def process_id(self) -> int | None:
        if self._socket is None:
            return None
        try:
            async with asyncio.timeout(self._read_s):
                _, writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            return None
        try:
            connected: socket.socket = writer.get_extra_info("socket")
            packed = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        finally:
            writer.close()
        process_id: int = _CREDENTIALS.unpack(packed)[0]
        return process_id or None

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        deadline_s: float,
        body: bytes | None = None,
        etag: str | None = None,
    ) -> _Answer:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if etag is not None:
            headers["If-Match"] = etag
        try:
            async with (
                asyncio.timeout(deadline_s),
                self._answer(method, path, headers, body) as answer,
            ):
                return _Answer(answer.status, answer.headers.get("Etag"), await _text(answer))
        except TimeoutError as error:
            raise TimedOut(
                f"Caddy's admin API at {self.address} did not answer within {deadline_s:g} s."
            ) from error
        except Denied as error:
            raise CaddyRefusesUs(error.message) from error
        except (aiohttp.ClientError, OSError) as error:
            raise CaddyAway(
                f"Caddy's admin API at {self.address} does not answer: {why_not(error)}",
                hint="Is Caddy running, and is its admin API there? See `admin` in its settings.",
            ) from error

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._socket is None:
            request = HttpRequest(
                url=URL(self.address + path, encoded=True),
                method=method,
                headers=headers,
                body=body,
            )
            context = await self._tls.get(verify=True)
            async with self._http.request(
                request, Attempt(), context=context, allow_guarded=False
            ) as answer:
                yield answer
            return
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(self._socket), force_close=True),
                timeout=aiohttp.ClientTimeout(total=None),
            ) as session,
            session.request(
                method,
                URL(f"http://{_PLACEHOLDER_HOST}{path}", encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
            ) as answer,
        ):
            yield answer


def socket_path(address: str) -> Path | None:
    """Return the unix socket of an address like "unix//run/caddy.sock"; None for others."""
    if not address.startswith("unix/"):
        return None
    return Path("/" + address.removeprefix("unix/").lstrip("/").partition("|")[0])


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of an address that is no socket; `ValueError` for a wrong port."""
    parts = urlsplit(address)
    usual = _HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT
    return parts.hostname or "", parts.port or usual


async def _text(answer: aiohttp.ClientResponse) -> str:
    read = bytearray()
    async for chunk in answer.content.iter_chunked(65536):
        read += chunk
        if len(read) > MOST_BYTES:
            raise CaddyUnsuitable("Caddy's configuration is larger than 64 MiB.")
    return read.decode(errors="replace")


def _document(text: str, address: str) -> JsonValue:
    try:
        document: JsonValue = json.loads(text)
    except ValueError as error:
        raise CaddyUnsuitable(f"What answers at {address} is no admin API of Caddy.") from error
    return document


def _require_let_in(answer: _Answer, address: str) -> None:
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise CaddyRefusesUs(
            f"Caddy's admin API at {address} does not let the agent in: {_said(answer)}",
            hint="Name the address as `admin.listen` or `admin.origins` in Caddy's settings does.",
        )


def _said(answer: _Answer) -> str:
    """Return Caddy's own words."""
    try:
        said = as_text(as_object(json.loads(answer.text)).get("error"))
    except ValueError:
        said = answer.text.strip()
    return (said or f"status {answer.status}")[:1000]


def _number(value: JsonValue) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
