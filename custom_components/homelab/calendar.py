"""The calendar of a host: when certificates end or are renewed, when failures are expected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .client import MaintenanceWindow, Occurrence, OccurrenceQuery
from .client.kinds import CERTIFICATE, MAINTENANCE, MANAGED_CERTIFICATE
from .const import DOMAIN
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import HostEntity
from .subjects import name_of

PARALLEL_UPDATES = 0

UPKEEP = CalendarEntityDescription(key="calendar", translation_key="upkeep")


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of the host."""
    async_add_entities([UpkeepCalendar(entry.runtime_data)])


_EXPIRES: Final = "certificate_expires"
_IS_RENEWED: Final = "certificate_is_renewed"


@dataclass(frozen=True, slots=True)
class _Day:
    """The day, in local time, on which a certificate ends or is renewed, good for some names.

    `what` is the key of the words for it, `uid` the same for the same certificate.
    """

    day: date
    what: str
    name: str
    names: tuple[str, ...]
    uid: str


class UpkeepCalendar(HostEntity, CalendarEntity):
    """Expiries and renewals of certificates as whole days of local time, maintenance windows."""

    def __init__(self, coordinator: HomelabCoordinator) -> None:
        super().__init__(coordinator, UPKEEP, (CERTIFICATE.name, None))
        self._words: Mapping[str, str] = {_EXPIRES: "{name}", _IS_RENEWED: "{name}"}

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the windows too, and look up how to say that something expires."""
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "common", {DOMAIN}
        )
        self._words = {key: texts[f"component.{DOMAIN}.common.{key}"] for key in self._words}
        await super().async_added_to_hass()
        for kind in (MAINTENANCE, MANAGED_CERTIFICATE):
            everything = (kind.name, None)
            self.async_on_remove(self.coordinator.async_listen(everything, self._on_change))

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
        days = (one for one in self._days() if one.day >= now.date())
        first = min(days, key=_day, default=None)
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
            *(self._event_of(one) for one in self._days() if first <= one.day <= last),
            *map(_window_of, occurrences),
        ]
        between = (
            event
            for event in found
            if event.start_datetime_local < end_date and event.end_datetime_local > start_date
        )
        return sorted(between, key=_start)

    def _days(self) -> Iterator[_Day]:
        """Yield the day of each certificate that was read; of others it is not known.

        One that is kept may be watched where it is served, too: it ends only once.
        """
        watched: set[str] = set()
        for certificate in self.coordinator.mirror.every(CERTIFICATE):
            if certificate.details is not None:
                watched.add(certificate.details.fingerprint_sha256)
                day = dt_util.as_local(certificate.details.expires_at).date()
                uid = f"certificate:{certificate.key}"
                yield _Day(day, _EXPIRES, certificate.name, certificate.details.names, uid)
        for kept in self.coordinator.mirror.every(MANAGED_CERTIFICATE):
            uid = f"managed_certificate:{kept.key}"
            if kept.renew_at is not None:
                day = dt_util.as_local(kept.renew_at).date()
                yield _Day(day, _IS_RENEWED, name_of(kept), kept.names, f"{uid}:renewal")
            if kept.expires_at is not None and kept.fingerprint_sha256 not in watched:
                day = dt_util.as_local(kept.expires_at).date()
                yield _Day(day, _EXPIRES, name_of(kept), kept.names, uid)

    def _event_of(self, one: _Day) -> CalendarEvent:
        return CalendarEvent(
            start=one.day,
            end=one.day + timedelta(days=1),
            summary=self._words[one.what].format(name=one.name),
            description=", ".join(one.names) or None,
            uid=one.uid,
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


def _day(one: _Day) -> date:
    return one.day
