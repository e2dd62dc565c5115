"""What can be asked of images, volumes, networks and disk use, and cleaned up."""

import hmac

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.objects.disk_meter import DiskMeter
from homelab_agent.areas.objects.garbage import (
    image_name,
    is_builtin,
    preview,
    used_by,
)
from homelab_agent.areas.objects.inventory import ObjectInventory
from homelab_agent.areas.objects.measure_job import MEASURE_JOB, MeasureArguments
from homelab_agent.areas.objects.models import (
    DISK_USAGE_KEY,
    DiskUsage,
    Image,
    ImageList,
    Network,
    NetworkList,
    PruneKind,
    PrunePreview,
    StackVolumes,
    Volume,
    VolumeList,
)
from homelab_agent.areas.objects.prune_job import PRUNE_JOB, PruneArguments, remove_image
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Caller, Outcome
from homelab_agent.platform.engine.images import EngineImage, ImageEngine
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT, label_protection
from homelab_agent.platform.engine.objects import ObjectEngine, StoredNetwork, StoredVolume
from homelab_agent.platform.errors import Busy, Conflict, Invalid, NotFound
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner

PRUNE_TARGET = "prune"
_SHORTEST_ID = 12


class ObjectService:
    """The objects of this host, as the engine has them now; only sizes of volumes are older."""

    def __init__(
        self,
        objects: ObjectEngine,
        images: ImageEngine,
        inventory: ObjectInventory,
        containers: ContainerService,
        meter: DiskMeter,
        runner: JobRunner,
        clock: Clock,
    ) -> None:
        self._objects = objects
        self._images = images
        self._inventory = inventory
        self._containers = containers
        self._meter = meter
        self._runner = runner
        self._clock = clock

    async def images(self) -> ImageList:
        """Return all images, the largest first."""
        found, unique = await self._inventory.images()
        users = await self._inventory.users()
        rows = [
            Image(
                id=each.id,
                tags=each.tags,
                digests=each.digests,
                created_at=each.created_at,
                size_bytes=each.size_bytes,
                unique_bytes=unique.get(each.id),
                dangling=not each.tags,
                containers=users.of_image(each),
            )
            for each in found
        ]
        return ImageList(images=tuple(sorted(rows, key=lambda row: (-row.size_bytes, row.id))))

    async def volumes(self) -> VolumeList:
        """Return all volumes, by name; their sizes as last measured."""
        found, users = await self._objects.volumes(), await self._inventory.users()
        rows = [
            Volume(
                name=each.name,
                driver=each.driver,
                created_at=each.created_at,
                mountpoint=each.mountpoint,
                anonymous=each.anonymous,
                labels=each.labels,
                size_bytes=self._meter.volume_bytes.get(each.name),
                containers=users.of_volume(each),
            )
            for each in found
        ]
        return VolumeList(volumes=tuple(sorted(rows, key=lambda row: row.name)))

    async def networks(self) -> NetworkList:
        """Return all networks, by name."""
        found, users = await self._objects.networks(), await self._inventory.users()
        rows = [
            Network(
                id=each.id,
                name=each.name,
                driver=each.driver,
                scope=each.scope,
                internal=each.internal,
                builtin=is_builtin(each),
                subnets=each.subnets,
                containers=users.of_network(each),
            )
            for each in found
        ]
        return NetworkList(networks=tuple(sorted(rows, key=lambda row: (row.name, row.id))))

    def disk_usage(self) -> DiskUsage:
        """Return the last measurement; `NotFound` before the first, which needs the engine."""
        if self._meter.last is None:
            self._containers.require_readable()
            raise NotFound(
                "The disk use was not measured yet.", hint="POST /api/v1/disk-usage/measure"
            )
        return self._meter.last

    async def measure(self, caller: Caller, wait_s: float) -> CommandResult:
        """Measure the disk use now; who asks while it is measured shares the result."""
        try:
            job = await self._runner.start(
                MEASURE_JOB, f"disk_usage:{DISK_USAGE_KEY}", MeasureArguments(), caller
            )
            job_id = job.id
        except Busy as busy:
            job_id = str(busy.extra["job_id"])
        ended = await self._runner.wait(job_id, wait_s)
        return answer(ended, meanwhile="The disk use is still being measured.")

    async def preview(self, kinds: tuple[PruneKind, ...]) -> PrunePreview:
        """Return what a prune of these kinds would remove, what it would keep, and why."""
        found = await self._inventory.everything(kinds)
        return preview(kinds, found, self._meter.volume_bytes, self._clock())

    async def prune(
        self, kinds: tuple[PruneKind, ...], shown: str, caller: Caller, wait_s: float
    ) -> CommandResult:
        """Remove what a preview showed; `Conflict` where it would be something else by now."""
        found = await self.preview(kinds)
        if not hmac.compare_digest(found.hash.encode(), shown.encode()):
            raise Conflict(
                "What would go is not what the preview showed: something changed since.",
                field="hash",
                hint="Look at a new preview and send its hash.",
            )
        if not found.items:
            return CommandResult(
                outcome=Outcome.NOT_NEEDED, message="There is nothing to clean up."
            )
        arguments = PruneArguments(kinds=kinds, items=found.items, holds=self._held(found))
        job = await self._runner.start(PRUNE_JOB, PRUNE_TARGET, arguments, caller)
        ended = await self._runner.wait(job.id, wait_s)
        return answer(ended, meanwhile="It is still being cleaned up.")

    async def remove_image(self, name: str) -> CommandResult:
        """Remove an image by one of its names, or by its id with all of them.

        A name that is not its only one is all that goes.
        """
        image = await self._image(name)
        if name in image.tags and len(image.tags) > 1:
            await self._images.remove(name)
            return _done(f"The name {name} was removed; the image stays as {_others(image, name)}.")
        _refuse_used(f"The image {image_name(image)}", await self._users_of(image))
        await remove_image(self._images, image.id)
        return _done(f"The image {image_name(image)} was removed.")

    async def remove_volume(self, name: str, confirm: str) -> CommandResult:
        """Remove a volume and its data; `confirm` is its name once more."""
        if confirm != name:
            raise Invalid(
                f"The data of {name} would be gone for good: its name is needed twice.",
                field="confirm",
                hint=f"confirm={name}",
            )
        volume = await self._volume(name)
        users = await self._inventory.users()
        _refuse_used(f"The volume {name}", users.of_volume(volume))
        await self._objects.remove_volume(name)
        return _done(f"The volume {name} and its data were removed.")

    async def remove_network(self, name: str) -> CommandResult:
        """Remove a network by its name or id."""
        network = await self._network(name)
        if is_builtin(network):
            raise Conflict(f"The network {network.name} is Docker's own.", field="name")
        users = await self._inventory.users()
        _refuse_used(f"The network {network.name}", users.of_network(network))
        await self._objects.remove_network(network.id)
        return _done(f"The network {network.name} was removed.")

    async def image_protection(self, name: str) -> str | None:
        """Return why an image must not be removed; None where nothing protects it."""
        return _protection((await self._image(name)).labels)

    async def volume_protection(self, name: str) -> str | None:
        """Return why a volume must not be removed; None where nothing protects it."""
        return _protection((await self._volume(name)).labels)

    async def stack_volumes(self, stack: str) -> StackVolumes:
        """Return the volumes of a stack, and those of others that its containers use."""
        users = await self._inventory.users()
        containers = {
            each.key
            for each in users.containers
            if each.compose is not None and each.compose.project == stack
        }
        own: list[str] = []
        of_others: list[str] = []
        protected_reason = None
        for volume in sorted(await self._objects.volumes(), key=lambda each: each.name):
            if volume.labels.get(COMPOSE_PROJECT) == stack:
                own.append(volume.name)
                if protection := _protection(volume.labels):
                    protected_reason = f"The volume {volume.name}: {protection}"
            elif not volume.anonymous and containers & {*users.of_volume(volume)}:
                of_others.append(volume.name)
        return StackVolumes(
            own=tuple(own), of_others=tuple(of_others), protected_reason=protected_reason
        )

    async def network_protection(self, name: str) -> str | None:
        """Return why a network must not be removed; None where nothing protects it."""
        return _protection((await self._network(name)).labels)

    def _held(self, found: PrunePreview) -> tuple[str, ...]:
        going = [item.name for item in found.items if item.kind is PruneKind.CONTAINERS]
        return tuple(self._containers.get(name).key for name in going)

    async def _users_of(self, image: EngineImage) -> tuple[str, ...]:
        return (await self._inventory.users()).of_image(image)

    async def _image(self, name: str) -> EngineImage:
        for image in await self._images.list_images():
            if name in {image.id, *image.tags, *image.digests} or _is_short(name, image.id):
                return image
        raise _unknown("image", name)

    async def _volume(self, name: str) -> StoredVolume:
        for volume in await self._objects.volumes():
            if volume.name == name:
                return volume
        raise _unknown("volume", name)

    async def _network(self, name: str) -> StoredNetwork:
        found = [each for each in await self._objects.networks() if name in {each.id, each.name}]
        if not found:
            raise _unknown("network", name)
        if len(found) > 1:
            ids = ", ".join(each.id[:12] for each in found)
            raise Conflict(f"Several networks are called {name}.", field="name", hint=f"Ids: {ids}")
        return found[0]


def _is_short(name: str, image_id: str) -> bool:
    digits = name.removeprefix("sha256:")
    return len(digits) >= _SHORTEST_ID and image_id.removeprefix("sha256:").startswith(digits)


def _others(image: EngineImage, name: str) -> str:
    return ", ".join(tag for tag in image.tags if tag != name)


def _protection(labels: dict[str, str]) -> str | None:
    labelled = label_protection(labels)
    return labelled and f"{labelled} Use docker on the host."


def _refuse_used(what: str, users: tuple[str, ...]) -> None:
    if users:
        raise Conflict(
            f"{what} is in use. {used_by(users)}",
            field="name",
            hint="Remove these containers first.",
        )


def _unknown(what: str, name: str) -> NotFound:
    return NotFound(
        f"There is no {what} {name[:200]!r} on this host.",
        field="name",
        hint=f"GET /api/v1/{what}s lists them all.",
    )


def _done(message: str) -> CommandResult:
    return CommandResult(outcome=Outcome.DONE, message=message)
