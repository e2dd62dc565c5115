"""Tells automations what happens to containers and stacks: each thing once, and nothing old."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from .client import (
    Container,
    ContainerEvent,
    ContainerEventType,
    ContainerHealth,
    ContainerState,
    ContainerUpdate,
    Outcome,
    RecreateStatus,
    Resource,
    Stack,
    StackState,
    UpdateState,
)
from .client.kinds import (
    CONTAINER,
    CONTAINER_EVENT,
    CONTAINER_RECREATE,
    CONTAINER_UPDATE,
    STACK,
)
from .coordinator import HomelabCoordinator
from .devices import Subject
from .mirror import Before, ResourceId

OUT_OF_MEMORY_S: Final = 30
"""Docker tells of the memory first and of the end a moment later."""


class HappeningType(StrEnum):
    """What automations can be triggered by."""

    CONTAINER_DIED = "container_died"
    CONTAINER_UNHEALTHY = "container_unhealthy"
    CONTAINER_RESTART_LOOP = "container_restart_loop"
    UPDATE_AVAILABLE = "update_available"
    UPDATE_ROLLED_BACK = "update_rolled_back"
    STACK_DEGRADED = "stack_degraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that just happened to a container or a stack.

    `details` is what a message about it needs. `lasts` tells later whether it is still so.
    """

    type: HappeningType
    coordinator: HomelabCoordinator
    subject: Subject
    name: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    lasts: Callable[[], bool] = lambda: True


HAPPENED: Final[SignalType[Happening]] = SignalType("homelab_happened")


class Happenings:
    """Watches what one agent tells and announces what happens, wherever triggers wait for it."""

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        self._hass = hass
        self._coordinator = coordinator
        self._out_of_memory: dict[str, datetime] = {}
        self._told_updates: dict[str, tuple[str | None, str | None]] = {}

    @callback
    def begin(self) -> CALLBACK_TYPE:
        """Begin to watch; return what ends that. What is so already is no news."""
        for update in self._coordinator.mirror.every(CONTAINER_UPDATE):
            self._is_news(update)
        ends = (
            self._coordinator.async_on_event(CONTAINER_EVENT, self._on_event),
            self._coordinator.async_on_changes(self._on_changes),
        )

        @callback
        def end() -> None:
            for one in ends:
                one()

        return end

    @callback
    def _on_event(self, event: ContainerEvent) -> None:
        match event.type:
            case ContainerEventType.OUT_OF_MEMORY:
                self._out_of_memory[event.key] = event.at
            case ContainerEventType.DIED:
                self._died(event)
            case ContainerEventType.UNHEALTHY:
                self._unhealthy(event)

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

        self._tell(
            HappeningType.CONTAINER_DIED,
            Subject(CONTAINER.name, event.key),
            event.name,
            event.at,
            {
                "exit_code": event.exit_code,
                "reason": "out_of_memory" if for_memory else "exit_code",
            },
            still_down,
        )

    def _unhealthy(self, event: ContainerEvent) -> None:
        def still_unhealthy() -> bool:
            container = self._coordinator.container(event.key)
            return container is not None and container.health is ContainerHealth.UNHEALTHY

        subject = Subject(CONTAINER.name, event.key)
        kind = HappeningType.CONTAINER_UNHEALTHY
        self._tell(kind, subject, event.name, event.at, {}, still_unhealthy)

    @callback
    def _on_changes(self, before: Before, *, just_now: bool) -> None:
        for resource, old in before.items():
            self._look(resource, old, just_now=just_now)

    def _look(self, resource: ResourceId, old: Resource | None, *, just_now: bool) -> None:
        kind, key = resource
        mirror = self._coordinator.mirror
        match kind:
            case CONTAINER.name:
                if container := mirror.get(CONTAINER, key):
                    if just_now:
                        self._look_at_loop(container, old)
                else:
                    self._out_of_memory.pop(key, None)
                    self._told_updates.pop(key, None)
            case CONTAINER_UPDATE.name:
                update = mirror.get(CONTAINER_UPDATE, key)
                if update is not None and self._is_news(update) and just_now:
                    self._update_available(update)
            case CONTAINER_RECREATE.name:
                if status := mirror.get(CONTAINER_RECREATE, key):
                    self._look_at_recreate(status, old, just_now=just_now)
            case STACK.name if just_now:
                if stack := mirror.get(STACK, key):
                    self._look_at_stack(stack, old)

    def _look_at_loop(self, container: Container, old: Resource | None) -> None:
        was = isinstance(old, Container) and old.restart_loop
        if was or not container.restart_loop:
            return

        def still_looping() -> bool:
            known = self._coordinator.container(container.key)
            return known is not None and known.restart_loop

        self._tell(
            HappeningType.CONTAINER_RESTART_LOOP,
            Subject(CONTAINER.name, container.key),
            container.name,
            dt_util.utcnow(),
            {"exit_code": container.exit_code, "restart_count": container.restart_count},
            still_looping,
        )

    def _is_news(self, update: ContainerUpdate) -> bool:
        """Return whether an update was not told of before. A silent registry makes none new."""
        if update.state is not UpdateState.AVAILABLE:
            return False
        latest = (update.latest_image, update.latest_digest or update.latest_version)
        told = self._told_updates.get(update.key)
        self._told_updates[update.key] = latest
        return latest != told

    def _update_available(self, update: ContainerUpdate) -> None:
        self._tell(
            HappeningType.UPDATE_AVAILABLE,
            Subject(CONTAINER.name, update.key),
            self._name_of(update.key),
            update.checked_at or dt_util.utcnow(),
            {
                "image": update.image,
                "latest_image": update.latest_image,
                "from_version": update.installed_version,
                "to_version": update.latest_version,
                "release_notes_url": update.release_notes_url,
                "policy": update.policy.value,
            },
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
        self._tell(
            HappeningType.UPDATE_ROLLED_BACK,
            Subject(CONTAINER.name, status.key),
            self._name_of(status.key),
            last.at,
            {
                "action": last.action,
                "from_image": last.from_image,
                "to_image": last.to_image,
                "from_version": last.from_version,
                "to_version": last.to_version,
                "reason": last.reason,
                "log": [line.text for line in last.log],
            },
        )

    def _look_at_stack(self, stack: Stack, old: Resource | None) -> None:
        was = old.state if isinstance(old, Stack) else None
        if stack.state is not StackState.DEGRADED or was in {None, StackState.DEGRADED}:
            return

        def still_degraded() -> bool:
            known = self._coordinator.stack(stack.key)
            return known is not None and known.state is StackState.DEGRADED

        self._tell(
            HappeningType.STACK_DEGRADED,
            Subject(STACK.name, stack.key),
            stack.name,
            dt_util.utcnow(),
            {"reason": stack.problem, "running": stack.running, "total": stack.total},
            still_degraded,
        )

    def _name_of(self, key: str) -> str:
        container = self._coordinator.container(key)
        return container.name if container else key

    def _tell(
        self,
        kind: HappeningType,
        subject: Subject,
        name: str,
        at: datetime,
        details: Mapping[str, Any],
        lasts: Callable[[], bool] = lambda: True,
    ) -> None:
        happening = Happening(
            type=kind,
            coordinator=self._coordinator,
            subject=subject,
            name=name,
            at=at,
            details=details,
            lasts=lasts,
        )
        async_dispatcher_send(self._hass, HAPPENED, happening)
