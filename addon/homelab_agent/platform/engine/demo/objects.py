"""Volumes and networks of the invented homelab, with something left over to clean up."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import override

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.engine.images import ImageEngine
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT
from homelab_agent.platform.engine.models import EngineContainer
from homelab_agent.platform.engine.objects import (
    CacheRecord,
    DiskMeasurement,
    ObjectEngine,
    ObjectUser,
    StoredNetwork,
    StoredVolume,
)
from homelab_agent.platform.errors import Conflict, NotFound

_MB = 1_000_000
_BUILTIN = (("bridge", "bridge"), ("host", "host"), ("none", "null"))
_SHARED_PART = 5
"""What part of each image others have too."""

_PROXY = "edge-caddy-1"
"""It is in the networks of all that it serves."""
_DATA = {"cloud-db-1": 2_400, "media-jellyfin-1": 5_300, "monitoring-prometheus-1": 8_100}
"""Containers with a volume for their data, in megabytes."""


class DemoObjects(ObjectEngine):
    """Implements `ObjectEngine`. Who uses what is asked of the demo's containers."""

    def __init__(self, containers: Engine, images: ImageEngine, clock: Clock) -> None:
        self._containers = containers
        self._images = images
        self._began = clock()
        self._gone: set[str] = set()

    @override
    async def users(self) -> tuple[ObjectUser, ...]:
        rows = await self._containers.list_containers()
        projects = tuple(sorted({_network(row) for row in rows} - {name for name, _ in _BUILTIN}))
        return tuple(
            ObjectUser(
                id=row.id,
                name=row.name,
                image_id=row.image_id,
                volumes=(f"{row.name}-data",) if row.name in _DATA else (),
                networks=projects if row.name == _PROXY else (_network(row),),
            )
            for row in rows
        )

    @override
    async def unique_sizes(self) -> dict[str, int]:
        return {
            image.id: image.size_bytes - image.size_bytes // _SHARED_PART
            for image in await self._images.list_images()
        }

    @override
    async def volumes(self) -> tuple[StoredVolume, ...]:
        return tuple(
            volume.model_copy(update={"size_bytes": None}) for volume in self._all_volumes()
        )

    @override
    async def networks(self) -> tuple[StoredNetwork, ...]:
        used = {_network(row) for row in await self._containers.list_containers()}
        own = sorted((used | {"old-project_default"}) - {name for name, _ in _BUILTIN})
        made = (
            *(StoredNetwork(id=_id(name), name=name, driver=kind) for name, kind in _BUILTIN),
            *(
                StoredNetwork(
                    id=_id(name),
                    name=name,
                    driver="bridge",
                    created_at=self._began - timedelta(days=90),
                    subnets=(f"172.{20 + number}.0.0/16",),
                    labels={COMPOSE_PROJECT: name.removesuffix("_default")},
                )
                for number, name in enumerate(own)
            ),
        )
        return self._left(made, lambda network: network.id)

    @override
    async def cache(self) -> tuple[CacheRecord, ...]:
        record = CacheRecord(
            id="inventedcache1",
            description="[2/4] RUN pip install -r requirements.txt",
            size_bytes=640 * _MB,
            in_use=False,
            shared=False,
            last_used_at=self._began - timedelta(days=40),
        )
        return self._left((record,), lambda each: each.id)

    @override
    async def measure(self) -> DiskMeasurement:
        unique = await self.unique_sizes()
        return DiskMeasurement(
            layers_bytes=sum(unique.values()) + 310 * _MB,
            unique_bytes=unique,
            containers_bytes=184 * _MB,
            volumes=self._all_volumes(),
            cache=await self.cache(),
        )

    @override
    async def container_sizes(self, container_ids: tuple[str, ...]) -> dict[str, int]:
        return dict.fromkeys(container_ids, 12 * _MB)

    @override
    async def remove_container(self, container_id: str) -> None:
        await asyncio.sleep(0)
        raise Conflict("The demo keeps its containers.")

    @override
    async def remove_volume(self, name: str) -> None:
        if any(name in user.volumes for user in await self.users()):
            raise Conflict(f"The volume {name} is in use.")
        self._remove(name, {volume.name for volume in self._all_volumes()})

    @override
    async def remove_network(self, network_id: str) -> None:
        self._remove(network_id, {network.id for network in await self.networks()})

    @override
    async def remove_cache(self, record_id: str) -> int | None:
        found = next((each for each in await self.cache() if each.id == record_id), None)
        self._gone.add(record_id)
        return found.size_bytes if found else None

    def _remove(self, name: str, known: set[str]) -> None:
        if name not in known:
            raise NotFound(f"There is no {name!r}.")
        self._gone.add(name)

    def _left[T](self, every: tuple[T, ...], name: Callable[[T], str]) -> tuple[T, ...]:
        return tuple(each for each in every if name(each) not in self._gone)

    def _all_volumes(self) -> tuple[StoredVolume, ...]:
        sizes = {f"{name}-data": size for name, size in _DATA.items()} | {"old-wiki-data": 730}
        made = tuple(
            StoredVolume(
                name=name,
                driver="local",
                created_at=self._began - timedelta(days=200),
                mountpoint=f"/var/lib/docker/volumes/{name}/_data",
                size_bytes=size * _MB,
            )
            for name, size in sizes.items()
        )
        return self._left(made, lambda volume: volume.name)


def _id(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def _network(row: EngineContainer) -> str:
    project = row.labels.get(COMPOSE_PROJECT)
    return f"{project}_default" if project else "bridge"
