"""Keeps the forecast of every file system, and publishes what a person would care for."""

import asyncio
from datetime import timedelta
from functools import partial
from math import floor, log10

from homelab_agent.areas.host.models import Filesystem, FilesystemState
from homelab_agent.areas.insight.forecast import Outlook, look_ahead
from homelab_agent.areas.insight.kept import AVAILABLE, SIZE
from homelab_agent.areas.insight.models import DISK_FORECAST_KIND, DiskForecast
from homelab_agent.areas.insight.rules.disks import IMAGES
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
_DIFFERENT_GROWTH = 0.2
_DIGITS = 3


class Forecasts:
    """Records what is left on each file system, and looks ahead."""

    def __init__(self, history: History, resources: Resources, clock: Clock) -> None:
        self._history = history
        self._resources = resources
        self._clock = clock

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
        outlook = await asyncio.to_thread(partial(look_ahead, points, float(size), now_s))
        return self._shown(key, outlook)

    def _shown(self, key: str, outlook: Outlook) -> DiskForecast:
        days = None if outlook.days is None else round(outlook.days, 1 if outlook.days < 10 else 0)  # noqa: PLR2004
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
        least_days = max(_DIFFERENT_DAYS, days * _DIFFERENT)
        return max(moved_days, passed_days) >= least_days
    before, now = known.growth_bytes_per_day or 0.0, new.growth_bytes_per_day or 0.0
    return abs(now - before) > _DIFFERENT_GROWTH * max(abs(now), abs(before))


def _coarse(value: float) -> float:
    """Return a value with the digits that it deserves."""
    if not value:
        return 0.0
    return float(round(value, _DIGITS - 1 - floor(log10(abs(value)))))
