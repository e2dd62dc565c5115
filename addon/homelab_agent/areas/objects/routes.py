"""The routes of images, volumes, networks and disk use."""

from homelab_agent.areas.objects.models import (
    IMAGE_KIND,
    NETWORK_KIND,
    VOLUME_KIND,
    DiskUsage,
    ImageList,
    MeasureBody,
    NetworkList,
    PruneBody,
    PruneKind,
    PrunePreview,
    PruneQuery,
    RemoveVolumeQuery,
    VolumeList,
)
from homelab_agent.areas.objects.service import ObjectService
from homelab_agent.platform.commands import Caller, Scope, command
from homelab_agent.platform.commands import query as declare_query
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.jobs.models import CommandResult


class ObjectRoutes:
    """Images, volumes and networks: look at them, see what they take, clean up."""

    def __init__(self, service: ObjectService) -> None:
        self._service = service

    @declare_query("images.list", "/images")
    async def images(self) -> ImageList:
        """List the images of this host, the largest first."""
        return await self._service.images()

    @declare_query("volumes.list", "/volumes")
    async def volumes(self) -> VolumeList:
        """List the volumes of this host, by name."""
        return await self._service.volumes()

    @declare_query("networks.list", "/networks")
    async def networks(self) -> NetworkList:
        """List the networks of this host, by name."""
        return await self._service.networks()

    @declare_query("disk_usage.get", "/disk-usage")
    async def disk_usage(self) -> DiskUsage:
        """Return what everything took when it was last measured."""
        return self._service.disk_usage()

    @command(
        "disk_usage.measure",
        "POST",
        "/disk-usage/measure",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def measure(self, body: MeasureBody, caller: Caller) -> CommandResult:
        """Measure the disk use now."""
        return await self._service.measure(caller, body.wait_s)

    @declare_query("prune.preview", "/prune")
    async def preview(self, query: PruneQuery) -> PrunePreview:
        """Return what a prune would remove and keep, and why."""
        return await self._service.preview(_kinds(query.kinds))

    # It has no one target to protect: what is protected is in no preview.
    @command("prune.run", "POST", "/prune", scope=Scope.ADMIN, dangerous=False)
    async def prune(self, body: PruneBody, caller: Caller) -> CommandResult:
        """Remove exactly what a preview showed."""
        return await self._service.prune(body.kinds, body.hash, caller, body.wait_s)

    @command("images.remove", "DELETE", "/images/{name}", scope=Scope.ADMIN, target=IMAGE_KIND)
    async def remove_image(self, name: str) -> CommandResult:
        """Remove an image that no container uses."""
        return await self._service.remove_image(name)

    @command("volumes.remove", "DELETE", "/volumes/{name}", scope=Scope.ADMIN, target=VOLUME_KIND)
    async def remove_volume(self, name: str, query: RemoveVolumeQuery) -> CommandResult:
        """Remove a volume that no container uses, and its data."""
        return await self._service.remove_volume(name, query.confirm)

    @command(
        "networks.remove", "DELETE", "/networks/{name}", scope=Scope.ADMIN, target=NETWORK_KIND
    )
    async def remove_network(self, name: str) -> CommandResult:
        """Remove a network that no container is in."""
        return await self._service.remove_network(name)


def _kinds(text: str) -> tuple[PruneKind, ...]:
    try:
        return tuple(PruneKind(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise Invalid(
            f"kinds: {error}.", field="kinds", hint=f"Known are: {', '.join(PruneKind)}."
        ) from None
