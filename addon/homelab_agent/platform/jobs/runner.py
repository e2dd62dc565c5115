"""The jobs of the agent: started, watched, taken up again after a crash."""

import asyncio
from collections import deque
from datetime import datetime
from typing import Any
from uuid import uuid7

from pydantic import ValidationError
from pydantic_core import to_json

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Caller, Outcome
from homelab_agent.platform.errors import AgentError, Busy, Conflict, Unavailable
from homelab_agent.platform.jobs.execution import (
    INTERRUPTED,
    Execution,
    LeftForRecovery,
    Surroundings,
)
from homelab_agent.platform.jobs.journal import JobEntry, Journal, StepEntry
from homelab_agent.platform.jobs.kinds import JobKind
from homelab_agent.platform.jobs.models import JOB_KIND, Job, JobError, JobState, StepState
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store

KEEP_FINISHED_S = 600.0
KEEP_FINISHED_JOBS = 100
PROGRESS_S = 0.5
GRACE_S = 5.0

_log = get_logger(__name__)


class JobRunner:
    """Runs jobs, one at a time per target.

    A job is published as a resource for as long as it runs and `keep_finished_s` after; the store
    keeps it longer. Its end is audited here, under the name of its kind.
    """

    def __init__(
        self,
        store: Store,
        resources: Resources,
        clock: Clock,
        audit: Audit,
        *,
        keep_finished_s: float = KEEP_FINISHED_S,
        progress_s: float = PROGRESS_S,
    ) -> None:
        self._resources = resources
        self._clock = clock
        self._keep_finished_s = keep_finished_s
        self._journal = Journal(store, audit)
        # Which arguments a kind's steps take is known to the kind alone.
        self._kinds: dict[str, JobKind[Any]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._targets: dict[str, str] = {}
        self._finished: deque[tuple[str, asyncio.TimerHandle]] = deque()
        self._closing = asyncio.Event()
        self._surroundings = Surroundings(
            journal=self._journal,
            clock=clock,
            publish=self._publish,
            closing=self._closing,
            progress_s=progress_s,
        )

    def register[Arguments: Model](self, kind: JobKind[Arguments]) -> None:
        """Make a kind known; raise ValueError for a second one of the same name."""
        if kind.name in self._kinds:
            raise ValueError(f"job kind {kind.name} is registered twice")
        self._kinds[kind.name] = kind

    async def start(self, kind_name: str, target: str, arguments: Model, caller: Caller) -> Job:
        """Begin a job; it is in the journal when this returns, and runs by itself.

        Raises:
            Busy: another job holds the target.
            Unavailable: the journal cannot be written, or the agent is ending; nothing was done.
        """
        kind = self._kind(kind_name, arguments)
        if self._closing.is_set():
            raise Unavailable("The agent is ending", retry_after_s=10)
        for each in kind.held_by(target, arguments):
            self._require_free(each)
        entry = JobEntry(
            id=uuid7().hex,
            kind=kind.name,
            target=target,
            caller=caller.name,
            arguments=arguments.model_dump(mode="json"),
            created_at=self._clock(),
            steps=[StepEntry(step.name) for step in kind.steps_for(arguments)],
        )
        # Journaled together with the job: the first step begins now.
        entry.steps[0].state = StepState.DOING
        added: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        self._spawn(Execution(kind, entry, arguments, self._surroundings), added)
        # Who gives up waiting here does not leave a job behind that nobody runs.
        return await asyncio.shield(added)

    async def wait(self, job_id: str, timeout_s: float | None) -> Job:
        """Return the job when it has ended, or as it is after `timeout_s`.

        Raises:
            NotFound: there is no such job.
        """
        task = self._tasks.get(job_id)
        if task:
            await asyncio.wait((task,), timeout=timeout_s)
        return await self.get(job_id)

    async def get(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises:
            NotFound: there is no such job.
        """
        return self._published(job_id) or await self._journal.get(job_id)

    async def page(
        self,
        *,
        limit: int,
        before: str | None = None,
        target: str | None = None,
        state: JobState | None = None,
    ) -> tuple[Job, ...]:
        """Return jobs, the newest first; `before` is the last id of the page before."""
        jobs = await self._journal.page(limit=limit, before=before, target=target, state=state)
        # A running job's progress is in no journal.
        return tuple(self._published(job.id) or job for job in jobs)

    def is_held(self, target: str) -> bool:
        """Return whether a job keeps a target for itself right now."""
        return target in self._targets

    def held(self) -> tuple[str, ...]:
        """Return every target that a job keeps for itself right now, in their order."""
        return tuple(sorted(self._targets))

    def running(self) -> int:
        """Return how many jobs run."""
        return len(self._tasks)

    async def recover(self) -> tuple[str, ...]:
        """Take up every job that a crash interrupted; return their ids. Call before any `start`."""
        entries = await self._journal.unfinished()
        for entry in entries:
            kind = self._kinds.get(entry.kind)
            arguments = _arguments(kind, entry) if kind else None
            if kind and arguments and _planned(kind, arguments) == _names(entry):
                _log.info("taking up a job again", job=entry.id, kind=entry.kind)
                self._spawn(
                    Execution(kind, entry, arguments, self._surroundings, recovered=True), None
                )
            else:
                await self._abandon(entry)
        return tuple(entry.id for entry in entries)

    async def close(self, grace_s: float = GRACE_S) -> None:
        """Let running steps end, for a while; what is not done then goes on at the next start."""
        self._closing.set()
        if self._tasks:
            _, late = await asyncio.wait(tuple(self._tasks.values()), timeout=grace_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=grace_s)
        while self._finished:
            self._finished.popleft()[1].cancel()

    def _kind(self, name: str, arguments: Model) -> JobKind[Any]:
        kind = self._kinds.get(name)
        if kind is None:
            raise ValueError(f"there is no job kind {name}")
        if not isinstance(arguments, kind.arguments):
            raise TypeError(f"{name} takes {kind.arguments.__name__}")
        return kind

    def _require_free(self, target: str) -> None:
        job_id = self._targets.get(target)
        if job_id is None:
            return
        job = self._published(job_id)
        what = f"{job.kind} of {job.caller} runs" if job else "a job begins"
        raise Busy(
            f"{target} is busy: {what}",
            hint="Wait until that job has ended",
            extra={"job_id": job_id},
        )

    def _spawn(self, execution: Execution[Any], added: asyncio.Future[Job] | None) -> None:
        entry = execution.entry
        for each in execution.held:
            self._targets[each] = entry.id
        self._tasks[entry.id] = asyncio.create_task(
            self._run(execution, added), name=f"job {entry.kind} {entry.id}"
        )

    async def _run(self, execution: Execution[Any], added: asyncio.Future[Job] | None) -> None:
        entry = execution.entry
        try:
            if added and not await self._add(entry, added):
                return
            await execution.run()
        except LeftForRecovery:
            _log.info("a job is left for the next start", job=entry.id, kind=entry.kind)
        except Exception as error:  # noqa: BLE001  # our mistake must not leave it "running"
            _log.exception("a job broke down", job=entry.id, kind=entry.kind)
            if added and not added.done():
                added.set_exception(error)
            else:
                self._publish(_broken(entry, self._clock()))
        finally:
            del self._tasks[entry.id]
            for each in execution.held:
                self._targets.pop(each, None)

    async def _add(self, entry: JobEntry, added: asyncio.Future[Job]) -> bool:
        """Journal a new job; whether that was possible is told to who started it."""
        try:
            await self._journal.add(entry)
        except Conflict:
            added.set_exception(Busy(f"{entry.target} is busy: an older job of it has not ended"))
        except AgentError as error:
            added.set_exception(error)
        else:
            job = entry.to_job()
            self._publish(job)
            added.set_result(job)
            return True
        return False

    async def _abandon(self, entry: JobEntry) -> None:
        """End a job that this version can neither finish nor undo, and say so."""
        done = ", ".join(step.name for step in entry.steps if step.state is StepState.DONE)
        for step in entry.steps:
            if step.state in (StepState.DOING, StepState.UNDOING):
                step.state = StepState.FAILED
        entry.state = JobState.FINISHED
        entry.outcome = Outcome.FAILED
        entry.finished_at = self._clock()
        entry.error = JobError(
            code=INTERRUPTED,
            message=(
                f"The agent ended while this job ran, and this version does not know "
                f"{entry.kind} as it was then. Done were: {done or 'no steps'}"
            ),
            hint=f"Look at {entry.target} and put it right by hand",
        )
        _log.warning("a job cannot be taken up again", job=entry.id, kind=entry.kind)
        await self._journal.finish(entry, *range(len(entry.steps)))
        self._publish(entry.to_job())

    def _published(self, job_id: str) -> Job | None:
        known = self._resources.get(JOB_KIND, job_id)
        return known if isinstance(known, Job) else None

    def _publish(self, job: Job) -> None:
        self._resources.publish(JOB_KIND, job.id, job)
        if job.state is JobState.FINISHED:
            self._retire(job.id)

    def _retire(self, job_id: str) -> None:
        """Let a finished job go after a while, or when there are too many of them."""
        timer = asyncio.get_running_loop().call_later(self._keep_finished_s, self._forget_oldest)
        self._finished.append((job_id, timer))
        if len(self._finished) > KEEP_FINISHED_JOBS:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        # All wait equally long, so the timer that fires is the oldest one's.
        job_id, timer = self._finished.popleft()
        timer.cancel()
        self._resources.remove(JOB_KIND, job_id)


def _arguments(kind: JobKind[Any], entry: JobEntry) -> Model | None:
    try:
        arguments: Model = kind.arguments.model_validate_json(to_json(entry.arguments))
    except ValidationError:
        return None
    return arguments


def _planned(kind: JobKind[Any], arguments: Model) -> list[str]:
    return [step.name for step in kind.steps_for(arguments)]


def _names(entry: JobEntry) -> list[str]:
    return [step.name for step in entry.steps]


def _broken(entry: JobEntry, now: datetime) -> Job:
    entry.state = JobState.FINISHED
    entry.outcome = Outcome.FAILED
    entry.finished_at = now
    entry.error = JobError(
        code=AgentError.code, message="The job broke down unexpectedly; the log says why"
    )
    return entry.to_job()
