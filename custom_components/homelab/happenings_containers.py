"""What happens to containers: they die, are unhealthy, restart again and again, and recover."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .client import (
    Container,
    ContainerEvent,
    ContainerEventType,
    ContainerHealth,
    ContainerState,
    Resource,
)
from .client.kinds import CONTAINER, CONTAINER_EVENT
from .coordinator import HomelabCoordinator
from .happening import Happening, HappeningType, Watch
from .mirror import Before, ResourceId
from .subjects import Subject

OUT_OF_MEMORY_S: Final = 30
"""Docker tells of the memory first and of the end a moment later."""


_TROUBLES: Final = {
    ContainerEventType.DIED: HappeningType.CONTAINER_DIED,
    ContainerEventType.UNHEALTHY: HappeningType.CONTAINER_UNHEALTHY,
}
_WAS: Final = {
    HappeningType.CONTAINER_DIED: "died",
    HappeningType.CONTAINER_UNHEALTHY: "unhealthy",
    HappeningType.CONTAINER_RESTART_LOOP: "restart_loop",
}
_ENDS_WITHOUT_ERROR: Final = frozenset(
    {ContainerEventType.STOPPED, ContainerEventType.FINISHED, ContainerEventType.REMOVED}
)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What is wrong with a container; `since` is None where that began before it was heard of."""

    type: HappeningType
    since: datetime | None

    def is_over(self, container: Container) -> bool:
        """Return whether a container is well again."""
        if container.restart_loop or container.state is not ContainerState.RUNNING:
            return False
        if self.type is HappeningType.CONTAINER_UNHEALTHY:
            return container.health in {ContainerHealth.HEALTHY, ContainerHealth.NONE}
        if self.type is HappeningType.CONTAINER_DIED and not _runs_since(container, self.since):
            return False
        return container.health is not ContainerHealth.UNHEALTHY


