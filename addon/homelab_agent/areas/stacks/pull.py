"""The images of a stack: all of them here before anything of it is changed."""

from collections.abc import Sequence
from typing import Protocol

from homelab_agent.platform.engine.image_reference import ImageReference, parse_reference
from homelab_agent.platform.engine.images import ImageEngine, RegistryLogin
from homelab_agent.platform.errors import AgentError, Invalid, NotFound
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model

_log = get_logger(__name__)


class Logins(Protocol):
    """Knows how the agent logs in to registries."""

    async def login(self, reference: ImageReference) -> RegistryLogin | None:
        """Return what to show the registry of an image; None for nothing."""


class ImageToPull(Model):
    """An image of a service. `never`: its own policy is not to pull it."""

    service: str
    image: str
    platform: str | None = None
    never: bool = False


class StackImages:
    """Pulls what a deployment needs."""

    def __init__(self, images: ImageEngine, logins: Logins) -> None:
        self._images = images
        self._logins = logins

    async def pull(self, wanted: Sequence[ImageToPull], *, again: bool) -> None:
        """Have every image here; `again` also asks for newer ones of those that are.

        Raises:
            NotFound: neither this host nor the registry has one; `field` names it.
        """
        done: set[tuple[str, str | None]] = set()
        for each in wanted:
            if (each.image, each.platform) not in done:
                await self._pull(each, again=again)
                done.add((each.image, each.platform))

    async def _pull(self, wanted: ImageToPull, *, again: bool) -> None:
        here = await self._is_here(wanted.image)
        if here and (wanted.never or not again):
            return
        field = f"services.{wanted.service}.image"
        if wanted.never:
            raise NotFound(
                f"The image {wanted.image} is not on this host, and its pull_policy is never.",
                field=field,
            )
        try:
            reference = parse_reference(wanted.image)
            if reference.digest and here:
                return
            report(None, f"{wanted.image} is being pulled")
            await self._images.pull(
                reference,
                login=await self._logins.login(reference),
                platform=wanted.platform,
            )
        except Invalid as error:
            raise Invalid(error.message, field=field, hint=error.hint) from error
        except AgentError as error:
            if here:
                # Built here, or the registry is away: what is here will do.
                _log.info("image_not_pulled", image=wanted.image, why=error.message)
                return
            raise type(error)(
                f"{wanted.service}: {error.message}",
                field=field,
                hint=error.hint or "Look at the name and the tag of the image.",
                retry_after_s=error.retry_after_s,
                extra=error.extra,
            ) from error

    async def _is_here(self, image: str) -> bool:
        try:
            await self._images.inspect(image)
        except NotFound:
            return False
        return True
