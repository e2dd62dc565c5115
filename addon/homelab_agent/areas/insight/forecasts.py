"""Keeps the forecast of every file system, and publishes what a person would care for."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from math import floor, log10

from homelab_agent.areas.host.models import Filesystem, FilesystemState
from homelab_agent.areas.insight.forecast import Outlook, look_ahead
from homelab_agent.areas.insight.kept import AVAILABLE, SIZE
from homelab_agent.areas.insight.models import DISK_FORECAST_KIND, DiskForecast
from homelab_agent.areas.insight.rules.disks import IMAGES
from homelab_agent.areas.insight.rush import WITHIN_S, Minutes, rush
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.history.samples import History
from homelab_agent.platform.history.series import DAY_S
from homelab_agent.platform.resources import Resources

OTHER_SIZE = 0.02
"""A size that differs by more is that of another, or a resized, file system."""

FLOWING_SIZES = frozenset({"zfs"})
"""Where a file system's size is what the others leave of the pool."""

_DIFFERENT = 0.05
_DIFFERENT_DAYS = 0.2
_DIFFERENT_SOON = 0.2
_LEAST_DAYS = 0.001
_DIFFERENT_GROWTH = 0.2
_DIGITS = 3


class Forecasts:
    """Records what is left on each file system, and looks ahead."""

    def __init__(self, history: History, resources: Resources, clock: Clock) -> None:
        self._history = history
        self._resources = resources
        self._clock = clock
        self._minutes = Minutes()

    def note(self, filesystems: Sequence[Filesystem]) -> None:
        """Note what is left on each right now, for what cannot wait for the next look."""
        known = [each for each in filesystems if can_fill(each)]
        for each in known:
            if each.size_bytes and each.available_bytes is not None:
                left, size = float(each.available_bytes), float(each.size_bytes)
                self._minutes.note(each.key, left, size, self._history.now_s())
        self._minutes.keep({each.key for each in known})

    def is_urgent(self, filesystem: Filesystem) -> bool:
        """Return whether one fills within the hour, as it seems."""
        minutes, size = self._minutes.of(filesystem.key), filesystem.size_bytes or 0
        return bool(rush(minutes, float(size), self._history.now_s()))

    def record(self, filesystem: Filesystem) -> None:
        """Note what is left now. Another size begins anew."""
        size, available = filesystem.size_bytes, filesystem.available_bytes
        if not size or available is None or not can_fill(filesystem):
            return
        key = filesystem.key
        known = self._history.points(SIZE, key)
        is_other = bool(known) and abs(size / known[-1].value - 1) > OTHER_SIZE
        if is_other and filesystem.type not in FLOWING_SIZES:
            self._history.forget(AVAILABLE, key)
            self._history.forget(SIZE, key)
        self._history.record(SIZE, key, float(size))
        self._history.record(AVAILABLE, key, float(available))

    async def look_ahead(self, filesystem: Filesystem) -> DiskForecast:
        """Return when a file system will be full, as it is published: anew where it changed."""
        forecast = await self._forecast(filesystem)
        known = self._resources.get(DISK_FORECAST_KIND, forecast.key)
        if isinstance(known, DiskForecast) and not _differs(known, forecast):
            return known
        self._resources.publish(DISK_FORECAST_KIND, forecast.key, forecast)
        return forecast

    def keep(self, keys: set[str]) -> None:
        """Take the forecasts of all other file systems away."""
        for key in self._resources.keys(DISK_FORECAST_KIND):
            if key not in keys:
                self._resources.remove(DISK_FORECAST_KIND, key)

    async def _forecast(self, filesystem: Filesystem) -> DiskForecast:
        key, size = filesystem.key, filesystem.size_bytes
        if filesystem.state is FilesystemState.READ_ONLY or filesystem.type in IMAGES:
            return DiskForecast(key=key, reason="Nothing can be written to it.")
        if not can_fill(filesystem) or not size or filesystem.available_bytes is None:
            return DiskForecast(key=key, reason="How much is left on it is not known.")
        points, now_s = self._history.points(AVAILABLE, key), self._history.now_s()
        # Some thousand steps of arithmetic: others need not wait for them.
        minutes = self._minutes.of(key)
        outlook = await asyncio.to_thread(look_ahead, points, float(size), now_s, minutes)
        return self._shown(key, outlook)

    def _shown(self, key: str, outlook: Outlook) -> DiskForecast:
        days = None if outlook.days is None else _rounded_days(outlook.days)
        began, ended = outlook.observed or (None, None)
        growth = outlook.growth_per_day
        return DiskForecast(
            key=key,
            days_until_full=days,
            full_at=None if days is None else self._clock() + timedelta(days=days),
            reason=outlook.reason,
            growth_bytes_per_day=None if growth is None else _coarse(growth),
            observed_from=None if began is None else self._history.wall(began),
            observed_until=None if ended is None else self._history.wall(ended),
            samples=outlook.samples,
        )


def can_fill(filesystem: Filesystem) -> bool:
    """Return whether something can be written to a file system."""
    return filesystem.state is FilesystemState.OK and filesystem.type not in IMAGES


def _differs(known: DiskForecast, new: DiskForecast) -> bool:
    if known.reason != new.reason:
        return True
    if known.full_at is not None and new.full_at is not None:
        days = new.days_until_full or 0.0
        moved_days = abs((new.full_at - known.full_at).total_seconds()) / DAY_S
        passed_days = abs(days - (known.days_until_full or 0.0))
        soon = max(days * _DIFFERENT_SOON, _LEAST_DAYS)
        least_days = max(min(_DIFFERENT_DAYS, soon), days * _DIFFERENT)
        return max(moved_days, passed_days) >= least_days
    before, now = known.growth_bytes_per_day or 0.0, new.growth_bytes_per_day or 0.0
    return abs(now - before) > _DIFFERENT_GROWTH * max(abs(now), abs(before))


def _rounded_days(days: float) -> float:
    """Return days as a person would say them: by the minute where it is a matter of minutes."""
    if days * DAY_S <= WITHIN_S:
        return round(days, 3)
    return round(days, 1 if days < 10 else 0)  # noqa: PLR2004


def _coarse(value: float) -> float:
    """Return a value with the digits that it deserves."""
    if not value:
        return 0.0
    return float(round(value, _DIGITS - 1 - floor(log10(abs(value)))))
