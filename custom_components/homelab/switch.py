"""Switches: they start and stop containers and stacks, and pause the checks of monitors."""

from collections.abc import Sequence
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import (
    Container,
    ContainerCommand,
    ContainerState,
    Monitor,
    MonitorState,
    Stack,
    StackState,
)
from .client.kinds import CONTAINER, MONITOR, STACK
from .client.models import StackBody
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import ContainerEntity, ServiceEntity, StackEntity

# The agent itself orders the commands on each container and stack.
PARALLEL_UPDATES = 0

CONTAINER_SWITCH = SwitchEntityDescription(key="switch", translation_key="container")
STACK_SWITCH = SwitchEntityDescription(key="switch", translation_key="stack")
MONITORING = SwitchEntityDescription(
    key="monitoring", translation_key="monitoring", entity_category=EntityCategory.CONFIG
)

_ON = frozenset({ContainerState.RUNNING, ContainerState.RESTARTING, ContainerState.PAUSED})


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a switch for each container, stack and monitor as it comes."""
    coordinator = entry.runtime_data

    @callback
    def add_containers(containers: Sequence[Container]) -> None:
        async_add_entities(
            ContainerSwitch(coordinator, CONTAINER_SWITCH, container) for container in containers
        )

    @callback
    def add_stacks(stacks: Sequence[Stack]) -> None:
        async_add_entities(StackSwitch(coordinator, STACK_SWITCH, stack) for stack in stacks)

    @callback
    def add_monitors(monitors: Sequence[Monitor]) -> None:
        async_add_entities(MonitoringSwitch(coordinator, monitor) for monitor in monitors)

    entry.async_on_unload(coordinator.async_on_new(CONTAINER, add_containers))
    entry.async_on_unload(coordinator.async_on_new(MONITOR, add_monitors))
    entry.async_on_unload(coordinator.async_on_new(STACK, add_stacks))


class ContainerSwitch(ContainerEntity, SwitchEntity):
    """Starts and stops a container."""

    # Without a name of its own it bears the container's: it is the device's main entity.
    _attr_name = None

    @override
    def value(self) -> bool | None:
        return self.of_thing(lambda container: container.state in _ON)

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether there is something that could be stopped."""
        return self.value()

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Start the container."""
        await self.coordinator.async_command(self.key, ContainerCommand.START)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Stop the container."""
        await self.coordinator.async_command(self.key, ContainerCommand.STOP)


class StackSwitch(StackEntity, SwitchEntity):
    """Starts and stops all of a stack, in the order of its dependencies."""

    _attr_name = None

    @override
    def value(self) -> bool | None:
        return self.of_thing(_is_on)

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether anything of it runs."""
        return self.value()

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Start what of it does not run."""
        stacks = self.coordinator.client.stacks
        await self.coordinator.async_see_through(stacks.start(self.key, StackBody(wait_s=0)))

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Stop all of it; nothing is removed."""
        stacks = self.coordinator.client.stacks
        await self.coordinator.async_see_through(stacks.stop(self.key, StackBody(wait_s=0)))


class MonitoringSwitch(ServiceEntity[Monitor], SwitchEntity):
    """Pauses the checks of a service, and resumes them."""

    def __init__(self, coordinator: HomelabCoordinator, monitor: Monitor) -> None:
        super().__init__(coordinator, MONITORING, monitor, MONITOR)

    @override
    def value(self) -> bool | None:
        return self.of_thing(lambda monitor: monitor.state is not MonitorState.PAUSED)

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is checked."""
        return self.value()

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Check it again."""
        await self.coordinator.async_run(self.coordinator.client.monitors.resume(self.key))

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Check it no more until somebody resumes it."""
        await self.coordinator.async_run(self.coordinator.client.monitors.pause(self.key))


def _is_on(stack: Stack) -> bool | None:
    return None if stack.state is StackState.UNKNOWN else stack.state is not StackState.STOPPED
