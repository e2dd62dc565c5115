"""Docker's images over its API."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import override
from urllib.parse import quote

from pydantic import ValidationError
from pydantic_core import to_json

from homelab_agent.platform.engine.docker.answers import read_as, read_document
from homelab_agent.platform.engine.docker.errors import Call, unreadable
from homelab_agent.platform.engine.docker.image_documents import (
    IMAGE_LIST,
    REMOVED_LIST,
    InspectedImage,
    PullLine,
)
from homelab_agent.platform.engine.docker.lines import lines
from homelab_agent.platform.engine.docker.pull import PullMeter, explained, pull_error
from homelab_agent.platform.engine.docker.transport import Headers, Transport
from homelab_agent.platform.engine.image_reference import (
    DOCKER_HUB,
    ImageReference,
    is_image_id,
    parse_reference,
)
from homelab_agent.platform.engine.images import EngineImage, ImageEngine, RegistryLogin
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.errors import AgentError, Invalid, NotFound, TimedOut
from homelab_agent.platform.jobs.progress import report

_FIRST_LINE_S = 120.0
"""How long Docker may take to find a registry; it tries several addresses, one after another."""

_IDLE_S = 300.0
"""How long a pull may say nothing: a large layer on a slow disk does not say much."""

_REMOVE_S = 120.0

_HUB_SERVER = "https://index.docker.io/v1/"


class DockerImages(ImageEngine):
    """Implements `ImageEngine`."""

    def __init__(self, transport: Transport, *, idle_s: float = _IDLE_S) -> None:
        self._transport = transport
        self._idle_s = idle_s

    @override
    async def list_images(self) -> tuple[EngineImage, ...]:
        call = Call("list the images", EngineRight.IMAGES_READ)
        listed = read_as(IMAGE_LIST, call, await self._transport.read("images/json", call))
        return tuple(row.image() for row in listed)

    @override
    async def inspect(self, image: str) -> EngineImage:
        call = Call(f"describe the image {image}", EngineRight.IMAGES_READ)
        body = await self._transport.read(f"images/{_path(image)}/json", call)
        return read_document(InspectedImage, call, body).image()

    @override
    async def pull(
        self,
        reference: ImageReference,
        *,
        login: RegistryLogin | None = None,
        platform: str | None = None,
    ) -> EngineImage:
        # Without a tag Docker would pull every tag there is.
        parameters = {"fromImage": _exact(reference)}
        if platform is not None:
            parameters["platform"] = platform
        headers = {"X-Registry-Auth": _header(reference, login)} if login else None
        meter = PullMeter()
        report(None, meter.words)
        async with self._pulling(reference, parameters, headers) as told:
            async for line in told:
                if line.error:
                    raise pull_error(reference, line.error)
                meter.feed(line)
                report(meter.fraction, meter.words)
        return await self.inspect(_exact(reference))

    @override
    async def tag(self, image: str, reference: ImageReference) -> None:
        if reference.tag is None:
            raise Invalid(f"{reference} has no tag.", field="image")
        call = Call(f"tag the image {image}", EngineRight.IMAGES_CHANGE, changes=True)
        names = {"repo": reference.name, "tag": reference.tag}
        await self._transport.change(f"images/{_path(image)}/tag", call, names)

    @override
    async def remove(self, image: str, *, force: bool = False) -> tuple[str, ...]:
        call = Call(f"remove the image {image}", EngineRight.IMAGES_CHANGE, changes=True)
        body = await self._transport.change(
            f"images/{_path(image)}",
            call,
            {"force": "true"} if force else None,
            method="DELETE",
            extra_s=_REMOVE_S,
        )
        rows = read_as(REMOVED_LIST, call, body)
        return tuple(part for row in rows for part in (row.untagged, row.deleted) if part)

    @asynccontextmanager
    async def _pulling(
        self, reference: ImageReference, parameters: dict[str, str], headers: Headers | None
    ) -> AsyncIterator[AsyncIterator[PullLine]]:
        call = Call(f"pull {reference}", EngineRight.IMAGES_CHANGE, changes=True)
        try:
            async with self._transport.stream(
                "images/create",
                call,
                parameters,
                method="POST",
                headers=headers,
                first_s=_FIRST_LINE_S,
            ) as chunks:
                yield self._lines(reference, chunks)
        except AgentError as error:
            raise explained(reference, error) from None

    async def _lines(
        self, reference: ImageReference, chunks: AsyncIterator[bytes]
    ) -> AsyncIterator[PullLine]:
        told = lines(chunks)
        while True:
            try:
                async with asyncio.timeout(self._idle_s):
                    line = await anext(told, None)
            except TimeoutError:
                raise TimedOut(
                    f"Docker said nothing about the pull of {reference} for {self._idle_s:g} s.",
                    hint="Look at the network and at the host's disk, then try again.",
                ) from None
            if line is None:
                return
            if line.strip():
                yield _line(reference, line)


def _line(reference: ImageReference, line: bytes) -> PullLine:
    try:
        return PullLine.model_validate_json(line)
    except ValidationError as error:
        call = Call(f"pull {reference}", EngineRight.IMAGES_CHANGE)
        raise unreadable(call, str(error)) from None


def _exact(reference: ImageReference) -> str:
    """Return a name that means one image: where there is a digest, the tag says nothing."""
    if reference.digest:
        return f"{reference.name}@{reference.digest}"
    return f"{reference.name}:{reference.tag}"


def _path(image: str) -> str:
    """Return what is safe to put into a path; anything else cannot be an image's name or id."""
    if not is_image_id(image):
        try:
            parse_reference(image)
        except Invalid:
            raise NotFound(f"There is no image {image[:80]!r} on this host.") from None
    return quote(image, safe="/:@")


def _header(reference: ImageReference, login: RegistryLogin) -> str:
    server = _HUB_SERVER if reference.registry == DOCKER_HUB else reference.registry
    shown = {"serveraddress": server}
    if login.identity_token is not None:
        shown["identitytoken"] = login.identity_token.get_secret_value()
    else:
        shown["username"] = login.username
        shown["password"] = login.password.get_secret_value()
    return urlsafe_b64encode(to_json(shown)).decode()
