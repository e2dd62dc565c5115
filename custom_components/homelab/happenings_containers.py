"""What happens to containers: they die, are unhealthy, restart again and again."""

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


class ContainerWatch(Watch):
    """Watches containers."""

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        super().__init__(hass, coordinator)
        self._out_of_memory: dict[str, datetime] = {}

    @override
    @callback
    def begin(self) -> list[CALLBACK_TYPE]:
        """Listen to what happens to containers."""
        return [self._coordinator.async_on_event(CONTAINER_EVENT, self._on_event)]

    @callback
    def _on_event(self, event: ContainerEvent) -> None:
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
        """Tell of a loop that began."""
        kind, key = resource
        if kind != CONTAINER.name:
            return
        container = self._coordinator.container(key)
        if container is None:
            self._out_of_memory.pop(key, None)
        elif just_now:
            self._look_at_loop(container, before[resource])

    def _died(self, event: ContainerEvent) -> None:
        memory_at = self._out_of_memory.pop(event.key, None)
        for_memory = memory_at is not None and event.at - memory_at <= timedelta(
            seconds=OUT_OF_MEMORY_S
        )

        def still_down() -> bool:
            container = self._coordinator.container(event.key)
            if container is None:
                return False
            again = container.started_at is None or container.started_at > event.at
            return not (container.state is ContainerState.RUNNING and again)

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
        def still_unhealthy() -> bool:
            container = self._coordinator.container(event.key)
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

        def still_looping() -> bool:
            known = self._coordinator.container(container.key)
            return known is not None and known.restart_loop

        subject = Subject(CONTAINER.name, container.key)
        self._tell(
            Happening(
                type=HappeningType.CONTAINER_RESTART_LOOP,
                coordinator=self._coordinator,
                subject=subject,
                device=subject,
                name=container.name,
                at=dt_util.utcnow(),
                details={
                    "exit_code": container.exit_code,
                    "restart_count": container.restart_count,
                },
                lasts=still_looping,
            )
        )
