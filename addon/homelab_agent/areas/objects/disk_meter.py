"""Measures what everything takes: slowly, one measurement at a time, shared by all who ask."""

import asyncio
from collections.abc import Collection
from random import Random

from homelab_agent.areas.objects.garbage import is_builtin, preview, removable_cache
from homelab_agent.areas.objects.inventory import ObjectInventory
from homelab_agent.areas.objects.models import (
    DEFAULT_PRUNE_KINDS,
    DISK_USAGE_KEY,
    DISK_USAGE_KIND,
    DiskUsage,
    PruneKind,
)
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.engine.objects import DiskMeasurement, ObjectEngine
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources

FIRST_AFTER_S = 60.0
"""How long after the start: what people look at first comes first."""

RETRY_S = 300.0

_SPREAD = 0.1
"""How far an interval may be off, so that several hosts do not measure at the same moment."""

_log = get_logger(__name__)


class DiskMeter:
    """Publishes `DiskUsage`; `interval_s` 0 measures only on demand."""

    def __init__(
        self,
        engine: ObjectEngine,
        inventory: ObjectInventory,
        resources: Resources,
        clock: Clock,
        *,
        interval_s: float,
        first_after_s: float = FIRST_AFTER_S,
    ) -> None:
        self._engine = engine
        self._inventory = inventory
        self._resources = resources
        self._clock = clock
        self._interval_s = interval_s
        self._first_after_s = first_after_s
        self._dice = Random()  # noqa: S311 - nothing secret is drawn
        self._running: asyncio.Task[DiskUsage] | None = None
        self.volume_bytes: dict[str, int | None] = {}
        """The sizes of volumes by name, as last measured."""

    @property
    def last(self) -> DiskUsage | None:
        """The last measurement."""
        found = self._resources.get(DISK_USAGE_KIND, DISK_USAGE_KEY)
        return found if isinstance(found, DiskUsage) else None

    async def run(self) -> None:
        """Measure now and then until cancelled; a measurement that runs then ends too."""
        try:
            await self._repeat()
        finally:
            await self._end()

    async def _repeat(self) -> None:
        if not self._interval_s:
            await asyncio.Event().wait()
        pause_s = self._spread(self._first_after_s)
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.measure()
            except AgentError as error:
                _log.info("disk_usage_not_measured", why=error.message)
                pause_s = self._spread(min(RETRY_S, self._interval_s))
            else:
                pause_s = self._spread(self._interval_s)

    async def measure(self) -> DiskUsage:
        """Measure now, or share the measurement that runs."""
        if self._running is None:
            self._running = asyncio.create_task(self._measure(), name="disk usage")
            self._running.add_done_callback(self._forget)
        # Who gives up waiting does not end it for the others.
        return await asyncio.shield(self._running)

    async def _end(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))

    def _forget(self, task: asyncio.Task[DiskUsage]) -> None:
        self._running = None
        if not task.cancelled() and (error := task.exception()):
            _log.debug("disk_usage_failed", why=str(error))

    async def _measure(self) -> DiskUsage:
        began = self._clock()
        measured = await self._engine.measure()
        if measured.volumes is not None:
            self.volume_bytes = {each.name: each.size_bytes for each in measured.volumes}
        usage = await self._summed(measured)
        self._resources.publish(DISK_USAGE_KIND, DISK_USAGE_KEY, usage)
        _log.debug("disk_usage_measured", took_s=(self._clock() - began).total_seconds())
        return usage

    async def _summed(self, measured: DiskMeasurement) -> DiskUsage:
        found = await self._inventory.everything((*DEFAULT_PRUNE_KINDS, PruneKind.VOLUMES))
        now = self._clock()
        cleanable = preview(DEFAULT_PRUNE_KINDS, found, {}, now)
        images = [each.id for each in found.images if not found.users.of_image(each)]
        volumes = [each.name for each in found.volumes if not found.users.of_volume(each)]
        return DiskUsage(
            measured_at=now,
            images=len(found.images),
            images_unused=len(images),
            images_bytes=measured.layers_bytes,
            images_reclaimable_bytes=sum(measured.unique_bytes.get(each, 0) for each in images),
            containers_bytes=measured.containers_bytes,
            volumes=len(found.volumes),
            volumes_unused=len(volumes),
            volumes_bytes=_of_volumes(measured, None),
            volumes_reclaimable_bytes=_of_volumes(measured, volumes),
            build_cache_bytes=sum(each.size_bytes for each in measured.cache if not each.shared),
            build_cache_reclaimable_bytes=sum(
                each.size_bytes for each in removable_cache(measured.cache)
            ),
            networks_unused=sum(
                not is_builtin(each) and not found.users.of_network(each) for each in found.networks
            ),
            reclaimable_bytes=cleanable.reclaimable_bytes,
        )

    def _spread(self, pause_s: float) -> float:
        return pause_s * self._dice.uniform(1 - _SPREAD, 1 + _SPREAD)


def _of_volumes(measured: DiskMeasurement, names: Collection[str] | None) -> int | None:
    """Return what these volumes take (all where None); None where volumes were not measured."""
    if measured.volumes is None:
        return None
    return sum(
        each.size_bytes or 0 for each in measured.volumes if names is None or each.name in names
    )
