import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.jobs.models import JOB_KIND, Job, JobState
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.jobs.runner import KEEP_FINISHED_JOBS, JobRunner
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock

PHONE = Caller(name="phone", scope=Scope.OPERATE)

type NewRunner = Callable[..., JobRunner]
type Said = tuple[float | None, str | None]


class Nothing(Model):
    """No arguments."""


class Something(Model):
    """Other arguments."""


class Reporting:
    """A kind of job whose steps report what a test tells them, until it tells them None."""

    def __init__(self, steps: int = 1) -> None:
        self.says: asyncio.Queue[Said | None] = asyncio.Queue()
        self.kind = JobKind(
            "test.report",
            Nothing,
            tuple(Step(f"step {number}", self._do) for number in range(steps)),
            Recovery.GO_ON,
        )

    async def _do(self, _context: StepContext[Nothing]) -> StepResult:
        while (said := await self.says.get()) is not None:
            await self._deep_inside(said)
        return StepResult()

    async def _deep_inside(self, said: Said) -> None:
        report(*said)


@pytest.fixture
async def new_runner(
    store: Store, resources: Resources, clock: HandClock
) -> AsyncIterator[NewRunner]:
    made: list[JobRunner] = []

    def make(kind: JobKind[Nothing], **options: float) -> JobRunner:
        runner = JobRunner(store, resources, clock, Audit(store, clock), **options)
        runner.register(kind)
        made.append(runner)
        return runner

    yield make
    for runner in made:
        await runner.close(grace_s=0)


async def _seen(resources: Resources, job_id: str, when: Callable[[Job], bool]) -> Job:
    """Return the job as soon as everyone can see it like this."""
    with resources.subscribe() as subscription:
        known = resources.get(JOB_KIND, job_id)
        if isinstance(known, Job) and when(known):
            return known
        async for batch in subscription.batches():
            for change in batch:
                if change.key == job_id and isinstance(change.data, Job) and when(change.data):
                    return change.data
    raise AssertionError


async def _gone(resources: Resources, job_id: str) -> None:
    with resources.subscribe() as subscription:
        if resources.get(JOB_KIND, job_id) is None:
            return
        async for batch in subscription.batches():
            if any(change.key == job_id and change.data is None for change in batch):
                return


async def test_who_sees_that_a_job_has_ended_can_begin_the_next_at_once(
    new_runner: NewRunner, resources: Resources
) -> None:
    reporting = Reporting()
    runner = new_runner(reporting.kind, progress_s=0)
    # The second of two reports waits for its turn, which comes while the end is journaled.
    for said in ((0.5, "pulling"), (0.9, "pulled"), None):
        reporting.says.put_nowait(said)
    job = await runner.start("test.report", "web", Nothing(), PHONE)
    await _seen(resources, job.id, lambda job: job.state is JobState.FINISHED)
    reporting.says.put_nowait(None)
    after = await runner.start("test.report", "web", Nothing(), PHONE)
    assert (await runner.wait(after.id, 10)).outcome is Outcome.DONE


async def test_progress_of_deep_code_reaches_everyone_who_watches_the_job(
    new_runner: NewRunner, resources: Resources
) -> None:
    reporting = Reporting(steps=2)
    runner = new_runner(reporting.kind, progress_s=0)
    job = await runner.start("test.report", "web", Nothing(), PHONE)

    reporting.says.put_nowait((0.5, "pulling"))
    seen = await _seen(resources, job.id, lambda job: job.message == "pulling")
    assert seen.progress == 0.25

    reporting.says.put_nowait(None)
    reporting.says.put_nowait((2.0, None))
    seen = await _seen(resources, job.id, lambda job: job.progress == 1.0)
    assert seen.state is JobState.RUNNING

    reporting.says.put_nowait(None)
    assert (await runner.wait(job.id, timeout_s=20)).progress == 1.0


async def test_progress_that_nobody_knows_is_not_invented(
    new_runner: NewRunner, resources: Resources
) -> None:
    reporting = Reporting()
    runner = new_runner(reporting.kind)
    job = await runner.start("test.report", "web", Nothing(), PHONE)
    assert job.progress is None

    reporting.says.put_nowait((None, "waiting for the container"))
    seen = await _seen(resources, job.id, lambda job: job.message is not None)
    assert (seen.progress, seen.message) == (None, "waiting for the container")
    reporting.says.put_nowait(None)
    await runner.wait(job.id, timeout_s=20)


