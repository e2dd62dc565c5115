"""Removes what a preview showed, one thing at a time, and nothing else."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from homelab_agent.areas.objects.garbage import preview
from homelab_agent.areas.objects.inventory import ObjectInventory
from homelab_agent.areas.objects.models import PruneItem, PruneKind, PrunePreview
from homelab_agent.platform.amounts import size_text
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.engine.images import ImageEngine
from homelab_agent.platform.engine.objects import ObjectEngine
from homelab_agent.platform.errors import (
    AgentError,
    Conflict,
    Denied,
    Failed,
    NotFound,
    TimedOut,
    Unavailable,
)
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.model import Model

PRUNE_JOB = "prune.run"

_SHOWN = 5
"""How many of those that were skipped a message names."""

_WORDS = {
    PruneKind.CONTAINERS: "container",
    PruneKind.IMAGES: "image",
    PruneKind.UNUSED_IMAGES: "image",
    PruneKind.VOLUMES: "volume",
    PruneKind.NETWORKS: "network",
    PruneKind.BUILD_CACHE: "piece of build cache",
}


class PruneArguments(Model):
    """What goes, as it was shown. `holds` are the keys of the containers among it."""

    kinds: tuple[PruneKind, ...]
    items: tuple[PruneItem, ...]
    holds: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    removed: Counter[str] = field(default_factory=Counter)
    freed_bytes: int = 0
    skipped: list[str] = field(default_factory=list)
    refused: AgentError | None = None

    def words(self, wanted: int) -> str:
        count = self.removed.total()
        parts = ", ".join(_counted(number, what) for what, number in self.removed.items())
        text = f"Removed {count} of {wanted}"
        text += f" ({parts}); at least {size_text(self.freed_bytes)} freed." if count else "."
        if self.skipped:
            more = len(self.skipped) - _SHOWN
            text += f" Skipped: {' '.join(self.skipped[:_SHOWN])}"
            text += f" And {more} more." if more > 0 else ""
        return text


class PruneJob:
    """The job that prunes. What is no garbage any more when its turn comes is skipped."""

    def __init__(
        self,
        inventory: ObjectInventory,
        images: ImageEngine,
        objects: ObjectEngine,
        clock: Clock,
    ) -> None:
        self._inventory = inventory
        self._images = images
        self._objects = objects
        self._clock = clock

    def kind(self) -> JobKind[PruneArguments]:
        """Return the kind of this job. Interrupted, it goes on: what is gone already is gone."""
        return JobKind(
            name=PRUNE_JOB,
            arguments=PruneArguments,
            steps=(Step(name="prune", do=self._prune),),
            recovery=Recovery.GO_ON,
            holds=lambda arguments: arguments.holds,
        )

    async def _prune(self, context: StepContext[PruneArguments]) -> StepResult:
        items, tally = context.arguments.items, _Tally()
        now = await self._look(context.arguments.kinds)
        verdicts = {(item.kind, item.id): item for item in now.items}
        kept = {(item.kind, item.id): item.reason for item in now.kept}
        for number, item in enumerate(items):
            report(number / len(items), f"Removing {item.name}")
            place = (item.kind, item.id)
            found = verdicts.get(place)
            if found is None and place not in kept:
                if context.again:
                    _count(tally, item, item.size_bytes)
                else:
                    tally.skipped.append(f"{item.name}: it is gone already.")
            elif found is None or found.name != item.name:
                tally.skipped.append(f"{item.name}: {kept.get(place, 'it has changed.')}")
            else:
                await self._take(found, tally, len(items))
        if tally.refused and not tally.removed:
            raise tally.refused
        return StepResult(needed=bool(tally.removed), message=tally.words(len(items)))

    async def _look(self, kinds: tuple[PruneKind, ...]) -> PrunePreview:
        return preview(kinds, await self._inventory.everything(kinds), {}, self._clock())

    async def _take(self, item: PruneItem, tally: _Tally, wanted: int) -> None:
        try:
            freed = await self._remove(item)
        except NotFound:
            tally.skipped.append(f"{item.name}: it is gone already.")
        except Conflict as error:
            tally.skipped.append(f"{item.name}: {error.message}")
        except (Denied, Failed, TimedOut) as error:
            tally.refused = tally.refused or error
            tally.skipped.append(f"{item.name}: {error.message}")
        except Unavailable as error:
            raise Unavailable(
                f"{error.message} {tally.words(wanted)}", hint=error.hint, extra=error.extra
            ) from error
        else:
            _count(tally, item, freed)

    async def _remove(self, item: PruneItem) -> int | None:
        """Remove one thing and return the bytes that are known to be freed."""
        removers: dict[PruneKind, Callable[[str], Awaitable[None]]] = {
            PruneKind.CONTAINERS: self._objects.remove_container,
            PruneKind.VOLUMES: self._objects.remove_volume,
            PruneKind.NETWORKS: self._objects.remove_network,
        }
        if item.kind is PruneKind.BUILD_CACHE:
            freed = await self._objects.remove_cache(item.id)
            if freed is None:
                raise Conflict("something builds on it.")
            return freed
        if item.kind in removers:
            await removers[item.kind](item.id)
        else:
            await remove_image(self._images, item.id)
        return item.size_bytes


async def remove_image(images: ImageEngine, image_id: str) -> None:
    """Remove an image with all its names, one after the other: nothing is taken by force.

    Raises `Conflict` when a container uses it, `NotFound` when it is gone.
    """
    image = await images.inspect(image_id)
    for name in (*image.tags, *image.digests):
        try:
            await images.remove(name)
        except NotFound:
            # The last name of a repository takes its digest along.
            continue
    try:
        await images.remove(image.id)
    except NotFound:
        return


def _count(tally: _Tally, item: PruneItem, freed: int | None) -> None:
    tally.removed[_WORDS[item.kind]] += 1
    tally.freed_bytes += freed or 0


def _counted(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    return f"{number} {'pieces of build cache' if ' ' in what else f'{what}s'}"
