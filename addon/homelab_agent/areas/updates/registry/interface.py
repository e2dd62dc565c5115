"""What is asked of registries. `client.py` asks real ones, `demo.py` invented ones."""

from typing import Protocol

from pydantic import Field

from homelab_agent.platform.engine.image_reference import ImageReference
from homelab_agent.platform.engine.images import RegistryLogin
from homelab_agent.platform.model import Model


class Platform(Model):
    """What an image is made for. `variant` tells 32-bit ARMs apart."""

    os: str
    architecture: str
    variant: str | None = None

    def __str__(self) -> str:
        """Return it as `linux/arm64` or `linux/arm/v7`."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Answered(Model):
    """What a registry has under a name. `etag` lets it answer "the same" the next time."""

    digest: str
    etag: str | None = None


class Described(Model):
    """What stands behind a digest. `digests`: all that mean this image on one platform.

    Those are the digest of the index, of the platform's manifest, and of its configuration,
    which is what older engines call the image's id.
    """

    digests: tuple[str, ...]
    labels: dict[str, str] = Field(default_factory=dict)


class ImageRegistry(Protocol):
    """All registries. One that is in trouble is left alone for a while and says until when.

    Raises `Unavailable`, `TimedOut` or `RateLimited` for the whole registry, each with
    `retry_after_s`; `NotFound`, `Denied` or `Failed` for one image.
    """

    async def answer(self, reference: ImageReference, known: Answered | None) -> Answered:
        """Return what the registry has under a name now; `known` is what it said before."""

    async def describe(
        self, reference: ImageReference, digest: str, platform: Platform
    ) -> Described:
        """Return what stands behind a digest, checked against it."""

    async def tags(self, reference: ImageReference) -> tuple[str, ...]:
        """Return the tags of a repository, as many as are worth looking at."""

    async def login(self, reference: ImageReference) -> RegistryLogin | None:
        """Return what the engine has to show to pull from there; None where nothing is known."""

    def forgive(self, registry: str) -> None:
        """Let a registry be asked again though it failed: a person asks, and at most once a minute.

        What the registry itself asked for (`Retry-After`) still holds.
        """

    def keep_only(self, registries: frozenset[str]) -> None:
        """Forget what is known of all other registries: nothing is followed there any more."""

    async def close(self) -> None:
        """Close all connections."""
