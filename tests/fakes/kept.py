"""The objects area on some engine, on top of the containers area."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from homelab_agent.areas.objects.disk_meter import DiskMeter
from homelab_agent.areas.objects.inventory import ObjectInventory
from homelab_agent.areas.objects.measure_job import measure_job
from homelab_agent.areas.objects.prune_job import PruneJob
from homelab_agent.areas.objects.service import ObjectService
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.engine.docker.images import DockerImages
from homelab_agent.platform.engine.docker.objects import DockerObjects
from homelab_agent.platform.engine.docker.transport import Transport
from tests.fakes.commanded import Commanded, commanded


@dataclass
class Kept:
    """The service, what works for it, and the containers below."""

    service: ObjectService
    meter: DiskMeter
    prune: PruneJob
    base: Commanded


@asynccontextmanager
async def kept(url: str, folder: Path, clock: Clock) -> AsyncIterator[Kept]:
    """Give the area once the engine was reached; `clock` says how old things look."""
    async with commanded(url, folder) as base:
        await base.live.connected()
        transport = Transport(url)
        objects, images = DockerObjects(transport), DockerImages(transport)
        inventory = ObjectInventory(objects, images, base.service)
        meter = DiskMeter(objects, inventory, base.live.resources, clock, interval_s=0)
        base.runner.register(measure_job(meter))
        prune = PruneJob(inventory, images, objects, clock)
        base.runner.register(prune.kind())
        service = ObjectService(objects, images, inventory, base.service, meter, base.runner, clock)
        try:
            yield Kept(service, meter, prune, base)
        finally:
            await transport.close()
