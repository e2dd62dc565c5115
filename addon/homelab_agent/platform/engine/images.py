"""The images of an engine. `docker/` and `demo/` implement it."""

from datetime import datetime
from typing import Protocol

from pydantic import Field, SecretStr

from homelab_agent.platform.engine.image_reference import ImageReference
from homelab_agent.platform.model import Model


class EngineImage(Model):
    """An image of the engine. `digests` are what registries call it: `name@sha256:...`.

    `id` is the engine's own and may differ from every digest. A list leaves out the platform
    (`architecture`, `os`, `variant`), which are None there.
    """

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    created_at: datetime | None = None
    size_bytes: int = 0
    architecture: str | None = None
    os: str | None = None
    variant: str | None = None


class RegistryLogin(Model):
    """What a registry is shown: a user with a password, or an identity token instead of both."""

    username: str = ""
    password: SecretStr = SecretStr("")
    identity_token: SecretStr | None = None


class ImageEngine(Protocol):
    """The images of a container engine. Raises only the errors of `platform.errors`.

    `NotFound` for an image that neither engine nor registry has, `Conflict` for one in use,
    `RateLimited` when the registry wants to be asked later, `Failed` for what the engine or the
    registry says of itself; the rest as with `Engine`. Nothing is ever repeated by itself.
    """

    async def list_images(self) -> tuple[EngineImage, ...]:
        """Return all images, without those that are only layers of others."""

    async def inspect(self, image: str) -> EngineImage:
        """Return one image in full, by name, digest or id."""

    async def pull(
        self,
        reference: ImageReference,
        *,
        login: RegistryLogin | None = None,
        platform: str | None = None,
    ) -> EngineImage:
        """Fetch an image and return it; tells `jobs.progress` how far it is. Cancelling ends it.

        `platform`: `linux/arm64` and the like; the engine's own where None.
        """

    async def tag(self, image: str, reference: ImageReference) -> None:
        """Give an image another name; what had that name before loses it."""

    async def remove(self, image: str, *, force: bool = False) -> tuple[str, ...]:
        """Remove a name, and the image with its last one; return the names and ids that went.

        `force` also takes an image with several names, or of stopped containers.
        """
