"""Running one job: forward step by step, and back again when one fails."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import AgentError, Denied, Failed, Protected, Unavailable
from homelab_agent.platform.jobs.journal import JobEntry, Journal, StepEntry
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext
from homelab_agent.platform.jobs.models import Job, JobError, JobState, StepState
from homelab_agent.platform.jobs.progress import Throttle, listening
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model

INTERRUPTED = "interrupted"
"""The code of a job that ended because the agent did."""

_REFUSALS = frozenset({Denied.code, Protected.code})

_FIRST_RETRY_S = 0.1
_LONGEST_RETRY_S = 30.0

_log = get_logger(__name__)


class LeftForRecovery(Exception):
    """The agent is ending; the journal knows how far the job is."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every job needs of the runner."""

    journal: Journal
    clock: Clock
    publish: Callable[[Job], None]
    closing: asyncio.Event
    progress_s: float


class Execution[Arguments: Model]:
    """One job, from where its journal stands to its end."""

    def __init__(
        self,
        kind: JobKind[Arguments],
        entry: JobEntry,
        arguments: Arguments,
        surroundings: Surroundings,
        *,
        recovered: bool = False,
    ) -> None:
        self.entry = entry
        self._kind = kind
        self._plan = kind.steps_for(arguments)
        self._arguments = arguments
        self._around = surroundings
        self._recovered = recovered
        self._unsaved: set[int] = set()
        self._fraction: float | None = None
        self._throttle = Throttle(self._publish, surroundings.progress_s)

    @property
    def held(self) -> frozenset[str]:
        """Every target that is this job's alone while it runs."""
        return self._kind.held_by(self.entry.target, self._arguments)

    async def run(self) -> None:
        """Bring the job to its end.

        Raises:
            LeftForRecovery: the agent is ending, and the journal is as far as it can be.
        """
        try:
            if self._recovered:
                await self._take_up_again()
            if self.entry.state is JobState.RUNNING:
                await self._go_forward()
            if self.entry.state is JobState.UNDOING:
                await self._go_back()
        finally:
            self._throttle.close()

    async def _take_up_again(self) -> None:
        if self.entry.state is JobState.RUNNING and self._kind.recovery is Recovery.UNDO:
            await self._turn_back(
                JobError(
                    code=INTERRUPTED,
                    message="The agent ended while this job ran",
                    hint="Start it again if it is still wanted",
                )
            )
        else:
            self._publish()

    async def _go_forward(self) -> None:
        for position, (step, record) in enumerate(self._steps()):
            if record.state is StepState.DONE:
                continue
            again = self._recovered and record.state is StepState.DOING
            await self._enter(position, StepState.DOING)
            try:
                await self._do(step, record, again=again)
            except Exception as error:  # noqa: BLE001  # the job ends in order, come what may
                await self._turn_back(self._describe(error, step.name))
                return
            self._unsaved.add(position)
        needed = any(record.needed for record in self.entry.steps)
        await self._finish(Outcome.DONE if needed else Outcome.NOT_NEEDED)

    async def _do(self, step: Step[Arguments], record: StepEntry, *, again: bool) -> None:
        with listening(self._hear):
            result = await _unless_we_are_cancelled(step.do(self._context(again=again)))
        # What the journal cannot hold is a failure of the step, found before it counts as done.
        record.data = from_json(to_json(dict(result.data)))
        # What was begun before a crash may have been done then: it counts, and can be undone.
        record.needed = result.needed or again
        record.state = StepState.DONE
        self._fraction = None
        self.entry.message = result.message or self.entry.message

    async def _turn_back(self, error: JobError) -> None:
        """Remember why, and go the way back where there is one."""
        self.entry.error = error
        self.entry.message = None
        self._fraction = None
        for position, (step, record) in enumerate(self._steps()):
            if record.state is StepState.DOING and step.undo is None:
                record.state = StepState.FAILED
                self._unsaved.add(position)
        if any(_is_to_undo(step, record) for step, record in self._steps()):
            self.entry.state = JobState.UNDOING
            await self._save()
        else:
            await self._finish(self._outcome_of_nothing_done(error))

    def _outcome_of_nothing_done(self, error: JobError) -> Outcome:
        """Refused is only what surely had no effect: after a crash nobody knows that."""
        done = any(each.state is StepState.DONE and each.needed for each in self.entry.steps)
        surely = error.code in _REFUSALS and not done and not self._recovered
        return Outcome.REFUSED if surely else Outcome.FAILED

    async def _go_back(self) -> None:
        for position, (step, record) in reversed(list(enumerate(self._steps()))):
            if not _is_to_undo(step, record) or step.undo is None:
                continue
            again = self._recovered and record.state is StepState.UNDOING
            context = self._context(again=again)
            await self._enter(position, StepState.UNDOING)
            try:
                with listening(self._hear):
                    await _unless_we_are_cancelled(step.undo(context))
            except Exception as error:  # noqa: BLE001  # the others are to be undone all the same
                record.state = StepState.FAILED
                self._add_failed_undo(self._describe(error, step.name), step.name)
            else:
                record.state = StepState.UNDONE
            self._unsaved.add(position)
        await self._finish(self._outcome_of_undoing())

    def _outcome_of_undoing(self) -> Outcome:
        failed = any(
            record.state is StepState.FAILED and step.undo is not None
            for step, record in self._steps()
        )
        undone = any(record.state is StepState.UNDONE for record in self.entry.steps)
        return Outcome.UNDONE if undone and not failed else Outcome.FAILED

    def _add_failed_undo(self, failure: JobError, step: str) -> None:
        before = self.entry.error
        why = f"{before.message.rstrip('.')}. " if before else ""
        self.entry.error = JobError(
            code=before.code if before else failure.code,
            message=f"{why}Undoing {step} failed: {failure.message}",
            hint="Look at what is left and put it right by hand",
        )

    async def _enter(self, position: int, state: StepState) -> None:
        """Write that a step begins, before it does."""
        record = self.entry.steps[position]
        if self._around.closing.is_set():
            await self._save()
            raise LeftForRecovery
        if record.state is not state or self._unsaved:
            record.state = state
            self._unsaved.add(position)
            await self._save()

    async def _save(self) -> None:
        positions = tuple(sorted(self._unsaved))
        await self._until_written(lambda: self._around.journal.save(self.entry, *positions))
        self._unsaved.clear()
        self._publish()

    async def _finish(self, outcome: Outcome) -> None:
        # Nobody is to see the end before it is journaled and the targets are free.
        self._throttle.close()
        self.entry.state = JobState.FINISHED
        self.entry.outcome = outcome
        self.entry.finished_at = self._around.clock()
        positions = tuple(sorted(self._unsaved))
        await self._until_written(lambda: self._around.journal.finish(self.entry, *positions))
        self._publish()

    async def _until_written(self, write: Callable[[], Awaitable[None]]) -> None:
        """Go no further than the journal: wait for a store that is away."""
        delay_s = _FIRST_RETRY_S
        while True:
            try:
                await write()
            except Unavailable as error:
                _log.warning(
                    "the journal waits for the store", job=self.entry.id, reason=str(error)
                )
            else:
                return
            if self._around.closing.is_set():
                raise LeftForRecovery
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._around.closing.wait(), delay_s)
            delay_s = min(delay_s * 2, _LONGEST_RETRY_S)

    def _steps(self) -> tuple[tuple[Step[Arguments], StepEntry], ...]:
        return tuple(zip(self._plan, self.entry.steps, strict=True))

    def _context(self, *, again: bool) -> StepContext[Arguments]:
        data: dict[str, JsonValue] = {}
        for record in self.entry.steps:
            data |= record.data
        return StepContext(job_id=self.entry.id, arguments=self._arguments, data=data, again=again)

    def _hear(self, fraction: float | None, message: str | None) -> None:
        self._fraction = fraction
        self.entry.message = message or self.entry.message
        self._throttle.touch()

    def _publish(self) -> None:
        self._around.publish(self.entry.to_job(self._progress()))

    def _progress(self) -> float | None:
        if self.entry.outcome in (Outcome.DONE, Outcome.NOT_NEEDED):
            return 1.0
        if self.entry.state is not JobState.RUNNING:
            return None
        steps = self.entry.steps
        if len(steps) == 1 and self._fraction is None:
            return None
        done = sum(record.state is StepState.DONE for record in steps)
        return (done + (self._fraction or 0.0)) / len(steps)

    def _describe(self, error: Exception, step: str) -> JobError:
        if isinstance(error, AgentError):
            # Halves of characters (a program's raw output) cannot be sent to anyone.
            message = error.message.encode(errors="replace").decode()
            return JobError(
                code=error.code,
                message=message,
                field=error.field,
                hint=error.hint,
                extra=dict(error.extra) or None,
            )
        _log.error("a step failed unexpectedly", job=self.entry.id, step=step, exc_info=error)
        return JobError(
            code=AgentError.code, message=f"{step} failed unexpectedly; the log says why"
        )


def _is_to_undo[Arguments: Model](step: Step[Arguments], record: StepEntry) -> bool:
    if step.undo is None:
        return False
    if record.state is StepState.DONE:
        return record.needed
    return record.state in (StepState.DOING, StepState.UNDOING)


async def _unless_we_are_cancelled[Result](work: Awaitable[Result]) -> Result:
    """Await a step; what was cancelled inside of it is a failure, not the end of the agent."""
    try:
        return await work
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        raise Failed("The work was given up from inside") from None
