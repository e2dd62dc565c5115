"""Which image a container is made from, and what becomes of the one it had."""

import hashlib
import re

from homelab_agent.areas.recreate.facts import Found, NewImage
from homelab_agent.areas.recreate.hands import Hands
from homelab_agent.areas.recreate.models import RecreateAction, RecreateTarget
from homelab_agent.areas.recreate.store import Kept
from homelab_agent.platform.engine.image_reference import (
    ImageReference,
    is_image_id,
    parse_reference,
    short_digest,
)
from homelab_agent.platform.engine.images import EngineImage
from homelab_agent.platform.errors import AgentError, Conflict, Invalid, NotFound
from homelab_agent.platform.logging import get_logger

KEPT_REPOSITORY = "homelab-rollback"
"""Images with a name in here are those to go back to; the name keeps them from being pruned."""

_VERSION_LABEL = "org.opencontainers.image.version"
_ROLLING = frozenset({"latest", "stable", "main", "master", "edge", "nightly"})

_log = get_logger(__name__)


class ImageChoice:
    """Pulls, names and lets go of images."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    async def local_id(self, image: str) -> str | None:
        """Return which image a name means on this host; None where it means none."""
        known = await self._inspect(image)
        return known.id if known else None

    async def choose(self, target: RecreateTarget, found: Found) -> NewImage:
        """Have the image that a container is to be made from.

        Raises:
            Invalid: it cannot be updated by its name; the engine's errors of a pull.
        """
        original = found.original
        image = target.image or original.image
        if target.action is RecreateAction.UPDATE and not target.only_with_them:
            chosen = await self._pull(image, original.platform)
        elif target.image_id is not None:
            chosen = await self._named(image, target.image_id)
        else:
            chosen = await self._inspect(image) or await self._named(image, original.image_id)
        old = await self._inspect(original.image_id)
        return NewImage(
            image=image,
            image_id=chosen.id,
            version=version_of(chosen, image),
            old_version=version_of(old, original.image) if old else None,
        )

    async def take_back(self, target: RecreateTarget, found: Found, image: NewImage) -> None:
        """Let the name mean what it meant before; else compose would take the failed image."""
        reference = _taggable(image.image)
        before, now = found.local_id, await self._inspect(image.image)
        moved = now is not None and now.id == image.image_id and before != image.image_id
        if reference is None or not moved:
            return
        if before is not None:
            await self._hands.images.tag(before, reference)
        if target.action is RecreateAction.UPDATE:
            await self._let_go(image.image_id, only_name=None if before else image.image)

    async def keep(self, key: str, found: Found, image: NewImage) -> None:
        """Keep the old image to go back to, and let go of the one that was kept before."""
        original = found.original
        if original.image_id == image.image_id:
            return
        record = await self._hands.book.read(key)
        try:
            await self._hands.images.tag(original.image_id, kept_name(key))
        except NotFound:
            # Somebody removed it by force: there is nothing to go back to.
            kept = None
        else:
            kept = Kept(image=original.image, image_id=original.image_id, version=image.old_version)
        await self._hands.book.write(key, record.model_copy(update={"kept": kept}))
        if record.kept and record.kept.image_id not in {original.image_id, image.image_id}:
            await self._let_go(record.kept.image_id)

    async def _pull(self, image: str, platform: str | None) -> EngineImage:
        if is_image_id(image):
            raise Invalid(
                f"It was made from the image {image.removeprefix('sha256:')[:12]} without a name.",
                field="image",
                hint="Say which image to update to, as in nginx:1.29.",
            )
        reference = parse_reference(image)
        logins = self._hands.logins
        login = await logins.login(reference) if logins else None
        return await self._hands.images.pull(reference, login=login, platform=platform)

    async def _named(self, image: str, image_id: str) -> EngineImage:
        """Return an image by its id, and let the name mean it."""
        known = await self._inspect(image_id)
        if known is None:
            raise NotFound(
                f"The image {short_digest(image_id)} ({image}) is not on this host any more."
            )
        reference = _taggable(image)
        if reference is not None and await self.local_id(image) != known.id:
            await self._hands.images.tag(known.id, reference)
        return known

    async def _let_go(self, image_id: str, only_name: str | None = None) -> None:
        """Remove an image that has no name (but `only_name`), where nothing uses it."""
        known = await self._inspect(image_id)
        if known is None or len(known.tags) > (1 if only_name else 0):
            return
        try:
            await self._hands.images.remove(only_name or image_id)
        except (Conflict, NotFound) as error:
            _log.info("image_still_used", image=image_id, why=error.message)

    async def _inspect(self, image: str) -> EngineImage | None:
        try:
            return await self._hands.images.inspect(image)
        except NotFound:
            return None


def version_of(image: EngineImage, name: str) -> str:
    """Return what a person calls this image: its own version, else its tag, else its digest."""
    own = image.labels.get(_VERSION_LABEL, "").strip()
    if own:
        return own[:64]
    reference = _taggable(name)
    if reference is not None and reference.tag and reference.tag not in _ROLLING:
        return reference.tag
    digest = next((each.partition("@")[2] for each in image.digests), image.id)
    return short_digest(digest)


def _taggable(image: str) -> ImageReference | None:
    """Return the name that can be given to another image; None for an id or a digest."""
    if is_image_id(image):
        return None
    try:
        reference = parse_reference(image)
    except AgentError:
        return None
    return reference if reference.tag and not reference.digest else None


def kept_name(key: str) -> ImageReference:
    """Return under which name the image before is kept for a container."""
    plain = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")[:80] or "container"
    if plain != key:
        plain = f"{plain}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
    return parse_reference(f"{KEPT_REPOSITORY}/{plain}:previous")
