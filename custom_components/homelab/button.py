"""The restart button of a container."""

from collections.abc import Sequence
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.components.button.const import ButtonDeviceClass
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Container, ContainerCommand
from .client.kinds import CONTAINER
from .coordinator import HomelabConfigEntry
from .entity import ContainerEntity

# The agent itself orders the commands on each container.
PARALLEL_UPDATES = 0

RESTART = ButtonEntityDescription(key="restart", device_class=ButtonDeviceClass.RESTART)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a button for each container as it comes."""
    coordinator = entry.runtime_data

    @callback
    def add(containers: Sequence[Container]) -> None:
        async_add_entities(
            ContainerRestart(coordinator, RESTART, container) for container in containers
        )

    entry.async_on_unload(coordinator.async_on_new(CONTAINER, add))


class ContainerRestart(ContainerEntity, ButtonEntity):
    """Restarts a container."""

    @override
    def value(self) -> None:
        """Return None: a button shows nothing but whether it can be pressed."""

    @override
    async def async_press(self) -> None:
        """Restart the container."""
        await self.coordinator.async_command(self.key, ContainerCommand.RESTART)
