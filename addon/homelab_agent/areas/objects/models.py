"""Images, volumes, networks and the room they take, as the API and the stream show them."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from homelab_agent.platform.model import Model

DISK_USAGE_KIND = "disk_usage"
DISK_USAGE_KEY = "docker"

IMAGE_KIND = "image"
VOLUME_KIND = "volume"
NETWORK_KIND = "network"


class DiskUsage(Model):
    """What Docker's objects take, measured now and then.

    `..._unused` and `..._reclaimable_bytes` are what nothing uses; layers that images share are
    counted for none of them. `reclaimable_bytes` is what a prune of the default kinds frees. The
    numbers of volumes are None where they could not be measured.
    """

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


class Image(Model):
    """One image. `containers` are the keys of those made from it, stopped ones included.

    `unique_bytes` is what removing it alone would free: layers it shares with others stay. None
    where Docker does not tell.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    created_at: datetime | None
    size_bytes: int
    unique_bytes: int | None = None
    dangling: bool
    containers: tuple[str, ...]


class Volume(Model):
    """One volume. `size_bytes` is None where it was not measured (other drivers than local)."""

    name: str
    driver: str
    created_at: datetime | None
    mountpoint: str | None
    anonymous: bool
    labels: dict[str, str]
    size_bytes: int | None
    containers: tuple[str, ...]


class Network(Model):
    """One network. `builtin`: bridge, host and none, which cannot be removed."""

    id: str
    name: str
    driver: str
    scope: str
    internal: bool
    builtin: bool
    subnets: tuple[str, ...]
    containers: tuple[str, ...]


class ImageList(Model):
    """All images, the largest first."""

    images: tuple[Image, ...]


class VolumeList(Model):
    """All volumes, by name."""

    volumes: tuple[Volume, ...]


class StackVolumes(Model):
    """The volumes that carry a stack's label, and named ones without that its containers use.

    `protected_reason` says why the own ones must not be removed; None where nothing protects them.
    """

    own: tuple[str, ...]
    of_others: tuple[str, ...]
    protected_reason: str | None


class NetworkList(Model):
    """All networks, by name."""

    networks: tuple[Network, ...]


class PruneKind(StrEnum):
    """What can be cleaned up. IMAGES: dangling ones; UNUSED_IMAGES: all that nothing uses."""

    CONTAINERS = "containers"
    IMAGES = "images"
    UNUSED_IMAGES = "unused_images"
    VOLUMES = "volumes"
    NETWORKS = "networks"
    BUILD_CACHE = "build_cache"


class PruneItem(Model):
    """One thing that would go. `size_bytes` is None where it is not known."""

    kind: PruneKind
    id: str
    name: str
    size_bytes: int | None
    reason: str


class PrunePreview(Model):
    """What would go, and `hash`, which a later prune must bring: nothing else goes then."""

    hash: str
    items: tuple[PruneItem, ...]
    reclaimable_bytes: int
    kept: tuple[PruneItem, ...]


class PruneBody(Model):
    """What to clean up. `hash` is the preview's: a prune that nobody looked at does not exist."""

    kinds: tuple[PruneKind, ...] = Field(min_length=1)
    hash: str
    wait_s: float = Field(default=30, ge=0, le=300)


DEFAULT_PRUNE_KINDS = (
    PruneKind.CONTAINERS,
    PruneKind.IMAGES,
    PruneKind.NETWORKS,
    PruneKind.BUILD_CACHE,
)
"""What loses no data and no image that has a name."""


class PruneQuery(Model):
    """What to look at: `PruneKind`s between commas."""

    kinds: str = ",".join(DEFAULT_PRUNE_KINDS)


class MeasureBody(Model):
    """`wait_s`: how long the answer may wait for the end."""

    wait_s: float = Field(default=30, ge=0, le=300)


class RemoveVolumeQuery(Model):
    """`confirm`: the volume's name once more, as its data is gone for good."""

    confirm: str
