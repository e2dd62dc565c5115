"""What happens to the images of containers: a newer one is found, an update is taken back."""

from typing import override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .client import ContainerUpdate, Outcome, RecreateStatus, Resource, UpdateState
from .client.kinds import CONTAINER, CONTAINER_RECREATE, CONTAINER_UPDATE
from .coordinator import HomelabCoordinator
from .happening import Happening, HappeningType, Watch
from .mirror import Before, ResourceId
from .subjects import Subject


class UpdateWatch(Watch):
    """Watches for newer images, and for updates that did not work out."""

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        super().__init__(hass, coordinator)
        self._told: dict[str, tuple[str | None, str | None]] = {}

    @override
    @callback
    def begin(self) -> list[CALLBACK_TYPE]:
        """Take note of the newer images that are known already."""
        for update in self._coordinator.mirror.every(CONTAINER_UPDATE):
            self._is_news(update)
        return []

    @override
    @callback
    def look(self, resource: ResourceId, before: Before, *, just_now: bool) -> None:
        """Tell of a newer image and of an update that was taken back."""
        kind, key = resource
        mirror = self._coordinator.mirror
        match kind:
            case CONTAINER.name if self._coordinator.is_gone(Subject(*resource)):
                self._told.pop(key, None)
            case CONTAINER_UPDATE.name:
                update = mirror.get(CONTAINER_UPDATE, key)
                if update is not None and self._is_news(update):
                    self._available(update)
            case CONTAINER_RECREATE.name:
                if status := mirror.get(CONTAINER_RECREATE, key):
                    self._look_at_recreate(status, before[resource], just_now=just_now)

    def _is_news(self, update: ContainerUpdate) -> bool:
        """Return whether an update was not told of before. A silent registry makes none new."""
        if update.state is not UpdateState.AVAILABLE:
            return False
        latest = (update.latest_image, update.latest_digest or update.latest_version)
        told = self._told.get(update.key)
        self._told[update.key] = latest
        return latest != told

    def _available(self, update: ContainerUpdate) -> None:
        subject = Subject(CONTAINER.name, update.key)
        self._tell(
            Happening(
                type=HappeningType.UPDATE_AVAILABLE,
                coordinator=self._coordinator,
                subject=subject,
                device=subject,
                name=self._name_of(update.key),
                at=update.checked_at or dt_util.utcnow(),
                details={
                    "image": update.image,
                    "latest_image": update.latest_image,
                    "from_version": update.installed_version,
                    "to_version": update.latest_version,
                    "release_notes_url": update.release_notes_url,
                    "policy": update.policy.value,
                },
            )
        )

    def _look_at_recreate(
        self, status: RecreateStatus, old: Resource | None, *, just_now: bool
    ) -> None:
        # The agent may have to restart to take back an update of itself: what ended since it was
        # last heard is news even then.
        last = status.last
        known = isinstance(old, RecreateStatus)
        was = old.last if isinstance(old, RecreateStatus) else None
        if last is None or last.outcome is not Outcome.UNDONE or not (just_now or known):
            return
        if was is not None and was.at == last.at:
            return
        subject = Subject(CONTAINER.name, status.key)
        self._tell(
            Happening(
                type=HappeningType.UPDATE_ROLLED_BACK,
                coordinator=self._coordinator,
                subject=subject,
                device=subject,
                name=self._name_of(status.key),
                at=last.at,
                details={
                    "action": last.action,
                    "from_image": last.from_image,
                    "to_image": last.to_image,
                    "from_version": last.from_version,
                    "to_version": last.to_version,
                    "reason": last.reason,
                    "log": [line.text for line in last.log],
                },
            )
        )

    def _name_of(self, key: str) -> str:
        container = self._coordinator.container(key)
        return container.name if container else key
