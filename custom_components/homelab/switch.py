"""The switch of a container: on starts it, off stops it."""

from collections.abc import Sequence
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Container, ContainerCommand, ContainerState
from .client.kinds import CONTAINER
from .coordinator import HomelabConfigEntry
from .entity import ContainerEntity

# The agent itself orders the commands on each container.
PARALLEL_UPDATES = 0


SWITCH = SwitchEntityDescription(key="switch", translation_key="container")

_ON = frozenset({ContainerState.RUNNING, ContainerState.RESTARTING, ContainerState.PAUSED})


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a switch for each container as it comes."""
    coordinator = entry.runtime_data

    @callback
    def add(containers: Sequence[Container]) -> None:
        async_add_entities(
            ContainerSwitch(coordinator, SWITCH, container) for container in containers
        )

    entry.async_on_unload(coordinator.async_on_new(CONTAINER, add))


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
