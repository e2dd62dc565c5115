"""The images of the invented homelab, and what its invented registries have that is newer."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import override

from homelab_agent.platform.clock import Clock, utc_now
from homelab_agent.platform.engine.demo.homelab import HOMELAB
from homelab_agent.platform.engine.image_reference import ImageReference, parse_reference
from homelab_agent.platform.engine.images import EngineImage, ImageEngine, RegistryLogin
from homelab_agent.platform.errors import Conflict, Invalid, NotFound
from homelab_agent.platform.jobs.progress import report

VERSION_LABEL = "org.opencontainers.image.version"
SOURCE_LABEL = "org.opencontainers.image.source"

_PULL_STEPS = 20
_PULL_S = 4.0
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedImage:
    """`newer`: the version its registry has under the same name; None for one built here."""

    version: str
    newer: str | None
    source: str | None = None
    megabytes: int = 250

    @property
    def is_local(self) -> bool:
        """Whether no registry knows it."""
        return self.newer is None


INVENTED_IMAGES: Mapping[str, InventedImage] = {
    "lscr.io/linuxserver/sonarr:latest": InventedImage(
        version="4.0.15", newer="4.0.16", source="https://github.com/linuxserver/docker-sonarr"
    ),
    "nextcloud:32-apache": InventedImage(version="32.0.1", newer="32.0.2", megabytes=1290),
    "ghcr.io/paperless-ngx/paperless-ngx:2.19": InventedImage(
        version="2.19.4",
        newer="2.19.5",
        source="https://github.com/paperless-ngx/paperless-ngx",
        megabytes=1600,
    ),
    "ghcr.io/koenkk/zigbee2mqtt:2.6": InventedImage(
        version="2.6.2",
        newer="2.6.3",
        source="https://github.com/Koenkk/zigbee2mqtt",
        megabytes=180,
    ),
    "itzg/minecraft-server:java21": InventedImage(version="java21", newer=None, megabytes=780),
}
"""Those with something to tell; all others are the newest of their name."""


class DemoImages(ImageEngine):
    """Implements `ImageEngine`. A pull brings what the invented registry has."""

    def __init__(self, *, clock: Clock = utc_now, pull_s: float = _PULL_S) -> None:
        self._clock = clock
        self._pull_s = pull_s
        self._images = {image.id: image for image in self._installed()}

    @override
    async def list_images(self) -> tuple[EngineImage, ...]:
        return tuple(self._images.values())

    @override
    async def inspect(self, image: str) -> EngineImage:
        return self._found(image)

    @override
    async def pull(
        self,
        reference: ImageReference,
        *,
        login: RegistryLogin | None = None,
        platform: str | None = None,
    ) -> EngineImage:
        name = str(reference)
        invented = INVENTED_IMAGES.get(name) or _plain(reference)
        for step in range(_PULL_STEPS):
            fetched = invented.megabytes * step / _PULL_STEPS
            report(step / _PULL_STEPS, f"Downloading: {fetched:.0f} of {invented.megabytes} MB")
            await asyncio.sleep(self._pull_s / _PULL_STEPS)
        version = invented.newer or invented.version
        image = self._image(reference, invented, version, hours=20)
        self._take_name(name)
        self._images[image.id] = image
        return image

    @override
    async def tag(self, image: str, reference: ImageReference) -> None:
        if reference.tag is None:
            raise Invalid(f"{reference} has no tag.", field="image")
        found, name = self._found(image), str(reference)
        if name in found.tags:
            return
        self._take_name(name)
        self._images[found.id] = found.model_copy(update={"tags": (*found.tags, name)})

    @override
    async def remove(self, image: str, *, force: bool = False) -> tuple[str, ...]:
        found = self._found(image)
        if image in found.tags and len(found.tags) > 1:
            self._take_name(image)
            return (image,)
        if len(found.tags) > 1 and not force:
            raise Conflict(f"The image {image} has several names.", hint="Remove them one by one.")
        del self._images[found.id]
        return (*found.tags, found.id)

    def _installed(self) -> list[EngineImage]:
        images = []
        for name in {each.image: None for each in HOMELAB}:
            reference = parse_reference(name)
            invented = INVENTED_IMAGES.get(name) or _plain(reference)
            images.append(self._image(reference, invented, invented.version, hours=400))
        return images

    def _image(
        self, reference: ImageReference, invented: InventedImage, version: str, *, hours: int
    ) -> EngineImage:
        name = str(reference)
        labels = {VERSION_LABEL: version}
        if invented.source:
            labels[SOURCE_LABEL] = invented.source
        digest = reference.digest or invented_digest(name, version)
        return EngineImage(
            id=_id_of(name, version if version != invented.version else None),
            tags=(f"{reference.name}:{reference.tag}",) if reference.tag else (),
            digests=() if invented.is_local else (f"{reference.name}@{digest}",),
            labels=labels,
            created_at=self._clock() - timedelta(hours=hours),
            size_bytes=invented.megabytes * _MEGABYTE,
            architecture="amd64",
            os="linux",
        )

    def _found(self, image: str) -> EngineImage:
        found = self._images.get(image)
        if found is not None:
            return found
        for each in self._images.values():
            if image in (*each.tags, *each.digests) or f"{image}:latest" in each.tags:
                return each
        raise NotFound(f"There is no image {image[:80]!r} on this host.")

    def _take_name(self, name: str) -> None:
        for image in list(self._images.values()):
            if name in image.tags:
                left = tuple(tag for tag in image.tags if tag != name)
                self._images[image.id] = image.model_copy(update={"tags": left})


def invented_digest(name: str, version: str) -> str:
    """Return what the invented registry calls one version of an image."""
    return f"sha256:{hashlib.sha256(f'{name} {version}'.encode()).hexdigest()}"


def _plain(reference: ImageReference) -> InventedImage:
    version = reference.tag or "latest"
    return InventedImage(version=version, newer=version)


def _id_of(name: str, newer: str | None) -> str:
    # The installed one has the id that the demo's containers name as theirs.
    text = name if newer is None else f"{name} {newer}"
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
