"""The agent replaces itself: a helper container does it, as nobody can stop himself and go on.

The job waits for the helper in this life of the agent or in the next, and tells how it ended.
"""

import asyncio
from dataclasses import replace

from pydantic_core import to_json

from homelab_agent.areas.recreate.container_steps import ContainerSteps
from homelab_agent.areas.recreate.facts import Facts, Found, NewImage
from homelab_agent.areas.recreate.hands import Hands
from homelab_agent.areas.recreate.models import RecreateResult, RecreateTarget
from homelab_agent.areas.recreate.store import Kept
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.engine.models import ContainerState, EngineContainer
from homelab_agent.platform.errors import Failed, NotFound, TimedOut
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.model import Model

SELF_UPDATE_KIND = "agent.update"
JOB_LABEL = "homelab.job"

_HELPER = "hand over to"
_WAIT = "wait for the new"
_LONGEST_S = 3600.0
_LOOK_S = 1.0
_LAST_LINES = 20

_DECIDED = frozenset({0, 2})
"""The exit codes of a helper that came to an end: the new container runs, or the old one."""

_ENDED = frozenset({ContainerState.EXITED, ContainerState.DEAD})


class SelfUpdateArguments(Model):
    """The agent's own container, and what it is to be made from."""

    target: RecreateTarget


class SelfUpdate:
    """The job that updates the agent itself."""

    def __init__(self, hands: Hands) -> None:
        # The agent is protected from everybody but this.
        self._hands = replace(hands, guard=lambda _row: None)

    def kind(self) -> JobKind[SelfUpdateArguments]:
        """Return the kind of job."""
        return JobKind(
            name=SELF_UPDATE_KIND,
            arguments=SelfUpdateArguments,
            steps=self._steps,
            recovery=Recovery.GO_ON,
        )

    def _steps(self, arguments: SelfUpdateArguments) -> tuple[Step[SelfUpdateArguments], ...]:
        target = arguments.target
        own: ContainerSteps[SelfUpdateArguments] = ContainerSteps(target, [target], self._hands)
        return (
            own.look(),
            own.image(),
            Step(name=_HELPER, do=self._hand_over, undo=self._remove_helper),
            Step(name=_WAIT, do=self._wait),
        )

    async def _hand_over(self, context: StepContext[SelfUpdateArguments]) -> StepResult:
        found, image = _known(context)
        target = context.arguments.target
        if not _facts(context).is_needed(target):
            return StepResult(needed=False)
        name = _helper_name(target)
        if await self._row(name) is not None:
            # It was started before a crash, perhaps by this very update coming so far.
            return StepResult()
        order = target.model_copy(update={"image": image.image, "image_id": image.image_id})
        await self._hands.recreate.start_helper(
            found.original.id,
            name=name,
            image=image.image_id,
            command=(
                *("homelab-agent", "replace-container"),
                *("--job", context.job_id, to_json(order).decode()),
            ),
            labels={JOB_LABEL: context.job_id},
        )
        return StepResult(message="A helper container takes over; the agent will be back soon.")

    async def _wait(self, context: StepContext[SelfUpdateArguments]) -> StepResult:
        found, image = _known(context)
        target = context.arguments.target
        if not _facts(context).is_needed(target):
            return StepResult(needed=False)
        helper = await self._ended_helper(_helper_name(target))
        said = await self._last_words(helper)
        if helper.exit_code != 0:
            await self._note(target, found, image, Outcome.UNDONE, said)
            raise Failed(f"The new agent did not prove itself: {said}")
        await self._hands.recreate.remove(helper.id, own_volumes=True)
        await self._note(target, found, image, Outcome.DONE, None)
        return StepResult(message=f"The agent runs {image.image} ({image.version}) now.")

    async def _remove_helper(self, context: StepContext[SelfUpdateArguments]) -> None:
        row = await self._row(_helper_name(context.arguments.target))
        if row is not None:
            await self._hands.recreate.remove(row.id, own_volumes=True)

    async def _ended_helper(self, name: str) -> EngineContainer:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _LONGEST_S
        while loop.time() < give_up:
            row = await self._row(name)
            if row is None:
                raise NotFound("The helper container was removed by somebody")
            if row.state in _ENDED and row.exit_code in _DECIDED:
                return row
            if row.state in _ENDED:
                # It was ended from outside, as by an engine that ended itself: it goes on.
                await self._hands.containers.start(row.id)
            report(None, "The helper container replaces the agent")
            await asyncio.sleep(_LOOK_S)
        raise TimedOut(f"The helper container did not end within {_LONGEST_S:g} s")

    async def _last_words(self, helper: EngineContainer) -> str:
        lines = await self._hands.containers.logs(
            helper.id, tail=_LAST_LINES, since=None, until=None
        )
        said = [line.text for line in lines if line.text.strip()]
        words = said[-1] if said else f"the helper ended with exit code {helper.exit_code}"
        return self._hands.secrets.mask(words).removeprefix("homelab-agent: ")

    async def _note(
        self,
        target: RecreateTarget,
        found: Found,
        image: NewImage,
        outcome: Outcome,
        reason: str | None,
    ) -> None:
        record = await self._hands.book.read(target.key)
        kept = record.kept
        if outcome is Outcome.DONE:
            original = found.original
            kept = Kept(image=original.image, image_id=original.image_id, version=image.old_version)
        last = RecreateResult(
            action=target.action,
            outcome=outcome,
            at=self._hands.book.now(),
            from_image=found.original.image,
            to_image=image.image,
            from_version=image.old_version,
            to_version=image.version,
            reason=reason,
        )
        await self._hands.book.write(
            target.key, record.model_copy(update={"kept": kept, "last": last, "pending": None})
        )

    async def _row(self, name: str) -> EngineContainer | None:
        try:
            return await self._hands.containers.inspect(name)
        except NotFound:
            return None


def _facts(context: StepContext[SelfUpdateArguments]) -> Facts:
    return Facts([context.arguments.target], context.data)


def _known(context: StepContext[SelfUpdateArguments]) -> tuple[Found, NewImage]:
    target, facts = context.arguments.target, _facts(context)
    found, image = facts.found(target), facts.image(target)
    if found is None or image is None:
        raise ValueError("the agent's own container was not looked at before")
    return found, image


def _helper_name(target: RecreateTarget) -> str:
    return f"{target.name}-homelab-helper"
