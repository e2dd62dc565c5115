"""The buttons of containers and stacks, and of all else that has some."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.components.button.const import ButtonDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .button_service import follow_services
from .client import (
    AgentClient,
    CommandResult,
    Container,
    ContainerCommand,
    RecreateStatus,
    Stack,
)
from .client.kinds import CONTAINER, CONTAINER_RECREATE, STACK
from .client.models import CommandBody, RecreateBody, StackBody
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import ThingEntity
from .subjects import subject_of

# The agent itself orders the commands on each container and stack.
PARALLEL_UPDATES = 0

type Press = Callable[[AgentClient, str], Awaitable[CommandResult]]


@dataclass(frozen=True, kw_only=True)
class PressDescription(ButtonEntityDescription):
    """A button that tells the agent one thing about a container or a stack, by its key."""

    press_fn: Press


CONTAINER_BUTTONS = (
    PressDescription(
        key="restart",
        device_class=ButtonDeviceClass.RESTART,
        press_fn=lambda client, key: client.command(
            key, ContainerCommand.RESTART, CommandBody(wait_s=0)
        ),
    ),
    PressDescription(
        key="recreate",
        translation_key="recreate",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        press_fn=lambda client, key: client.recreate(key, RecreateBody()),
    ),
    PressDescription(
        key="check_update",
        translation_key="check_update",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        press_fn=lambda client, key: client.check_update(key),
    ),
)
ROLL_BACK = PressDescription(
    key="rollback",
    translation_key="rollback",
    entity_category=EntityCategory.CONFIG,
    entity_registry_enabled_default=False,
    press_fn=lambda client, key: client.roll_back(key, RecreateBody()),
)
STACK_BUTTONS = (
    PressDescription(
        key="restart",
        device_class=ButtonDeviceClass.RESTART,
        press_fn=lambda client, key: client.stacks.restart(key, StackBody(wait_s=0)),
    ),
    # No update entity: its containers have theirs, and a stack has no version to show.
    PressDescription(
        key="update",
        translation_key="update_stack",
        entity_category=EntityCategory.CONFIG,
        press_fn=lambda client, key: client.stacks.update(key, StackBody(wait_s=0)),
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of each thing as it comes."""
    coordinator = entry.runtime_data

    @callback
    def add_containers(containers: Sequence[Container]) -> None:
        async_add_entities(
            [
                *(
                    PressButton(coordinator, description, container)
                    for container in containers
                    for description in CONTAINER_BUTTONS
                ),
                *(RollBackButton(coordinator, container) for container in containers),
            ]
        )

    @callback
    def add_stacks(stacks: Sequence[Stack]) -> None:
        async_add_entities(
            PressButton(coordinator, description, stack)
            for stack in stacks
            for description in STACK_BUTTONS
        )

    entry.async_on_unload(coordinator.async_on_new(CONTAINER, add_containers))

    entry.async_on_unload(coordinator.async_on_new(STACK, add_stacks))
    for unload in follow_services(coordinator, async_add_entities):
        entry.async_on_unload(unload)


class _Button[T](ThingEntity[T], ButtonEntity):
    """Tells the agent one thing, and waits for the end of what it does then."""

    entity_description: PressDescription

    @override
    def value(self) -> None:
        """Return None: a button shows nothing but whether it can be pressed."""

    @override
    async def async_press(self) -> None:
        """Have it done."""
        await self.coordinator.async_see_through(
            self.entity_description.press_fn(self.coordinator.client, self.key)
        )


class PressButton(_Button[Container | Stack]):
    """A button that can be pressed while there is what it is about."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: PressDescription,
        thing: Container | Stack,
    ) -> None:
        kind = CONTAINER if isinstance(thing, Container) else STACK
        super().__init__(coordinator, description, subject_of(thing), kind)


class RollBackButton(_Button[RecreateStatus]):
    """Takes the last update of a container back, while its former image is kept."""

    def __init__(self, coordinator: HomelabCoordinator, container: Container) -> None:
        super().__init__(coordinator, ROLL_BACK, subject_of(container), CONTAINER_RECREATE)

    @property
    @override
    def available(self) -> bool:
        """Whether there is something to go back to."""
        return super().available and self.of_thing(lambda status: status.rollback_image) is not None
