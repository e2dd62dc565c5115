"""Lets go of the images that were kept to go back to, once nobody can go back to them."""

import asyncio
from collections.abc import Callable
from time import monotonic

from homelab_agent.areas.containers.models import ContainerQuery
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.recreate.image_choice import KEPT_REPOSITORY, kept_name
from homelab_agent.areas.recreate.store import RecreateBook
from homelab_agent.platform.engine.images import ImageEngine
from homelab_agent.platform.errors import AgentError, Conflict, NotFound
from homelab_agent.platform.logging import get_logger

SWEEP_S = 3600.0
GRACE_S = 24 * 3600.0
"""A container that is away may just be between `compose down` and `compose up`."""

_log = get_logger(__name__)


class KeptImages:
    """Removes their names; an image that has another name, or is used, stays.

    `now` stands still while the machine sleeps: nobody can bring a container back meanwhile.
    """

    def __init__(
        self,
        containers: ContainerService,
        images: ImageEngine,
        book: RecreateBook,
        *,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._containers = containers
        self._images = images
        self._book = book
        self._now = now
        self._unwanted_since: dict[str, float] = {}

    async def run(self, every_s: float = SWEEP_S) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.sweep()
            except AgentError as error:
                _log.info("kept_images_not_looked_at", why=error.message)

    async def sweep(self) -> None:
        """Remove what has been of no use for a day, as far as this agent has seen.

        Raises:
            AgentError: the engine or the store is away; nothing is decided then.
        """
        records = await self._book.records()
        present = {each.key for each in self._containers.list(ContainerQuery()).containers}
        wanted = {
            str(kept_name(key))
            for key, record in records.items()
            if key in present and record.kept is not None
        }
        tags = {tag for image in await self._images.list_images() for tag in image.tags}
        unwanted = {tag for tag in tags if tag.startswith(f"{KEPT_REPOSITORY}/")} - wanted
        now = self._now()
        self._unwanted_since = {tag: self._unwanted_since.get(tag, now) for tag in unwanted}
        for tag, since in self._unwanted_since.items():
            if now - since >= GRACE_S:
                await self._remove(tag)
                for key in records.keys() - present:
                    if str(kept_name(key)) == tag:
                        await self._book.forget(key)

    async def _remove(self, tag: str) -> None:
        try:
            await self._images.remove(tag)
        except (Conflict, NotFound) as error:
            _log.info("kept_image_still_used", image=tag, why=error.message)
        else:
            _log.info("kept_image_removed", image=tag)
