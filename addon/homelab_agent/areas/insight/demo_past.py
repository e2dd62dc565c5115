"""The past of the invented homelab: its media disk fills up, and one container wants ever more."""

from homelab_agent.areas.containers.models import CONTAINER_KIND, Container
from homelab_agent.areas.host.models import FILESYSTEM_KIND, Filesystem
from homelab_agent.areas.insight.glance import glance
from homelab_agent.areas.insight.kept import AVAILABLE, MEMORY
from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND, ContainerStats
from homelab_agent.platform.history.samples import History
from homelab_agent.platform.history.series import DAY_S, HOUR_S, Point
from homelab_agent.platform.resources import Resources

DEMO_FIRST_AFTER_S = 3.0

_DAYS = 30
_GROWTH_BYTES_PER_DAY = {
    "/": 1_000_000_000,
    "/mnt/media": 20_000_000_000,
    "/mnt/nas": 40_000_000_000,
}
_BACKUP_BYTES = 3_000_000_000
_BACKUP_HOURS = range(3, 5)
"""Every night something comes, and goes again."""

_LEAK_HOURS = 34
_LEAKED_SHARE = 0.7
_WAVER = 0.004
_SUSPECT = ":"
"""Only a container of a stack is to have the leak."""


class DemoPast:
    """Invents what would have been seen, ending with what is shown now."""

    def __init__(self, history: History, resources: Resources) -> None:
        self._history = history
        self._resources = resources

    async def invent(self) -> None:
        """Put the invented past in place of any other."""
        await glance(self._resources, (CONTAINER_STATS_KIND,))
        for filesystem in self._resources.every(FILESYSTEM_KIND, Filesystem):
            self._invent_space(filesystem)
        running = self._resources.every(CONTAINER_STATS_KIND, ContainerStats)
        old = [each for each in running if _SUSPECT in each.key and self._is_old(each.key)]
        if old:
            self._invent_leak(max(old, key=lambda each: each.memory_bytes or 0))

    def _invent_space(self, filesystem: Filesystem) -> None:
        if filesystem.available_bytes is None:
            return
        growth = _GROWTH_BYTES_PER_DAY.get(filesystem.key, 0) / DAY_S
        now_s = self._history.now_s()
        points = []
        for hours_ago in range(_DAYS * 24, 0, -1):
            left = filesystem.available_bytes + growth * hours_ago * HOUR_S
            if growth and hours_ago % 24 in _BACKUP_HOURS:
                left -= min(_BACKUP_BYTES, left / 2)
            points.append(Point(now_s - hours_ago * HOUR_S, left))
        self._history.replace(AVAILABLE, filesystem.key, points)

    def _invent_leak(self, stats: ContainerStats) -> None:
        now, now_s = stats.memory_bytes or 0, self._history.now_s()
        points = []
        for hours_ago in range(_LEAK_HOURS, 0, -1):
            share = 1 - _LEAKED_SHARE * hours_ago / _LEAK_HOURS + _WAVER * (hours_ago % 3 - 1)
            points.append(Point(now_s - hours_ago * HOUR_S, now * share))
        self._history.replace(MEMORY, stats.key, points)

    def _is_old(self, key: str) -> bool:
        container = self._resources.get(CONTAINER_KIND, key)
        if not isinstance(container, Container) or container.started_at is None:
            return False
        age = self._history.wall(self._history.now_s()) - container.started_at
        return age.total_seconds() > _LEAK_HOURS * HOUR_S
