"""Invented registries for the invented homelab. They answer at once, and one is not there."""

from typing import override

from homelab_agent.areas.updates.registry.interface import (
    Answered,
    Described,
    ImageRegistry,
    Platform,
)
from homelab_agent.platform.engine.demo.images import (
    INVENTED_IMAGES,
    SOURCE_LABEL,
    VERSION_LABEL,
    invented_digest,
)
from homelab_agent.platform.engine.image_reference import ImageReference
from homelab_agent.platform.engine.images import RegistryLogin
from homelab_agent.platform.errors import NotFound

_GONE = "lscr.io/linuxserver/wireguard:latest"


class DemoRegistry(ImageRegistry):
    """Implements `ImageRegistry`."""

    @override
    async def answer(self, reference: ImageReference, known: Answered | None) -> Answered:
        name = str(reference)
        if name == _GONE:
            raise NotFound(
                f"{reference.registry} has no image {reference}.",
                hint="Was it renamed or removed? A private image needs a login.",
            )
        return Answered(digest=invented_digest(name, _newest(reference)))

    @override
    async def describe(
        self, reference: ImageReference, digest: str, platform: Platform
    ) -> Described:
        labels = {VERSION_LABEL: _newest(reference)}
        invented = INVENTED_IMAGES.get(str(reference))
        if invented and invented.source:
            labels[SOURCE_LABEL] = invented.source
        return Described(digests=(digest,), labels=labels)

    @override
    async def tags(self, reference: ImageReference) -> tuple[str, ...]:
        return (reference.tag,) if reference.tag else ()

    @override
    async def login(self, reference: ImageReference) -> RegistryLogin | None:
        return None

    @override
    def forgive(self, registry: str) -> None:
        pass

    @override
    def keep_only(self, registries: frozenset[str]) -> None:
        pass

    @override
    async def close(self) -> None:
        pass


def _newest(reference: ImageReference) -> str:
    invented = INVENTED_IMAGES.get(str(reference))
    return (invented and invented.newer) or reference.tag or "latest"
