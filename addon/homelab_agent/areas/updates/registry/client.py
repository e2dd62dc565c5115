"""Asks real registries, by the OCI distribution protocol."""

import re
from http import HTTPStatus
from typing import override
from urllib.parse import urljoin

from pydantic import BaseModel

from homelab_agent.areas.updates.registry.credentials import Credentials
from homelab_agent.areas.updates.registry.documents import (
    ACCEPT,
    ImageConfig,
    Manifest,
    TagList,
    choose,
    digest_of,
    is_digest,
)
from homelab_agent.areas.updates.registry.exchange import Ask, Exchange
from homelab_agent.areas.updates.registry.hosts import RegistryHosts
from homelab_agent.areas.updates.registry.http import Reply, no_registry
from homelab_agent.areas.updates.registry.interface import (
    Answered,
    Described,
    ImageRegistry,
    Platform,
)
from homelab_agent.areas.updates.registry.lane import Pace
from homelab_agent.platform.engine.image_reference import ImageReference, short_digest
from homelab_agent.platform.engine.images import RegistryLogin
from homelab_agent.platform.errors import Denied, Failed, NotFound, Unavailable

_MOST_MANIFEST_BYTES = 4 * 1024 * 1024
_MOST_CONFIG_BYTES = 8 * 1024 * 1024
_TAGS_ON_A_PAGE = 1000
_MOST_PAGES = 10

_NO_HEAD = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)
"""What servers answer that give manifests, but not their heads."""

_NEXT = re.compile(r'<([^>]{1,2048})>\s*;[^,]*rel="?next"?')


class RegistryClient(ImageRegistry):
    """Implements `ImageRegistry`."""

    def __init__(
        self, hosts: RegistryHosts, credentials: Credentials, *, pace: Pace | None = None
    ) -> None:
        self._credentials = credentials
        self._exchange = Exchange(hosts, credentials, pace or Pace())

    @override
    async def answer(self, reference: ImageReference, known: Answered | None) -> Answered:
        path = f"manifests/{reference.tag}"
        headers = {"Accept": ACCEPT}
        if known is not None and known.etag is not None:
            headers["If-None-Match"] = known.etag
        reply = await self._ask(reference, Ask(path=path, method="HEAD", headers=headers))
        if reply.status == HTTPStatus.NOT_MODIFIED and known is not None:
            return known
        if reply.status not in _NO_HEAD:
            _require_found(reference, reply)
            digest = reply.headers.get("Docker-Content-Digest", "")
            if is_digest(digest):
                return Answered(digest=digest, etag=_etag(reply))
        return await self._hashed(reference, path)

    @override
    async def describe(
        self, reference: ImageReference, digest: str, platform: Platform
    ) -> Described:
        digests = [digest]
        manifest = await self._manifest(reference, digest)
        if manifest.manifests:
            child = choose(manifest.manifests, platform)
            if child is None:
                raise Failed(f"The newest {reference} is not made for {platform}.")
            digests.append(child.digest)
            manifest = await self._manifest(reference, child.digest)
        if manifest.config is None:
            return Described(digests=tuple(digests))
        digests.append(manifest.config.digest)
        config = await self._checked(
            reference, "blobs", manifest.config.digest, ImageConfig, _MOST_CONFIG_BYTES
        )
        labels = (config.config and config.config.labels) or {}
        return Described(digests=tuple(digests), labels=labels)

    @override
    async def tags(self, reference: ImageReference) -> tuple[str, ...]:
        path: str | None = f"tags/list?n={_TAGS_ON_A_PAGE}"
        found: dict[str, None] = {}
        for _ in range(_MOST_PAGES):
            if path is None:
                break
            reply = await self._ask(reference, Ask(path=path, most_bytes=_MOST_MANIFEST_BYTES))
            _require_found(reference, reply)
            found |= dict.fromkeys(reply.read(TagList).tags or ())
            path = _next_page(reference, path, reply)
        return tuple(found)

    @override
    async def login(self, reference: ImageReference) -> RegistryLogin | None:
        return await self._credentials.get(reference.registry)

    @override
    def forgive(self, registry: str) -> None:
        self._exchange.forgive(registry)

    @override
    def keep_only(self, registries: frozenset[str]) -> None:
        self._exchange.keep_only(registries)
        self._credentials.keep_only(registries)

    @override
    async def close(self) -> None:
        await self._exchange.close()

    async def _ask(self, reference: ImageReference, ask: Ask) -> Reply:
        return await self._exchange.ask(reference.registry, reference.repository, ask)

    async def _hashed(self, reference: ImageReference, path: str) -> Answered:
        """Find the digest of what the registry names no digest of."""
        ask = Ask(path=path, headers={"Accept": ACCEPT}, most_bytes=_MOST_MANIFEST_BYTES)
        reply = await self._ask(reference, ask)
        _require_found(reference, reply)
        reply.read(Manifest)
        return Answered(digest=digest_of(reply.body), etag=_etag(reply))

    async def _manifest(self, reference: ImageReference, digest: str) -> Manifest:
        return await self._checked(reference, "manifests", digest, Manifest, _MOST_MANIFEST_BYTES)

    async def _checked[Document: BaseModel](
        self,
        reference: ImageReference,
        place: str,
        digest: str,
        document: type[Document],
        most_bytes: int,
    ) -> Document:
        """Return what stands behind a digest; `Failed` for anything else than that."""
        headers = {"Accept": ACCEPT} if place == "manifests" else {}
        ask = Ask(path=f"{place}/{digest}", headers=headers, most_bytes=most_bytes)
        reply = await self._ask(reference, ask)
        if reply.status == HTTPStatus.NOT_FOUND:
            raise Failed(
                f"{reference.registry} names {short_digest(digest)} for {reference}, "
                "but does not have it."
            )
        _require_found(reference, reply)
        if digest_of(reply.body, digest) != digest:
            raise Failed(
                f"{reference.registry} names {short_digest(digest)} for {reference}, "
                "but what it gives for that is something else."
            )
        return reply.read(document)


def _require_found(reference: ImageReference, reply: Reply) -> None:
    registry = reference.registry
    match reply.status:
        case HTTPStatus.OK:
            return
        case HTTPStatus.NOT_FOUND:
            raise NotFound(
                f"{registry} has no image {reference}.",
                hint="Was it renamed or removed? A private image needs a login.",
            )
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise Denied(
                f"{registry} does not show {reference} to the agent: it does not exist, or is "
                "private.",
                hint="Give the agent a user and a password for it (setting registries).",
            )
        case _ if reply.status < HTTPStatus.BAD_REQUEST:
            raise no_registry(registry, reply.headers.get("Content-Type"))
        case _:
            raise Unavailable(f"{registry} answers {reply.status} to a question for {reference}.")


def _etag(reply: Reply) -> str | None:
    etag = reply.headers.get("ETag")
    return etag if etag and len(etag) < 256 and etag.isascii() else None  # noqa: PLR2004


def _next_page(reference: ImageReference, path: str, reply: Reply) -> str | None:
    """Return the path of the next page within the same repository; None at the end."""
    found = _NEXT.search(reply.headers.get("Link", ""))
    if found is None:
        return None
    base = f"/v2/{reference.repository}/"
    try:
        following = urljoin(f"{base}{path}", found[1])
    except ValueError:
        return None
    inside = following.partition(base)[2]
    return inside if inside.startswith("tags/list?") and inside != path else None
