"""A small real registry: tags, manifests and blobs, logins, and misbehaviour on demand."""

import asyncio
import base64
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    authorization: str | None
    if_none_match: str | None


@dataclass
class RegistryFault:
    """What happens instead of an answer. `times` None: always."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hang: bool = False
    endless: bool = False
    times: int | None = None


class FakeRegistry:
    """The server. `faults` is by the beginning of "METHOD path"."""

    def __init__(self, *, login: Literal["basic", "bearer"] | None = None) -> None:
        self.login = login
        self.user, self.password = "reader", "correct-horse"
        self.token_key = "token"
        self.realm: str | None = None
        self.refuses_tokens = False
        self.asked: list[Asked] = []
        self.faults: dict[str, RegistryFault] = {}
        self.page_size = 1000
        self.without_digest = False
        self.lying_digest: str | None = None
        self.headers: dict[str, str] = {}
        self.address = ""
        self.busy = 0
        self.busiest = 0
        self._scheme = "http"
        self._tags: dict[tuple[str, str], str] = {}
        self._contents: dict[str, tuple[bytes, str]] = {}
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()

    def push(self, name: str, tag: str, labels: dict[str, str], **extra: Any) -> str:
        """Have an image for one platform under a tag; return its digest."""
        digest = self._image(labels, extra)
        self._tags[name, tag] = digest
        return digest

    def push_index(self, name: str, tag: str, images: dict[str, dict[str, str]]) -> dict[str, str]:
        """Have an image for several platforms ("linux/arm/v7"); return digests, "" the index's."""
        digests = {text: self._image(labels, {}) for text, labels in images.items()}
        manifests = []
        for text, digest in digests.items():
            os, architecture, *variant = text.split("/")
            platform = {"os": os, "architecture": architecture}
            if variant:
                platform["variant"] = variant[0]
            manifests.append({"digest": digest, "size": 1, "platform": platform})
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
        digests[""] = self._tags[name, tag] = self._keep(index, INDEX)
        return digests

    def tag(self, name: str, tag: str, digest: str) -> None:
        """Give a digest another tag."""
        self._tags[name, tag] = digest

    def config_digest(self, digest: str) -> str:
        """Return the digest of an image's configuration."""
        found: str = json.loads(self._contents[digest][0])["config"]["digest"]
        return found

    def count(self, method: str = "", part: str = "") -> int:
        """Return how often something was asked."""
        return sum(each.method.startswith(method) and part in each.path for each in self.asked)

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self._scheme = "https" if context else "http"
        self.address = f"127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Be gone."""
        self._released.set()
        if self._runner:
            await self._runner.cleanup()

    def _image(self, labels: dict[str, str], extra: dict[str, Any]) -> str:
        config = {"os": "linux", "architecture": "amd64", "config": {"Labels": labels}, **extra}
        digest = self._keep(config, CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest, "size": 1},
            "layers": [],
        }
        return self._keep(manifest, MANIFEST)

    def _keep(self, document: dict[str, Any], media_type: str) -> str:
        body = json.dumps(document).encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self._contents[digest] = (body, media_type)
        return digest

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            return await self._answer(request)
        finally:
            self.busy -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        authorization = request.headers.get("Authorization")
        self.asked.append(
            Asked(
                request.method,
                request.path_qs,
                authorization,
                request.headers.get("If-None-Match"),
            )
        )
        fault = self._fault(f"{request.method} {request.path}")
        if fault is not None:
            return await self._misbehave(request, fault)
        if request.path == "/token":
            return await self._token(request)
        if not self._may(authorization):
            return web.Response(status=401, headers={"WWW-Authenticate": self._challenge(request)})
        return self._content(request)

    def _fault(self, asked: str) -> RegistryFault | None:
        for beginning, fault in self.faults.items():
            if asked.startswith(beginning) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    async def _misbehave(self, request: web.Request, fault: RegistryFault) -> web.StreamResponse:
        if fault.hang:
            await self._released.wait()
        if not fault.endless:
            return web.Response(status=fault.status, headers=fault.headers, body=fault.body)
        response = web.StreamResponse(status=fault.status, headers=fault.headers)
        await response.prepare(request)
        with suppress(ConnectionError):
            while not self._released.is_set():
                await response.write(b" " * 65536)
        return response

    def _may(self, authorization: str | None) -> bool:
        match self.login:
            case None:
                return True
            case "basic":
                return authorization == self._basic()
            case "bearer":
                return authorization == "Bearer given-to-the-agent" and not self.refuses_tokens

    def _basic(self) -> str:
        text = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(text).decode()}"

    def _challenge(self, request: web.Request) -> str:
        if self.login == "basic":
            return 'Basic realm="Registry"'
        realm = self.realm or f"{self._scheme}://{self.address}/token"
        name = request.path.removeprefix("/v2/").partition("/manifests/")[0]
        return f'Bearer realm="{realm}",service="fake",scope="repository:{name}:pull"'

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        by_identity = form.get("refresh_token") == "identity-token"
        shown = request.headers.get("Authorization")
        if shown is not None and shown != self._basic():
            return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
        if shown is None and not by_identity and self.password:
            return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
        return web.json_response({self.token_key: "given-to-the-agent", "expires_in": 300})

    def _content(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/v2/")
        if path.endswith("/tags/list"):
            return self._tag_list(request, path.removesuffix("/tags/list"))
        for place in ("/manifests/", "/blobs/"):
            name, found, what = path.partition(place)
            if found:
                return self._manifest(request, self._tags.get((name, what), what))
        return web.Response(status=404)

    def _manifest(self, request: web.Request, digest: str) -> web.Response:
        if digest not in self._contents:
            return web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)
        body, media_type = self._contents[digest]
        if media_type == INDEX and INDEX not in request.headers.get("Accept", ""):
            return web.Response(status=404)
        told = self.lying_digest or digest
        headers = {**self.headers, "Content-Type": media_type, "ETag": f'"{told}"'}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers={"ETag": headers["ETag"]})
        if not self.without_digest:
            headers["Docker-Content-Digest"] = told
        return web.Response(body=body, headers=headers)

    def _tag_list(self, request: web.Request, name: str) -> web.Response:
        tags = sorted(tag for known, tag in self._tags if known == name)
        last = request.query.get("last")
        begin = tags.index(last) + 1 if last else 0
        page = tags[begin : begin + self.page_size]
        headers = {}
        if begin + self.page_size < len(tags):
            headers["Link"] = f'</v2/{name}/tags/list?last={page[-1]}&n=2>; rel="next"'
        return web.json_response({"name": name, "tags": page}, headers=headers)


@asynccontextmanager
async def fake_registry(
    *,
    login: Literal["basic", "bearer"] | None = None,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[FakeRegistry]:
    """Give a running fake."""
    registry = FakeRegistry(login=login)
    await registry.start(context)
    try:
        yield registry
    finally:
        await registry.stop()
