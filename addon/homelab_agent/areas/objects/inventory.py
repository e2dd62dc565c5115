"""One look at everything the engine keeps, and who uses it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from homelab_agent.areas.containers.models import Container, ContainerQuery
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.objects.models import PruneKind
from homelab_agent.platform.engine.images import EngineImage, ImageEngine
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.engine.objects import (
    CacheRecord,
    ObjectEngine,
    ObjectUser,
    StoredNetwork,
    StoredVolume,
)
from homelab_agent.platform.errors import NotFound

ENDED = frozenset({ContainerState.CREATED, ContainerState.EXITED, ContainerState.DEAD})


@dataclass(frozen=True, slots=True)
class Users:
    """Who uses what: the keys of containers by image id, volume name, and network id or name."""

    containers: tuple[Container, ...]
    _images: dict[str, tuple[str, ...]]
    _volumes: dict[str, tuple[str, ...]]
    _networks: dict[str, tuple[str, ...]]

    def of_image(self, image: EngineImage) -> tuple[str, ...]:
        """Return whose image it is; stopped containers count."""
        return self._images.get(image.id, ())

    def of_volume(self, volume: StoredVolume) -> tuple[str, ...]:
        """Return who has it mounted, or will have when started."""
        return self._volumes.get(volume.name, ())

    def of_network(self, network: StoredNetwork) -> tuple[str, ...]:
        """Return who is in it, or will be when started."""
        return tuple(
            sorted({*self._networks.get(network.id, ()), *self._networks.get(network.name, ())})
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """What the engine keeps, as far as asked for. `unique_bytes`, `container_bytes`: by id."""

    users: Users
    images: tuple[EngineImage, ...] = ()
    unique_bytes: dict[str, int]
    volumes: tuple[StoredVolume, ...] = ()
    networks: tuple[StoredNetwork, ...] = ()
    cache: tuple[CacheRecord, ...] = ()
    container_bytes: dict[str, int]


class ObjectInventory:
    """Asks the engine; knows nothing from before."""

    def __init__(
        self, objects: ObjectEngine, images: ImageEngine, containers: ContainerService
    ) -> None:
        self._objects = objects
        self._images = images
        self._containers = containers

    async def users(self) -> Users:
        """Return who uses what right now."""
        rows = await self._objects.users()
        found = {row.id: container for row in rows if (container := self._container(row))}
        keys = {row.id: found[row.id].key if row.id in found else row.name for row in rows}
        return Users(
            tuple(found.values()),
            _grouped((row.image_id, keys[row.id]) for row in rows),
            _grouped((name, keys[row.id]) for row in rows for name in row.volumes),
            _grouped((name, keys[row.id]) for row in rows for name in row.networks),
        )

    async def images(self) -> tuple[tuple[EngineImage, ...], dict[str, int]]:
        """Return all images, and what each has for itself by its id."""
        return await self._images.list_images(), await self._objects.unique_sizes()

    async def everything(self, kinds: Collection[PruneKind]) -> Everything:
        """Return what the engine keeps of these kinds.

        What uses them is looked at last: what came into use meanwhile is then seen.
        """
        with_images = PruneKind.IMAGES in kinds or PruneKind.UNUSED_IMAGES in kinds
        images, unique = await self.images() if with_images else ((), {})
        volumes = await self._objects.volumes() if PruneKind.VOLUMES in kinds else ()
        networks = await self._objects.networks() if PruneKind.NETWORKS in kinds else ()
        cache = await self._objects.cache() if PruneKind.BUILD_CACHE in kinds else ()
        ended = self._ended() if PruneKind.CONTAINERS in kinds else ()
        sizes = await self._objects.container_sizes(ended)
        return Everything(
            users=await self.users(),
            images=images,
            unique_bytes=unique,
            volumes=volumes,
            networks=networks,
            cache=cache,
            container_bytes=sizes,
        )

    def _ended(self) -> tuple[str, ...]:
        every = self._containers.list(ContainerQuery()).containers
        return tuple(each.id for each in every if each.state in ENDED)

    def _container(self, row: ObjectUser) -> Container | None:
        try:
            found = self._containers.get(row.name)
        except NotFound:
            return None
        return found if found.id == row.id else None


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, user in pairs:
        found[name].add(user)
    return {name: tuple(sorted(users)) for name, users in found.items()}