async def test_a_thousand_reports_do_not_flood_the_stream_and_the_last_one_arrives(
    new_runner: NewRunner, resources: Resources
) -> None:
    reporting = Reporting()
    runner = new_runner(reporting.kind, progress_s=0.2)
    job = await runner.start("test.report", "web", Nothing(), PHONE)
    before = resources.seq

    for number in range(1, 1001):
        reporting.says.put_nowait((number / 1000, f"{number} of 1000"))
    await _seen(resources, job.id, lambda job: job.message == "1000 of 1000")

    assert resources.seq - before == 2  # the first one at once, the last one after a moment
    reporting.says.put_nowait(None)
    await runner.wait(job.id, timeout_s=20)


async def test_what_is_reported_after_the_end_does_not_bring_a_job_back(
    new_runner: NewRunner, resources: Resources
) -> None:
    told = asyncio.Event()
    late: list[asyncio.Task[None]] = []

    async def talk_later() -> None:
        await told.wait()
        report(0.1, "still here")

    async def do(_context: StepContext[Nothing]) -> StepResult:
        late.append(asyncio.create_task(talk_later()))
        return StepResult(message="over")

    kind = JobKind("test.late", Nothing, (Step("talk", do),), Recovery.GO_ON)
    runner = new_runner(kind, progress_s=0)
    job = await runner.start("test.late", "web", Nothing(), PHONE)
    ended = await runner.wait(job.id, timeout_s=20)
    told.set()
    await late[0]

    assert resources.get(JOB_KIND, job.id) == ended
    assert ended.message == "over"


def test_a_report_outside_of_a_job_hurts_nobody() -> None:
    report(0.5, "hello?")


async def test_a_finished_job_leaves_the_stream_after_a_while_but_not_the_store(
    new_runner: NewRunner, resources: Resources
) -> None:
    reporting = Reporting()
    runner = new_runner(reporting.kind, keep_finished_s=0.05)
    job = await runner.start("test.report", "web", Nothing(), PHONE)
    reporting.says.put_nowait(None)
    await runner.wait(job.id, timeout_s=20)

    await _gone(resources, job.id)

    assert (await runner.get(job.id)).outcome is Outcome.DONE


async def test_finished_jobs_do_not_pile_up_in_memory(
    new_runner: NewRunner, resources: Resources
) -> None:
    reporting = Reporting()
    runner = new_runner(reporting.kind)
    count = KEEP_FINISHED_JOBS + 3
    for number in range(count):
        reporting.says.put_nowait(None)
        job = await runner.start("test.report", f"web {number}", Nothing(), PHONE)
        await runner.wait(job.id, timeout_s=20)

    kept = resources.keys(JOB_KIND)
    assert len(kept) == KEEP_FINISHED_JOBS
    assert job.id in kept


async def test_a_job_waits_for_a_store_that_is_away_and_then_goes_on(
    new_runner: NewRunner, store: Store
) -> None:
    reporting = Reporting(steps=2)
    runner = new_runner(reporting.kind)
    job = await runner.start("test.report", "web", Nothing(), PHONE)
    await _execute(store, "ALTER TABLE job_step RENAME TO away")
    reporting.says.put_nowait(None)
    reporting.says.put_nowait(None)

    assert (await runner.wait(job.id, timeout_s=0.3)).state is JobState.RUNNING
    assert reporting.says.qsize() == 1, "no step begins before it is written down"

    await _execute(store, "ALTER TABLE away RENAME TO job_step")
    assert (await runner.wait(job.id, timeout_s=20)).outcome is Outcome.DONE


async def test_the_agent_can_end_while_a_job_waits_for_the_store(
    new_runner: NewRunner, store: Store
) -> None:
    reporting = Reporting(steps=2)
    runner = new_runner(reporting.kind)
    job = await runner.start("test.report", "web", Nothing(), PHONE)
    await _execute(store, "ALTER TABLE job_step RENAME TO away")
    reporting.says.put_nowait(None)
    await runner.wait(job.id, timeout_s=0.2)

    await asyncio.wait_for(runner.close(grace_s=10), 5)

    await _execute(store, "ALTER TABLE away RENAME TO job_step")
    second = new_runner(reporting.kind)
    assert await second.recover() == (job.id,)
    for _ in range(2):
        reporting.says.put_nowait(None)
    assert (await second.wait(job.id, timeout_s=20)).outcome is Outcome.DONE


