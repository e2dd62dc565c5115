"""What an agent can be asked and told about images, volumes, networks and the room they take."""

from typing import Final

from .models import (
    CommandResult,
    DiskUsage,
    Image,
    ImageList,
    MeasureBody,
    Network,
    NetworkList,
    PruneBody,
    PrunePreview,
    PruneQuery,
    Volume,
    VolumeList,
)
from .parse import reader
from .requests import Requests

MEASURING_TIMEOUT_S: Final = 120.0
"""Docker measures all volumes before it answers."""

_DISK_USAGE = reader(DiskUsage)
_IMAGES = reader(ImageList)
_NETWORKS = reader(NetworkList)
_PREVIEW = reader(PrunePreview)
_VOLUMES = reader(VolumeList)


class ObjectsApi:
    """The images, volumes and networks of one agent's host."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def images(self) -> tuple[Image, ...]:
        """Return all images, the largest first."""
        return (await self._requests.get(_IMAGES, "images")).images

    async def volumes(self) -> tuple[Volume, ...]:
        """Return all volumes, by name."""
        return (await self._requests.get(_VOLUMES, "volumes")).volumes

    async def networks(self) -> tuple[Network, ...]:
        """Return all networks, by name."""
        return (await self._requests.get(_NETWORKS, "networks")).networks

    async def disk_usage(self) -> DiskUsage:
        """Return what Docker's objects took when that was last measured."""
        return await self._requests.get(_DISK_USAGE, "disk-usage")

    async def measure_disk_usage(self, body: MeasureBody) -> CommandResult:
        """Measure now what Docker's objects take."""
        return await self._requests.command("disk-usage", "measure", body=body, wait_s=body.wait_s)

    async def preview_prune(self, query: PruneQuery) -> PrunePreview:
        """Return what a clean-up would remove."""
        return await self._requests.get(
            _PREVIEW, "prune", query=query, timeout_s=MEASURING_TIMEOUT_S
        )

    async def prune(self, body: PruneBody) -> CommandResult:
        """Remove what a preview showed, and nothing else."""
        return await self._requests.command(
            "prune", body=body, wait_s=body.wait_s, besides_s=MEASURING_TIMEOUT_S
        )