class ContainerWatch(Watch):
    """Watches containers."""

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        super().__init__(hass, coordinator)
        self._out_of_memory: dict[str, datetime] = {}
        self._troubles: dict[str, _Trouble] = {}

    @override
    @callback
    def begin(self) -> list[CALLBACK_TYPE]:
        """Listen to what happens; take note of what is wrong already, whose end will be news."""
        for container in self._coordinator.containers:
            event = self._coordinator.mirror.get(CONTAINER_EVENT, container.key)
            if container.restart_loop:
                self._note(container.key, _Trouble(HappeningType.CONTAINER_RESTART_LOOP, None))
            elif event is not None and event.type in _TROUBLES:
                trouble = _Trouble(_TROUBLES[event.type], event.at)
                if not trouble.is_over(container):
                    self._note(container.key, trouble)
        return [self._coordinator.async_on_event(CONTAINER_EVENT, self._on_event)]

    @callback
    def _on_event(self, event: ContainerEvent) -> None:
        if event.type in _TROUBLES:
            self._note(event.key, _Trouble(_TROUBLES[event.type], event.at))
        elif event.type in _ENDS_WITHOUT_ERROR:
            self._troubles.pop(event.key, None)
        match event.type:
            case ContainerEventType.OUT_OF_MEMORY:
                self._out_of_memory[event.key] = event.at
            case ContainerEventType.DIED:
                self._died(event)
            case ContainerEventType.UNHEALTHY:
                self._unhealthy(event)

    @override
    @callback
    def look(self, resource: ResourceId, before: Before, *, just_now: bool) -> None:
        """Tell of a loop that began, and of a container that is well again."""
        kind, key = resource
        if kind != CONTAINER.name:
            return
        container = self._coordinator.container(key)
        if container is None:
            if self._coordinator.is_gone(Subject(*resource)):
                self._out_of_memory.pop(key, None)
                self._troubles.pop(key, None)
            return
        if just_now:
            self._look_at_loop(container, before[resource])
        trouble = self._troubles.get(key)
        if trouble is not None and trouble.is_over(container):
            del self._troubles[key]
            self._recovered(container, trouble)

    def _note(self, key: str, trouble: _Trouble) -> None:
        """Remember what is wrong; a loop goes on through each of its ends."""
        known = self._troubles.get(key)
        if known is None or known.type not in {
            trouble.type,
            HappeningType.CONTAINER_RESTART_LOOP,
        }:
            self._troubles[key] = trouble

    def _died(self, event: ContainerEvent) -> None:
        memory_at = self._out_of_memory.pop(event.key, None)
        for_memory = memory_at is not None and event.at - memory_at <= timedelta(
            seconds=OUT_OF_MEMORY_S
        )

        def still_down(now: HomelabCoordinator) -> bool:
            container = now.container(event.key)
            return container is not None and not (
                container.state is ContainerState.RUNNING and _runs_since(container, event.at)
            )

        subject = Subject(CONTAINER.name, event.key)
        self._tell(
            Happening(
                type=HappeningType.CONTAINER_DIED,
                coordinator=self._coordinator,
                subject=subject,
                device=subject,
                name=event.name,
                at=event.at,
                details={
                    "exit_code": event.exit_code,
                    "reason": "out_of_memory" if for_memory else "exit_code",
                },
                lasts=still_down,
            )
        )

    def _unhealthy(self, event: ContainerEvent) -> None:
        def still_unhealthy(now: HomelabCoordinator) -> bool:
            container = now.container(event.key)
            return container is not None and container.health is ContainerHealth.UNHEALTHY

        subject = Subject(CONTAINER.name, event.key)
        self._tell(
            Happening(
                type=HappeningType.CONTAINER_UNHEALTHY,
                coordinator=self._coordinator,
                subject=subject,
                device=subject,
                name=event.name,
                at=event.at,
                lasts=still_unhealthy,
            )
        )

    def _look_at_loop(self, container: Container, old: Resource | None) -> None:
        was = isinstance(old, Container) and old.restart_loop
        if was or not container.restart_loop:
            return
        now = dt_util.utcnow()
        self._note(container.key, _Trouble(HappeningType.CONTAINER_RESTART_LOOP, now))

        def still_looping(now: HomelabCoordinator) -> bool:
            known = now.container(container.key)
            return known is not None and known.restart_loop

        subject = Subject(CONTAINER.name, container.key)
        self._tell(
            Happening(
                type=HappeningType.CONTAINER_RESTART_LOOP,
                coordinator=self._coordinator,
                subject=subject,
                device=subject,
                name=container.name,
                at=now,
                details={
                    "exit_code": container.exit_code,
                    "restart_count": container.restart_count,
                },
                lasts=still_looping,
            )
        )

    def _recovered(self, container: Container, trouble: _Trouble) -> None:
        def still_well(now: HomelabCoordinator) -> bool:
            known = now.container(container.key)
            return known is not None and trouble.is_over(known)

        subject, end = Subject(CONTAINER.name, container.key), self._end_of(trouble, container)
        lasted = None if trouble.since is None else (end - trouble.since).total_seconds()
        self._tell(
            Happening(
                type=HappeningType.CONTAINER_RECOVERED,
                coordinator=self._coordinator,
                subject=subject,
                device=subject,
                name=container.name,
                at=end,
                details={
                    "was": _WAS[trouble.type],
                    "duration": lasted,
                },
                lasts=still_well,
            )
        )

    def _end_of(self, trouble: _Trouble, container: Container) -> datetime:
        """Return when a trouble was over, by the clock that said when it began."""
        event = self._coordinator.mirror.get(CONTAINER_EVENT, container.key)
        if trouble.type is HappeningType.CONTAINER_DIED and container.started_at is not None:
            return container.started_at
        if event is not None and event.type is ContainerEventType.HEALTHY:
            return event.at
        return dt_util.utcnow()


def _runs_since(container: Container, moment: datetime | None) -> bool:
    """Return whether a container was started after a moment, as far as that is known."""
    return moment is None or container.started_at is None or container.started_at > moment
