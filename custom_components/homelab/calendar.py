"""The calendar of a host: when certificates expire, and when failures are expected."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .client import Certificate, MaintenanceWindow, Occurrence, OccurrenceQuery
from .client.kinds import CERTIFICATE, MAINTENANCE
from .const import DOMAIN
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import HostEntity

PARALLEL_UPDATES = 0

UPKEEP = CalendarEntityDescription(key="calendar", translation_key="upkeep")


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of the host."""
    async_add_entities([UpkeepCalendar(entry.runtime_data)])


@dataclass(frozen=True, slots=True)
class _Expiry:
    """The day, in local time, on which a certificate ends that is good for some names."""

    day: date
    certificate: Certificate
    names: tuple[str, ...]


class UpkeepCalendar(HostEntity, CalendarEntity):
    """Expiries of certificates as whole days of local time, and maintenance windows."""

    def __init__(self, coordinator: HomelabCoordinator) -> None:
        super().__init__(coordinator, UPKEEP, (CERTIFICATE.name, None))
        self._expires = "{name}"

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the windows too, and look up how to say that something expires."""
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "common", {DOMAIN}
        )
        self._expires = texts[f"component.{DOMAIN}.common.certificate_expires"]
        await super().async_added_to_hass()
        windows = (MAINTENANCE.name, None)
        self.async_on_remove(self.coordinator.async_listen(windows, self._on_change))

    @override
    def value(self) -> CalendarEvent | None:
        return self.event

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """What is so right now, or comes next."""
        now = dt_util.now()
        windows = map(_next_of, self.coordinator.mirror.every(MAINTENANCE))
        known = [event for event in windows if event is not None]
        # There may be hundreds of certificates, and to make an event of each takes long.
        expiries = (expiry for expiry in self._expiries() if expiry.day >= now.date())
        first = min(expiries, key=_day, default=None)
        if first is not None:
            known.append(self._event_of(first))
        coming = (event for event in known if event.end_datetime_local > now)
        return min(coming, key=_start, default=None)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return all that is partly or wholly between two moments, in order of time."""
        query = OccurrenceQuery(since=start_date, until=end_date)
        monitors = self.coordinator.client.monitors
        occurrences = await self.coordinator.async_ask(monitors.occurrences(query))
        first, last = dt_util.as_local(start_date).date(), dt_util.as_local(end_date).date()
        found = [
            *(self._event_of(one) for one in self._expiries() if first <= one.day <= last),
            *map(_window_of, occurrences),
        ]
        between = (
            event
            for event in found
            if event.start_datetime_local < end_date and event.end_datetime_local > start_date
        )
        return sorted(between, key=_start)

    def _expiries(self) -> Iterator[_Expiry]:
        """Yield the day of each certificate that was read; of others it is not known."""
        for certificate in self.coordinator.mirror.every(CERTIFICATE):
            if certificate.details is not None:
                day = dt_util.as_local(certificate.details.expires_at).date()
                yield _Expiry(day, certificate, certificate.details.names)

    def _event_of(self, expiry: _Expiry) -> CalendarEvent:
        return CalendarEvent(
            start=expiry.day,
            end=expiry.day + timedelta(days=1),
            summary=self._expires.format(name=expiry.certificate.name),
            description=", ".join(expiry.names) or None,
            uid=f"certificate:{expiry.certificate.key}",
        )


def _next_of(window: MaintenanceWindow) -> CalendarEvent | None:
    if window.next_from is None or window.next_until is None:
        return None
    return _window_event(window.key, window.name, window.next_from, window.next_until)


def _window_of(occurrence: Occurrence) -> CalendarEvent:
    return _window_event(occurrence.key, occurrence.name, occurrence.starts_at, occurrence.ends_at)


def _window_event(key: str, name: str, start: datetime, end: datetime) -> CalendarEvent:
    return CalendarEvent(
        start=dt_util.as_local(start),
        end=dt_util.as_local(end),
        summary=name,
        uid=f"maintenance:{key}:{start.isoformat()}",
    )


def _start(event: CalendarEvent) -> datetime:
    return event.start_datetime_local


def _day(expiry: _Expiry) -> date:
    return expiry.day
