"""When maintenance windows are open, in the local time of whoever made them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homelab_agent.areas.monitors.models import (
    MaintenanceBody,
    MaintenanceWindow,
    Occurrence,
    Repeat,
)
from homelab_agent.platform.errors import Invalid

_DAYS = {Repeat.DAILY: 1, Repeat.WEEKLY: 7}


@dataclass(frozen=True, slots=True)
class Rule:
    """A maintenance window as it was made."""

    key: str
    body: MaintenanceBody

    def is_about(self, monitor: str) -> bool:
        """Return whether it holds for a monitor."""
        return not self.body.monitors or monitor in self.body.monitors

    def occurrences(self, since: datetime, until: datetime) -> Iterator[Occurrence]:
        """Yield when it is open between two moments, in order of time."""
        length = timedelta(seconds=self.body.duration_s)
        for starts_at in self._starts(since - length):
            if starts_at >= until:
                return
            if starts_at + length > since:
                yield Occurrence(
                    key=self.key,
                    name=self.body.name,
                    starts_at=starts_at,
                    ends_at=starts_at + length,
                )

    def shown(self, now: datetime) -> MaintenanceWindow:
        """Return it as the wire has it: whether it is open, or when it opens next."""
        horizon = now + timedelta(days=32)
        following = next(self.occurrences(now, max(horizon, self.body.starts_at + _MOMENT)), None)
        return MaintenanceWindow(
            key=self.key,
            name=self.body.name,
            starts_at=self.body.starts_at,
            duration_s=self.body.duration_s,
            repeat=self.body.repeat,
            time_zone=self.body.time_zone,
            monitors=self.body.monitors,
            active=following is not None and following.starts_at <= now,
            next_from=following.starts_at if following else None,
            next_until=following.ends_at if following else None,
        )

    def _starts(self, since: datetime) -> Iterator[datetime]:
        """Yield when it begins: every time at the same local time, whatever the clock change."""
        days = _DAYS.get(self.body.repeat)
        if days is None:
            yield self.body.starts_at.astimezone(UTC)
            return
        zone = zone_of(self.body.time_zone)
        local = self.body.starts_at.astimezone(zone).replace(tzinfo=None, fold=0)
        behind = since.astimezone(zone).replace(tzinfo=None) - local
        # A day early: the length of a day is not always the same.
        turn = max(0, behind // timedelta(days=days) - 1)
        while True:
            try:
                start = (local + timedelta(days=days * turn)).replace(tzinfo=zone).astimezone(UTC)
            except OverflowError:
                return
            if start >= since:
                yield start
            turn += 1


_MOMENT = timedelta(seconds=1)


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name.

    Raises:
        Invalid: there is none of that name.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            f"There is no time zone {name[:64]!r}",
            field="time_zone",
            hint="Give its IANA name, as Europe/Berlin",
        ) from error


type Open = tuple[tuple[Rule, Occurrence], ...]
"""The windows that are open at a moment."""


def open_at(rules: Iterable[Rule], now: datetime) -> Open:
    """Return the windows that are open."""
    return tuple(
        (rule, each)
        for rule in rules
        for each in rule.occurrences(now, now + _MOMENT)
        if each.starts_at <= now
    )


def window_of(monitor: str, open_now: Open) -> Occurrence | None:
    """Return the window that is open for a monitor; of several the one that ends last."""
    mine = (each for rule, each in open_now if rule.is_about(monitor))
    return max(mine, key=lambda each: each.ends_at, default=None)


def next_change(rules: Iterable[Rule], now: datetime, horizon: timedelta) -> datetime:
    """Return when a window opens or closes next; the horizon where none does before."""
    until = now + horizon
    changes = [
        moment
        for rule in rules
        for each in rule.occurrences(now, until)
        for moment in (each.starts_at, each.ends_at)
        if now < moment < until
    ]
    return min(changes, default=until)
