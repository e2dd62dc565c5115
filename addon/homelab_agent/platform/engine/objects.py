"""What an engine keeps: volumes, networks, build cache, and the room that everything takes."""

from datetime import datetime
from typing import Protocol

from pydantic import Field

from homelab_agent.platform.model import Model


class ObjectUser(Model):
    """A container as far as it uses objects. `networks` are ids and names, as the engine gives."""

    id: str
    name: str
    image_id: str
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


class StoredVolume(Model):
    """A volume. `anonymous`: nobody named it. `size_bytes` is None where it was not measured."""

    name: str
    driver: str
    anonymous: bool = False
    created_at: datetime | None = None
    mountpoint: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    size_bytes: int | None = None


class StoredNetwork(Model):
    """A network."""

    id: str
    name: str
    driver: str
    scope: str = "local"
    internal: bool = False
    ingress: bool = False
    created_at: datetime | None = None
    subnets: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)


class CacheRecord(Model):
    """A piece of the build cache. `parents` are ids of those it builds on.

    `shared`: an image has it too, so that removing it frees nothing.
    """

    id: str
    description: str
    size_bytes: int
    in_use: bool
    shared: bool
    parents: tuple[str, ...] = ()
    last_used_at: datetime | None = None


class DiskMeasurement(Model):
    """What everything takes. `layers_bytes`: all images together, each layer once.

    `unique_bytes` is as with `ObjectEngine.unique_sizes`. `volumes` is None where they could not
    be measured.
    """

    layers_bytes: int
    unique_bytes: dict[str, int]
    containers_bytes: int
    volumes: tuple[StoredVolume, ...] | None
    cache: tuple[CacheRecord, ...]


class ObjectEngine(Protocol):
    """The objects of an engine. Raises the errors of `Engine`; `Conflict` for what is in use.

    Nothing is ever removed by force, and nothing but what is named.
    """

    async def users(self) -> tuple[ObjectUser, ...]:
        """Return every container, stopped ones included, with what it uses."""

    async def unique_sizes(self) -> dict[str, int]:
        """Return what removing each image alone would free, in bytes, by its id.

        Layers that it shares with others stay. An image whose share is not known is left out.
        """

    async def volumes(self) -> tuple[StoredVolume, ...]:
        """Return all volumes, unmeasured: that takes long."""

    async def networks(self) -> tuple[StoredNetwork, ...]:
        """Return all networks."""

    async def cache(self) -> tuple[CacheRecord, ...]:
        """Return the build cache; nothing for an engine that has none."""

    async def measure(self) -> DiskMeasurement:
        """Measure all objects. Takes minutes on a large host: keep it off every fast path."""

    async def container_sizes(self, container_ids: tuple[str, ...]) -> dict[str, int]:
        """Return what these containers have written into their own layers, in bytes, by id."""

    async def remove_container(self, container_id: str) -> None:
        """Remove a container that does not run; its volumes stay."""

    async def remove_volume(self, name: str) -> None:
        """Remove a volume and its data."""

    async def remove_network(self, network_id: str) -> None:
        """Remove a network."""

    async def remove_cache(self, record_id: str) -> int | None:
        """Remove one piece of the build cache; return the bytes freed, None where it stays."""
