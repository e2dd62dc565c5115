"""The steps that replace one container, each with its way back. Every one stands being repeated.

The old container is set aside and never removed before the new one has proved itself.
"""

from collections.abc import Awaitable, Callable, Sequence

from homelab_agent.areas.recreate.facts import (
    CREATE,
    IMAGE,
    KEEP,
    LOOK,
    START,
    STOP,
    VERIFY,
    Facts,
    Found,
    NewImage,
    step_name,
)
from homelab_agent.areas.recreate.hands import Hands
from homelab_agent.areas.recreate.image_choice import ImageChoice
from homelab_agent.areas.recreate.models import NEW_SUFFIX, OLD_SUFFIX, RecreateTarget
from homelab_agent.areas.recreate.outcome import OutcomeNotes
from homelab_agent.areas.recreate.verification import Verification, require_provable
from homelab_agent.platform.engine.models import IN_USE, ContainerState, EngineContainer
from homelab_agent.platform.engine.recreate import NEVER_RESTART
from homelab_agent.platform.errors import AgentError, Conflict, NotFound, Protected
from homelab_agent.platform.jobs.kinds import Step, StepContext, StepResult
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model

_NOT_NEEDED = StepResult(needed=False)

_log = get_logger(__name__)


class ContainerSteps[Arguments: Model]:
    """Makes one container anew; `targets` are all of the job."""

    def __init__(
        self, target: RecreateTarget, targets: Sequence[RecreateTarget], hands: Hands
    ) -> None:
        self._target = target
        self._targets = targets
        self._hands = hands
        self._images = ImageChoice(hands)
        self._notes = OutcomeNotes(hands, target)

    def look(self) -> Step[Arguments]:
        """Make sure that it may be touched, and remember how it is."""
        return self._step(LOOK, self._look)

    def image(self) -> Step[Arguments]:
        """Have the image that it is to be made from."""
        return self._step(IMAGE, self._image)

    def create(self) -> Step[Arguments]:
        """Make the new container beside the old one."""
        return self._step(CREATE, self._create, self._remove_new)

    def stop(self) -> Step[Arguments]:
        """Stop the old one and set it aside."""
        return self._step(STOP, self._set_aside, self._put_back)

    def start(self) -> Step[Arguments]:
        """Let the new one have the name, and run where the old one ran."""
        return self._step(START, self._start, self._take_away)

    def verify(self) -> Step[Arguments]:
        """Wait until the new one has proved itself."""
        return self._step(VERIFY, self._verify)

    def keep(self) -> Step[Arguments]:
        """Remove the old one and keep its image."""
        return self._step(KEEP, self._keep)

    def _step(
        self,
        verb: str,
        do: Callable[[StepContext[Arguments]], Awaitable[StepResult]],
        undo: Callable[[StepContext[Arguments]], Awaitable[None]] | None = None,
    ) -> Step[Arguments]:
        patience = self._hands.patience

        async def done(context: StepContext[Arguments]) -> StepResult:
            facts = self._facts(context)
            if verb not in {LOOK, IMAGE} and not facts.is_needed(self._target):
                return _NOT_NEEDED
            try:
                return await patience.insist(do, context, once_more=verb != IMAGE)
            except AgentError as error:
                raise await self._notes.failed(verb, facts, error) from error

        async def undone(context: StepContext[Arguments]) -> None:
            if undo is not None:
                await patience.insist(undo, context)

        name = step_name(verb, self._target)
        return Step(name=name, do=done, undo=undone if undo else None)

    async def _look(self, _context: StepContext[Arguments]) -> StepResult:
        row = await self._hands.containers.inspect(self._target.container_id)
        self._require_unprotected(row)
        original = await self._hands.recreate.look(row.id)
        if original.refusal:
            raise Conflict(f"{row.name} cannot be made anew. {original.refusal}", field="name")
        if row.state in {ContainerState.REMOVING, ContainerState.DEAD}:
            raise Conflict(f"{row.name} is being removed.", field="name")
        await require_provable(self._hands, row)
        await self._require_free(f"{row.name}{OLD_SUFFIX}")
        if left_over := await self._row(f"{row.name}{NEW_SUFFIX}"):
            self._require_unprotected(left_over)
        local_id = await self._images.local_id(self._target.image or original.image)
        found = Found(original=original, local_id=local_id)
        return StepResult(
            {step_name(LOOK, self._target): found.model_dump(mode="json")}, needed=False
        )

    async def _image(self, context: StepContext[Arguments]) -> StepResult:
        found = self._found(context)
        image = await self._images.choose(self._target, found)
        is_new = image.image_id != found.original.image_id
        has_newest = not is_new and not self._target.only_with_them
        return StepResult(
            {step_name(IMAGE, self._target): image.model_dump(mode="json")},
            needed=is_new,
            message=f"{self._target.name} has the newest {image.image}." if has_newest else None,
        )

    async def _create(self, context: StepContext[Arguments]) -> StepResult:
        found, image = self._found(context), self._new_image(context)
        name = f"{found.original.name}{NEW_SUFFIX}"
        await self._remove_left_over(name)
        new_id = await self._hands.recreate.create(
            found.original,
            name=name,
            image=image.image,
            image_id=image.image_id,
            replaced=self._facts(context).replaced(self._target),
        )
        row = await self._hands.containers.inspect(found.original.id)
        await self._hands.recreate.copy_files(row.id, new_id, await self._hands.injected(row))
        return StepResult({step_name(CREATE, self._target): new_id})

    async def _remove_new(self, context: StepContext[Arguments]) -> None:
        original = self._found(context).original
        new = await self._row(self._facts(context).new_id(self._target) or "")
        if new is None:
            await self._remove_left_over(f"{original.name}{NEW_SUFFIX}")
        elif new.name == original.name:
            # The old one is gone: what runs under its name is better than nothing.
            raise Conflict(f"The new {new.name} was left as it is")
        else:
            await self._remove(new.id, own_volumes=True)
        facts = self._facts(context)
        image = facts.image(self._target)
        if image is not None:
            await self._images.take_back(self._target, self._found(context), image)
        try:
            await self._let_run(original.id, self._found(context))
        finally:
            await self._notes.undone(facts)

    async def _set_aside(self, context: StepContext[Arguments]) -> StepResult:
        original = self._found(context).original
        row = await self._hands.containers.inspect(original.id)
        aside = f"{original.name}{OLD_SUFFIX}"
        if row.name != aside:
            self._require_unprotected(row)
        if original.restart_policy != NEVER_RESTART:
            # Else the engine would start it again beside the new one when it is itself restarted.
            await self._hands.recreate.set_restart_policy(original.id, NEVER_RESTART)
        await self._stop_gently(row)
        if row.name != aside:
            await self._hands.recreate.rename(original.id, aside)
        return StepResult()

    async def _put_back(self, context: StepContext[Arguments]) -> None:
        found = self._found(context)
        original = found.original
        row = await self._row(original.id)
        if row is None:
            raise NotFound(f"The old {original.name} was removed by somebody meanwhile")
        if row.name != original.name:
            await self._hands.recreate.rename(original.id, original.name)
        if original.restart_policy != NEVER_RESTART:
            await self._hands.recreate.set_restart_policy(original.id, original.restart_policy)
        if found.ran and row.state not in IN_USE:
            await self._hands.containers.start(original.id)
        if original.state is ContainerState.PAUSED and row.state is not ContainerState.PAUSED:
            await self._hands.containers.pause(original.id)
        await self._hands.look(original.id)

    async def _start(self, context: StepContext[Arguments]) -> StepResult:
        found, new_id = self._found(context), self._require_new(context)
        row = await self._hands.containers.inspect(new_id)
        if row.name != found.original.name:
            await self._hands.recreate.rename(new_id, found.original.name)
        if found.ran and row.state not in IN_USE:
            await self._hands.containers.start(new_id)
        return StepResult()

    async def _take_away(self, context: StepContext[Arguments]) -> None:
        original = self._found(context).original
        if await self._row(original.id) is None:
            raise Conflict(
                f"The old {original.name} was removed by somebody meanwhile; "
                "the new one is left as it is"
            )
        row = await self._row(self._require_new(context))
        if row is None:
            return
        await self._stop_gently(row)
        if row.name == original.name:
            await self._hands.recreate.rename(row.id, f"{original.name}{NEW_SUFFIX}")

    async def _verify(self, context: StepContext[Arguments]) -> StepResult:
        found, new_id = self._found(context), self._require_new(context)
        if not found.ran:
            return StepResult(message=f"{found.original.name} was made anew, and is stopped.")
        proof = await Verification(self._hands, new_id, found.original.name).run()
        if found.original.state is ContainerState.PAUSED:
            await self._hands.containers.pause(new_id)
            proof = f"{proof}, and is paused again"
        return StepResult(message=f"The new {found.original.name} {proof}.")

    async def _keep(self, context: StepContext[Arguments]) -> StepResult:
        """From here on there is no way back: whatever fails here is told, and undoes nothing."""
        found, image = self._found(context), self._new_image(context)
        words = _done_words(found, image)
        try:
            await self._hands.patience.insist(self._clear_away, context)
        except AgentError as error:
            _log.warning("old_container_left", container=found.original.name, why=error.message)
            words += f" Its predecessor {found.original.name}{OLD_SUFFIX} could not be removed."
        await self._notes.done(found.original, image)
        return StepResult(message=words)

    async def _clear_away(self, context: StepContext[Arguments]) -> None:
        found, image = self._found(context), self._new_image(context)
        await self._let_run(self._require_new(context), found)
        await self._images.keep(self._target.key, found, image)
        await self._remove(found.original.id, own_volumes=False)
        await self._hands.look(self._require_new(context))

    def _require_unprotected(self, row: EngineContainer) -> None:
        if reason := self._hands.guard(row):
            raise Protected(reason, field="name")

    async def _require_free(self, name: str) -> None:
        if await self._row(name) is not None:
            raise Conflict(
                f"There is a container {name}, left over from an earlier update.",
                hint=f"Look at it, and remove it with docker rm {name} if it is not needed.",
            )

    async def _remove_left_over(self, name: str) -> None:
        """Remove what an interrupted or failed attempt made: it never held anything."""
        row = await self._row(name)
        if row is None:
            return
        if row.state in IN_USE:
            raise Conflict(f"There is a running container {name}; it is not known whose it is.")
        self._require_unprotected(row)
        await self._remove(row.id, own_volumes=True)

    async def _remove(self, container_id: str, *, own_volumes: bool) -> None:
        if await self._row(container_id) is not None:
            await self._hands.recreate.remove(container_id, own_volumes=own_volumes)

    async def _let_run(self, container_id: str, found: Found) -> None:
        """Start what an engine that was itself restarted meanwhile has ended and not started."""
        row = await self._row(container_id)
        if row is not None and found.ran and row.state not in IN_USE:
            await self._hands.containers.start(row.id)

    async def _stop_gently(self, row: EngineContainer) -> None:
        if row.state is ContainerState.PAUSED:
            # Frozen, it could not heed the signal.
            await self._hands.containers.unpause(row.id)
        if row.state in IN_USE:
            await self._hands.containers.stop(row.id, None)

    async def _row(self, name_or_id: str) -> EngineContainer | None:
        if not name_or_id:
            return None
        try:
            return await self._hands.containers.inspect(name_or_id)
        except NotFound:
            return None

    def _facts(self, context: StepContext[Arguments]) -> Facts:
        return Facts(self._targets, context.data)

    def _found(self, context: StepContext[Arguments]) -> Found:
        found = self._facts(context).found(self._target)
        if found is None:
            raise ValueError(f"{self._target.key} was not looked at before")
        return found

    def _new_image(self, context: StepContext[Arguments]) -> NewImage:
        image = self._facts(context).image(self._target)
        if image is None:
            raise ValueError(f"no image was chosen for {self._target.key}")
        return image

    def _require_new(self, context: StepContext[Arguments]) -> str:
        new_id = self._facts(context).new_id(self._target)
        if new_id is None:
            raise ValueError(f"{self._target.key} was not made anew before")
        return new_id


def _done_words(found: Found, image: NewImage) -> str:
    name = found.original.name
    if image.image_id == found.original.image_id:
        return f"{name} was made anew."
    if image.version and image.version != image.old_version:
        return f"{name} runs {image.image} ({image.version}) now."
    return f"{name} runs a newer {image.image} now."