async def test_without_a_journal_no_job_begins(new_runner: NewRunner, store: Store) -> None:
    reporting = Reporting()
    runner = new_runner(reporting.kind)
    await _execute(store, "ALTER TABLE job RENAME TO away")

    with pytest.raises(Unavailable):
        await runner.start("test.report", "web", Nothing(), PHONE)
    assert runner.running() == 0

    await _execute(store, "ALTER TABLE away RENAME TO job")
    reporting.says.put_nowait(None)
    job = await runner.start("test.report", "web", Nothing(), PHONE)
    assert (await runner.wait(job.id, timeout_s=20)).outcome is Outcome.DONE


async def _execute(store: Store, statement: str) -> None:
    async with store.write() as connection:
        await connection.execute(text(statement))


async def test_a_step_that_says_what_cannot_be_written_down_is_undone(
    new_runner: NewRunner,
) -> None:
    undone: list[str] = []

    async def undo(context: StepContext[Nothing]) -> None:
        undone.append(context.job_id)

    async def do(_context: StepContext[Nothing]) -> StepResult:
        return StepResult({"handle": object()})  # type: ignore[dict-item]  # the mistake

    kind = JobKind("test.wrong", Nothing, (Step("wrong", do, undo),), Recovery.GO_ON)
    runner = new_runner(kind)

    job = await runner.start("test.wrong", "web", Nothing(), PHONE)
    ended = await runner.wait(job.id, timeout_s=20)

    assert (ended.outcome, undone) == (Outcome.UNDONE, [job.id])
    assert ended.error
    assert ended.error.code == "internal"


async def test_a_mistake_of_the_program_does_not_leave_a_job_running_for_ever(
    store: Store, resources: Resources, clock: HandClock
) -> None:
    times = iter((clock(), None, clock(), clock()))

    def stumbling() -> datetime:
        now = next(times)
        if now is None:
            raise LookupError
        return now

    reporting = Reporting()
    reporting.says.put_nowait(None)
    runner = JobRunner(store, resources, stumbling, Audit(store, clock))
    runner.register(reporting.kind)
    job = await runner.start("test.report", "web", Nothing(), PHONE)
    ended = await runner.wait(job.id, timeout_s=20)

    assert (ended.state, ended.outcome) == (JobState.FINISHED, Outcome.FAILED)
    assert ended.error
    assert ended.error.code == "internal"
    assert runner.running() == 0
    await runner.close()


async def test_a_mistake_while_a_job_is_written_down_reaches_who_started_it(
    new_runner: NewRunner,
) -> None:
    class Unwritable(Nothing):
        def model_dump(self, **_options: object) -> dict[str, object]:
            return {"text": object()}

    runner = new_runner(Reporting().kind)

    with pytest.raises(StatementError):
        await runner.start("test.report", "web", Unwritable(), PHONE)
    assert runner.running() == 0


async def test_wrongly_declared_kinds_are_refused_at_the_start_of_the_program(
    new_runner: NewRunner,
) -> None:
    kind = Reporting().kind
    runner = new_runner(kind)

    with pytest.raises(ValueError, match="registered twice"):
        runner.register(kind)
    with pytest.raises(ValueError, match="there is no job kind nonsense"):
        await runner.start("nonsense", "web", Nothing(), PHONE)
    with pytest.raises(TypeError, match=r"test\.report takes Nothing"):
        await runner.start("test.report", "web", Something(), PHONE)
    for steps in ((), kind.steps * 2):
        with pytest.raises(ValueError, match="a job needs steps, each with a name of its own"):
            JobKind("test.bad", Nothing, steps, Recovery.GO_ON)


async def test_a_job_whose_arguments_have_changed_since_is_not_guessed_at(
    new_runner: NewRunner, store: Store
) -> None:
    reporting = Reporting()
    runner = new_runner(reporting.kind)
    job = await runner.start("test.report", "web", Nothing(), PHONE)
    await runner.close(grace_s=0)
    await _execute(store, """UPDATE job SET arguments = '{"tag": 1}'""")

    second = new_runner(reporting.kind)
    await second.recover()

    ended = await second.get(job.id)
    assert ended.outcome is Outcome.FAILED
    assert ended.error
    assert "does not know test.report as it was then" in ended.error.message
