"""Publishes the file systems: how full they are, which one hangs, which one is gone."""

import asyncio
from dataclasses import dataclass

from homelab_agent.areas.host.models import FILESYSTEM_KIND, Filesystem, FilesystemState
from homelab_agent.platform.host.machine import Machine, MountReading, Space
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.rounding import rounded

REMEMBERED_S = 86_400.0
"""How long a file system that is gone is missed."""

_BYTES_STEP = 1_000_000
_INODES_STEP = 100
_PERCENT_STEP = 0.1
_GONE = "It was mounted before and is not now."
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Missed:
    known: Filesystem
    since_s: float


class FilesystemWatch:
    """Measures again and again. One that hangs is waited for a few seconds, and only once."""

    def __init__(
        self,
        machine: Machine,
        resources: Resources,
        *,
        interval_s: float,
        remembered_s: float = REMEMBERED_S,
    ) -> None:
        self._machine = machine
        self._resources = resources
        self._interval_s = interval_s
        self._remembered_s = remembered_s
        self._known: dict[str, Filesystem] = {}
        self._missed: dict[str, _Missed] = {}
        self._passing: set[str] = set()
        # What hangs or cannot be read before it is gone tells no size any more.
        self._sizes: dict[str, int] = {}

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """Measure and publish all of them now."""
        readings = await self._machine.filesystems()
        if readings is None:
            _log.warning("mounts_not_readable")
            return
        shown = {reading.mount_point: filesystem(reading) for reading in readings}
        self._sizes |= {
            key: each.size_bytes for key, each in shown.items() if each.size_bytes is not None
        }
        now_s = asyncio.get_running_loop().time()
        for key in self._known.keys() - shown.keys() - self._missed.keys() - self._passing:
            _log.warning("filesystem_gone", mount_point=key)
            self._missed[key] = _Missed(_gone(self._known[key], self._sizes.get(key)), now_s)
        for key in tuple(self._missed):
            missed = self._missed[key]
            if key in shown or now_s - missed.since_s >= self._remembered_s:
                del self._missed[key]
            else:
                shown[key] = missed.known
        for key in self._known.keys() - shown.keys():
            self._resources.remove(FILESYSTEM_KIND, key)
        self._known = shown
        self._sizes = {key: size for key, size in self._sizes.items() if key in shown}
        self._passing = {reading.mount_point for reading in readings if reading.is_passing}
        for key, each in shown.items():
            self._resources.publish(FILESYSTEM_KIND, key, each)


def filesystem(reading: MountReading) -> Filesystem:
    """Return a file system as it is shown."""
    state, reason = _state(reading)
    space = reading.space
    return Filesystem(
        key=reading.mount_point,
        device=reading.device,
        type=reading.type,
        state=state,
        reason=reason,
        size_bytes=space.size_bytes if space else None,
        used_bytes=_in_steps(space.used_bytes, _BYTES_STEP) if space else None,
        available_bytes=_in_steps(space.available_bytes, _BYTES_STEP) if space else None,
        used_percent=_used_percent(space) if space else None,
        inodes=space.inodes if space else None,
        inodes_used=_in_steps(space.inodes_used, _INODES_STEP) if space else None,
        inodes_percent=_share(space.inodes_used, space.inodes) if space else None,
    )


def _state(reading: MountReading) -> tuple[FilesystemState, str | None]:
    if reading.hanging_since is not None:
        since = f"{reading.hanging_since:%Y-%m-%d %H:%M} UTC"
        return FilesystemState.HANGING, f"It has not answered since {since}."
    if reading.error is not None:
        return FilesystemState.UNREADABLE, reading.error
    if reading.read_only and not reading.is_image:
        return FilesystemState.READ_ONLY, "It is mounted so that nothing can be written."
    return FilesystemState.OK, None


def _gone(known: Filesystem, size_bytes: int | None) -> Filesystem:
    return Filesystem(
        key=known.key,
        device=known.device,
        type=known.type,
        state=FilesystemState.GONE,
        reason=_GONE,
        size_bytes=size_bytes,
    )


def _used_percent(space: Space) -> float | None:
    """Return the share that `df` shows: of what everybody but root can have."""
    return _share(space.used_bytes, space.used_bytes + space.available_bytes)


def _share(part: int | None, whole: int | None) -> float | None:
    if part is None or not whole:
        return None
    return rounded(part / whole * 100, _PERCENT_STEP)


def _in_steps(value: int | None, step: int) -> int | None:
    return None if value is None else round(value / step) * step
