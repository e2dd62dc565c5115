"""What all event entities share."""

from abc import abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, override

from homeassistant.components.event import EventEntity
from homeassistant.core import callback

from .client import Kind
from .entity import HomelabEntity
from .listeners import AnyEvent


class Events[E: AnyEvent](HomelabEntity, EventEntity):
    """The newest thing that happened while Home Assistant listened.

    `event_key` is whose events these are; None for those of everything.
    """

    event_kind: Kind[E]
    event_key: str | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the events."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.coordinator.async_on_event(self.event_kind, self._happened, key=self.event_key)
        )

    @override
    def value(self) -> None:
        """Return None: between events nothing but the availability changes."""

    @abstractmethod
    def details(self, event: E) -> Mapping[str, object]:
        """Return what a message about an event needs; None where it is not known."""

    @callback
    def _happened(self, event: E) -> None:
        if event.type.value not in self.event_types:
            return  # only a newer agent knows it
        known = {name: _plain(it) for name, it in self.details(event).items() if it is not None}
        self._trigger_event(event.type.value, known)
        self.async_write_ha_state()


def _plain(value: Any) -> object:
    return value.value if isinstance(value, StrEnum) else value
