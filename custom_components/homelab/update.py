"""The image of a container as something to update: newer one found, installed, taken back."""

from collections.abc import Sequence
from typing import Any, Final, override

from homeassistant.components.update import (
    UpdateEntity,
    UpdateEntityDescription,
    UpdateEntityFeature,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import ContainerUpdate, Job, UpdatePolicy, UpdateState
from .client.kinds import CONTAINER, CONTAINER_RECREATE, CONTAINER_UPDATE
from .client.models import UpdateBody
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import ThingEntity
from .release_notes import release_notes, short_digest
from .subjects import Subject

# The agent itself orders the jobs on each container.
PARALLEL_UPDATES = 0

UPDATE = UpdateEntityDescription(key="update", translation_key="image")

_LOOKED_FOR: Final = frozenset({UpdateState.CURRENT, UpdateState.AVAILABLE, UpdateState.UNKNOWN})
_MAKES_ANEW: Final = frozenset({"update", "recreate", "rollback"})
"""Jobs after which another container stands for the key, by the last part of their kind."""


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add an entity for each container whose image is looked for, as soon as it is."""
    coordinator = entry.runtime_data

    @callback
    def add(updates: Sequence[ContainerUpdate]) -> None:
        async_add_entities(ImageUpdate(coordinator, update) for update in updates)

    entry.async_on_unload(coordinator.async_on_new(CONTAINER_UPDATE, add, wanted=_looked_for))


class ImageUpdate(ThingEntity[ContainerUpdate], UpdateEntity):
    """Whether there is a newer image for a container; installing it recreates the container."""

    _attr_supported_features = (
        UpdateEntityFeature.INSTALL
        | UpdateEntityFeature.PROGRESS
        | UpdateEntityFeature.RELEASE_NOTES
    )
    _unrecorded_attributes = frozenset({"policy", "reason"})

    def __init__(self, coordinator: HomelabCoordinator, update: ContainerUpdate) -> None:
        subject = Subject(CONTAINER.name, update.key)
        super().__init__(coordinator, UPDATE, subject, CONTAINER_UPDATE)

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the jobs of the container too."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_listen_job(self.key, self._on_change))

    @property
    @override
    def available(self) -> bool:
        """Whether newer images are looked for at all, which a policy or a pinned digest ends."""
        return super().available and self.of_thing(_looked_for) is True

    @override
    def value(self) -> object:
        return (self.thing, self.in_progress, self.update_percentage)

    @property
    @override
    def installed_version(self) -> str | None:
        """What runs now."""
        return self.of_thing(lambda update: _versions(update)[0])

    @property
    @override
    def latest_version(self) -> str | None:
        """What an update would bring; None while it cannot be known."""
        return self.of_thing(lambda update: _versions(update)[1])

    @override
    def version_is_newer(self, latest_version: str, installed_version: str) -> bool:
        """Trust the agent: it compares digests, and a moved tag may well look older."""
        return latest_version != installed_version

    @property
    @override
    def title(self) -> str | None:
        """The image that is followed, without its tag: pages show the version right behind it."""
        return self.of_thing(lambda update: _without_tag(update.image))

    @property
    @override
    def entity_picture(self) -> None:
        """Show the icon: the integration's logo would say that the integration is old."""

    @property
    @override
    def release_url(self) -> str | None:
        """Where the image says its releases are described."""
        return self.of_thing(lambda update: update.release_notes_url)

    @property
    @override
    def auto_update(self) -> bool:
        """Whether the agent updates it by itself."""
        return self.of_thing(lambda update: update.policy is UpdatePolicy.AUTOMATIC) is True

    @property
    @override
    def in_progress(self) -> bool:
        """Whether the container is being made anew right now."""
        return self._job is not None

    @property
    @override
    def update_percentage(self) -> int | None:
        """How far that is; None where it cannot be known."""
        job = self._job
        return None if job is None or job.progress is None else round(job.progress * 100)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """What happens by itself, and why it is not known whether there is a newer image."""
        update = self.thing
        return {
            "policy": update and update.policy.value,
            "reason": update and update.reason,
        }

    @override
    async def async_release_notes(self) -> str | None:
        """Say what runs, what would come, and how the last update went."""
        update = self.thing
        if update is None:
            return None
        status = self.coordinator.mirror.get(CONTAINER_RECREATE, self.key)
        return await release_notes(self.hass, update, status)

    @override
    async def async_install(self, version: str | None, backup: bool, **kwargs: Any) -> None:
        """Update, and wait until the new container has proven itself or was taken back."""
        await self.coordinator.async_see_through(
            self.coordinator.client.update(self.key, UpdateBody(wait_s=0))
        )

    @property
    def _job(self) -> Job | None:
        job = self.coordinator.mirror.running_job(self.key)
        return job if job is not None and job.kind.rpartition(".")[2] in _MAKES_ANEW else None


def _looked_for(update: ContainerUpdate) -> bool:
    return update.state in _LOOKED_FOR


def _versions(update: ContainerUpdate) -> tuple[str | None, str | None]:
    """Return what runs and what would come, which the agent keeps apart where they differ."""
    installed = update.installed_version or short_digest(update.installed_digest)
    match update.state:
        case UpdateState.CURRENT:
            return installed, installed
        case UpdateState.AVAILABLE:
            return installed, update.latest_version or short_digest(update.latest_digest)
    return installed, None


def _without_tag(image: str) -> str:
    path, slash, name = image.partition("@")[0].rpartition("/")
    return path + slash + name.partition(":")[0]
