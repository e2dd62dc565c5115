"""Images, volumes, networks and the room they take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .base import EACH_BY_ITSELF, OpenEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUsage:
    """What Docker's objects take, measured now and then. `reclaimable_bytes`: what prune frees."""

    measured_at: datetime
    images: int
    images_unused: int
    images_bytes: int
    images_reclaimable_bytes: int
    containers_bytes: int
    volumes: int
    volumes_unused: int
    volumes_bytes: int | None
    volumes_reclaimable_bytes: int | None
    build_cache_bytes: int
    build_cache_reclaimable_bytes: int
    networks_unused: int
    reclaimable_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image. `containers` are the keys of those made from it, stopped ones included.

    `unique_bytes` is what removing it alone would free; None where Docker does not tell.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    created_at: datetime | None
    size_bytes: int
    dangling: bool
    containers: tuple[str, ...]
    unique_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One volume. `size_bytes` is None where it was not measured (other drivers than local)."""

    name: str
    driver: str
    created_at: datetime | None
    mountpoint: str | None
    anonymous: bool
    labels: Mapping[str, str]
    size_bytes: int | None
    containers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network. `builtin`: bridge, host and none, which cannot be removed."""

    id: str
    name: str
    driver: str
    scope: str
    internal: bool
    builtin: bool
    subnets: tuple[str, ...]
    containers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageList:
    """All images, the largest first."""

    images: tuple[Image, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeList:
    """All volumes, by name."""

    volumes: tuple[Volume, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkList:
    """All networks, by name."""

    networks: tuple[Network, ...] = field(metadata=EACH_BY_ITSELF)


class PruneKind(OpenEnum):
    """What can be cleaned up. IMAGES: dangling ones; UNUSED_IMAGES: all that nothing uses."""

    CONTAINERS = "containers"
    IMAGES = "images"
    UNUSED_IMAGES = "unused_images"
    VOLUMES = "volumes"
    NETWORKS = "networks"
    BUILD_CACHE = "build_cache"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneItem:
    """One thing that would go. `size_bytes` is None where it is not known."""

    kind: PruneKind
    id: str
    name: str
    size_bytes: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunePreview:
    """What would go, and `hash`, which a later prune must bring: nothing else goes then."""

    hash: str
    items: tuple[PruneItem, ...]
    reclaimable_bytes: int
    kept: tuple[PruneItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneBody:
    """What to clean up. `hash` is the preview's: a prune that nobody looked at does not exist."""

    kinds: tuple[PruneKind, ...]
    hash: str
    wait_s: float = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneQuery:
    """What to look at: `PruneKind`s between commas."""

    kinds: str = "containers,images,networks,build_cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureBody:
    """`wait_s`: how long the answer may wait for the end."""

    wait_s: float = 30
