"""Docker's volumes, networks and build cache, and the room that everything takes."""

import json
import re
from collections.abc import Callable
from typing import override
from urllib.parse import quote

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from homelab_agent.platform.engine.docker.answers import read_as, read_document
from homelab_agent.platform.engine.docker.errors import Call, unreadable
from homelab_agent.platform.engine.docker.object_documents import (
    Cache,
    DiskUsage,
    ImageSize,
    ListedUser,
    Network,
    Pruned,
    Volumes,
    unique_sizes,
)
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.objects import (
    CacheRecord,
    DiskMeasurement,
    ObjectEngine,
    ObjectUser,
    StoredNetwork,
    StoredVolume,
)
from homelab_agent.platform.errors import Denied, Failed, NotFound, TimedOut
from homelab_agent.platform.logging import get_logger

_MEASURE_EXTRA_S = 50.0
_VOLUMES_EXTRA_S = 600.0
"""Docker adds up every file of every volume."""

_TYPED = (1, 42)
"""From this version on only a part of the disk use can be asked for."""

_CACHE_ID = re.compile(r"[a-z0-9]{1,64}")

_ROWS: TypeAdapter[list[JsonValue]] = TypeAdapter(list[JsonValue])
_CONTAINERS = EngineRight.CONTAINERS_READ
_READ = EngineRight.OBJECTS_READ
_CHANGE = EngineRight.OBJECTS_CHANGE

_log = get_logger(__name__)


class DockerObjects(ObjectEngine):
    """Implements `ObjectEngine` on a transport that belongs to somebody else."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @override
    async def users(self) -> tuple[ObjectUser, ...]:
        call = Call("list the containers", _CONTAINERS)
        body = await self._transport.read("containers/json", call, {"all": "true"})
        # One that cannot be read may use anything: without it all would look less used.
        return tuple(
            _understood(ListedUser, row, call).user() for row in read_as(_ROWS, call, body)
        )

    @override
    async def unique_sizes(self) -> dict[str, int]:
        call = Call("measure the images", EngineRight.IMAGES_READ)
        parameters = {"shared-size": "true"}
        body = await self._transport.read("images/json", call, parameters, extra_s=_MEASURE_EXTRA_S)
        return unique_sizes(
            [_understood(ImageSize, row, call) for row in read_as(_ROWS, call, body)]
        )

    @override
    async def volumes(self) -> tuple[StoredVolume, ...]:
        call = Call("list the volumes", _READ)
        read = read_document(Volumes, call, await self._transport.read("volumes", call))
        return tuple(row.volume() for row in read.volumes or ())

    @override
    async def networks(self) -> tuple[StoredNetwork, ...]:
        call = Call("list the networks", _READ)
        body = await self._transport.read("networks", call)
        return _each(read_as(_ROWS, call, body), Network, lambda row: row.network())

    @override
    async def cache(self) -> tuple[CacheRecord, ...]:
        usage = await self._usage("build-cache", "list the build cache")
        return _records(usage.build_cache)

    @override
    async def measure(self) -> DiskMeasurement:
        if await self._transport.api_version() < _TYPED:
            whole = await self._usage(None, "measure the disk use", _VOLUMES_EXTRA_S)
            return _measurement(whole, whole, whole, whole)
        images = await self._usage("image", "measure the images")
        containers = await self._usage("container", "measure the containers")
        cache = await self._usage("build-cache", "measure the build cache")
        try:
            volumes = await self._usage("volume", "measure the volumes", _VOLUMES_EXTRA_S)
        except (Denied, Failed, TimedOut) as error:
            # One broken mount must not hide how much all the rest takes.
            _log.warning("volumes_not_measured", why=error.message)
            volumes = DiskUsage()
        return _measurement(images, containers, volumes, cache)

    @override
    async def container_sizes(self, container_ids: tuple[str, ...]) -> dict[str, int]:
        if not container_ids:
            return {}
        call = Call("measure containers", _CONTAINERS)
        filters = json.dumps({"id": list(container_ids)})
        parameters = {"all": "true", "size": "true", "filters": filters}
        body = await self._transport.read(
            "containers/json", call, parameters, extra_s=_MEASURE_EXTRA_S
        )
        read = [_understood(ListedUser, row, call) for row in read_as(_ROWS, call, body)]
        return {row.id: max(row.size_rw, 0) for row in read}

    @override
    async def remove_container(self, container_id: str) -> None:
        right = EngineRight.CONTAINERS_CHANGE
        await self._remove("containers", "container", container_id, right)

    @override
    async def remove_volume(self, name: str) -> None:
        await self._remove("volumes", "volume", name, _CHANGE)

    @override
    async def remove_network(self, network_id: str) -> None:
        await self._remove("networks", "network", network_id, _CHANGE)

    @override
    async def remove_cache(self, record_id: str) -> int | None:
        if not _CACHE_ID.fullmatch(record_id):
            raise NotFound(f"There is no build cache {record_id[:80]!r}.")
        call = Call(f"remove the build cache {record_id}", _CHANGE, changes=True)
        # Docker takes an id as a pattern that may fit anywhere.
        parameters = {"all": "true", "filters": json.dumps({"id": [f"^{record_id}$"]})}
        body = await self._transport.change("build/prune", call, parameters)
        pruned = read_document(Pruned, call, body)
        return pruned.space_reclaimed if pruned.caches_deleted else None

    async def _remove(self, folder: str, what: str, name: str, right: EngineRight) -> None:
        call = Call(f"remove the {what} {name}", right, changes=True)
        await self._transport.change(f"{folder}/{quote(name, safe='/:@')}", call, method="DELETE")

    async def _usage(self, part: str | None, what: str, extra_s: float | None = None) -> DiskUsage:
        call = Call(what, _READ)
        body = await self._transport.read(
            "system/df",
            call,
            {"type": part} if part else {},
            extra_s=_MEASURE_EXTRA_S if extra_s is None else extra_s,
        )
        return read_document(DiskUsage, call, body)


def _measurement(
    images: DiskUsage, containers: DiskUsage, volumes: DiskUsage, cache: DiskUsage
) -> DiskMeasurement:
    measured = volumes.volumes
    return DiskMeasurement(
        layers_bytes=max(images.layers_size, 0),
        unique_bytes=unique_sizes(images.images or []),
        containers_bytes=sum(max(row.size_rw, 0) for row in containers.containers or ()),
        volumes=None if measured is None else tuple(volume.volume() for volume in measured),
        cache=_records(cache.build_cache),
    )


def _records(rows: list[Cache] | None) -> tuple[CacheRecord, ...]:
    return tuple(row.record() for row in rows or ())


def _understood[T: BaseModel](document: type[T], row: JsonValue, call: Call) -> T:
    try:
        return document.model_validate(row)
    except ValidationError as error:
        raise unreadable(call, str(error)) from None


def _each[T: BaseModel, R](
    rows: list[JsonValue], document: type[T], made: Callable[[T], R]
) -> tuple[R, ...]:
    """Return the rows that can be understood; the others are neither shown nor ever removed."""
    found: list[R] = []
    for row in rows:
        try:
            found.append(made(document.model_validate(row)))
        except ValidationError as error:
            _log.warning("object_not_readable", row=str(row)[:80], why=str(error)[:400])
    return tuple(found)
