"""What happens to a container, as events that an automation can use and the logbook shows."""

from collections.abc import Sequence
from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Container, ContainerEvent, ContainerEventType
from .client.kinds import CONTAINER, CONTAINER_EVENT
from .coordinator import HomelabConfigEntry
from .entity import ContainerEntity

PARALLEL_UPDATES = 0

# Off until somebody asks: the triggers of this integration need no entity.
EVENT = EventEntityDescription(
    key="event",
    translation_key="container",
    event_types=[
        kind.value for kind in ContainerEventType if kind is not ContainerEventType.UNKNOWN
    ],
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add an entity for each container as it comes."""
    coordinator = entry.runtime_data

    @callback
    def add(containers: Sequence[Container]) -> None:
        async_add_entities(
            ContainerEvents(coordinator, EVENT, container) for container in containers
        )

    entry.async_on_unload(coordinator.async_on_new(CONTAINER, add))


class ContainerEvents(ContainerEntity, EventEntity):
    """The newest thing that happened to a container while Home Assistant listened."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the events of this container."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.coordinator.async_on_event(CONTAINER_EVENT, self._happened, key=self.key)
        )

    @override
    def value(self) -> None:
        """Return None: between events nothing but the availability changes."""

    @callback
    def _happened(self, event: ContainerEvent) -> None:
        if event.type is ContainerEventType.UNKNOWN:
            return
        ended = {} if event.exit_code is None else {"exit_code": event.exit_code}
        self._trigger_event(event.type.value, ended)
        self.async_write_ha_state()
