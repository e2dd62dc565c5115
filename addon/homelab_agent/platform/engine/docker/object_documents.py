"""Docker's JSON of images, volumes, networks and disk use, and how it becomes our models.

Read leniently: what an engine leaves out or sends as null has its neutral value.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from homelab_agent.platform.engine.objects import (
    CacheRecord,
    ObjectUser,
    StoredNetwork,
    StoredVolume,
)

type _Number = Annotated[int, Field(ge=-(2**63), lt=2**63)]

_NOT_TOLD = -1
"""Docker's number for a size that nobody worked out."""

_ANONYMOUS = "com.docker.volume.anonymous"

_HEX_ID = re.compile(r"[0-9a-f]{64}")


def _moment(value: object) -> object:
    """Return a time; None for one that is none, which must not cost the whole object."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC) if 0 < value < 2**35 else None
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
    if found is None or found.year <= 1:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


type _Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_pascal)


class _Mount(_Document):
    type: str = ""
    name: str = ""


class _Endpoint(_Document):
    network_id: str = Field(default="", alias="NetworkID")


class _ListedNetworks(_Document):
    networks: dict[str, _Endpoint | None] | None = None


class ListedUser(_Document):
    """A row of GET /containers/json, as far as it tells of other objects."""

    id: str
    names: list[str] | None = None
    image_id: str = Field(default="", alias="ImageID")
    mounts: list[_Mount] | None = None
    network_settings: _ListedNetworks | None = None
    size_rw: _Number = 0

    def user(self) -> ObjectUser:
        """Return it as the rest of the agent knows it."""
        networks = (self.network_settings and self.network_settings.networks) or {}
        own = [name.removeprefix("/") for name in self.names or [] if name.count("/") <= 1]
        return ObjectUser(
            id=self.id,
            name=own[0] if own else self.id[:12],
            image_id=self.image_id,
            volumes=tuple(
                mount.name for mount in self.mounts or [] if mount.type == "volume" and mount.name
            ),
            networks=tuple(
                each
                for name, endpoint in networks.items()
                for each in (name, endpoint.network_id if endpoint else "")
                if each
            ),
        )


class ImageSize(_Document):
    """A row of GET /images/json, or of `Images` in GET /system/df, as far as sizes go."""

    id: str
    size: _Number = 0
    shared_size: _Number = _NOT_TOLD


class _UsageData(_Document):
    size: _Number = _NOT_TOLD


class Volume(_Document):
    """A row of `Volumes` in GET /volumes and in GET /system/df."""

    name: str
    driver: str = "local"
    created_at: _Moment = None
    mountpoint: str = ""
    labels: dict[str, str] | None = None
    usage_data: _UsageData | None = None

    def volume(self) -> StoredVolume:
        """Return it as the rest of the agent knows it."""
        size = self.usage_data.size if self.usage_data else _NOT_TOLD
        return StoredVolume(
            name=self.name,
            driver=self.driver,
            anonymous=_ANONYMOUS in (self.labels or {}) or bool(_HEX_ID.fullmatch(self.name)),
            created_at=self.created_at,
            mountpoint=self.mountpoint or None,
            labels=self.labels or {},
            size_bytes=size if size > _NOT_TOLD else None,
        )


class Volumes(_Document):
    """The answer of GET /volumes."""

    volumes: list[Volume] | None = None


class _Pool(_Document):
    subnet: str = ""


class _Ipam(_Document):
    config: list[_Pool] | None = None


class Network(_Document):
    """A row of GET /networks."""

    id: str
    name: str
    driver: str = ""
    scope: str = "local"
    internal: bool = False
    ingress: bool = False
    created: _Moment = None
    ipam: _Ipam | None = Field(default=None, alias="IPAM")
    labels: dict[str, str] | None = None

    def network(self) -> StoredNetwork:
        """Return it as the rest of the agent knows it."""
        pools = (self.ipam and self.ipam.config) or []
        return StoredNetwork(
            id=self.id,
            name=self.name,
            driver=self.driver,
            scope=self.scope,
            internal=self.internal,
            ingress=self.ingress,
            created_at=self.created,
            subnets=tuple(pool.subnet for pool in pools if pool.subnet),
            labels=self.labels or {},
        )


class Cache(_Document):
    """A row of `BuildCache` in GET /system/df. Docker 23 to 28 writes " Parents", with a space."""

    id: str = Field(alias="ID")
    description: str = ""
    in_use: bool = False
    shared: bool = False
    size: _Number = 0
    last_used_at: _Moment = None
    parent: str = ""
    parents: list[str] | None = Field(
        default=None, validation_alias=AliasChoices("Parents", " Parents")
    )

    def record(self) -> CacheRecord:
        """Return it as the rest of the agent knows it."""
        return CacheRecord(
            id=self.id,
            description=self.description,
            size_bytes=max(self.size, 0),
            in_use=self.in_use,
            shared=self.shared,
            parents=tuple(self.parents or ([self.parent] if self.parent else [])),
            last_used_at=self.last_used_at,
        )


class DiskUsage(_Document):
    """The answer of GET /system/df; what was not asked for is null."""

    layers_size: _Number = 0
    images: list[ImageSize] | None = None
    containers: list[ListedUser] | None = None
    volumes: list[Volume] | None = None
    build_cache: list[Cache] | None = None


class Pruned(_Document):
    """The answer of POST /build/prune."""

    caches_deleted: list[str] | None = None
    space_reclaimed: _Number = 0


def unique_sizes(rows: list[ImageSize]) -> dict[str, int]:
    """Return what each image has for itself, of those that tell."""
    return {
        row.id if ":" in row.id else f"sha256:{row.id}": max(row.size - row.shared_size, 0)
        for row in rows
        if row.shared_size > _NOT_TOLD
    }
