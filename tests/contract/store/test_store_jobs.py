import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import delete, select

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import Busy, Conflict, NotFound, Unavailable
from homelab_agent.platform.jobs.kinds import JobKind, Recovery
from homelab_agent.platform.jobs.models import JOB_KIND, Job, JobState, StepState
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import activity
from homelab_agent.platform.store.tables import job as job_table
from tests.clock import HandClock
from tests.contract.store.marks import PHONE, Marks, Word

ALL = {"one", "two", "three"}


class Agent:
    """As many lives of an agent's job runner as a test needs, on one store."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.resources = Resources()
        self._store = store
        self._clock = clock
        self._audit = Audit(store, clock)
        self.runner = self._live()

    def _live(self) -> JobRunner:
        return JobRunner(self._store, self.resources, self._clock, self._audit)

    async def start(self, kind: JobKind[Word], target: str = "web") -> Job:
        self.runner.register(kind)
        return await self.runner.start(kind.name, target, Word(), PHONE)

    async def run(self, kind: JobKind[Word]) -> Job:
        """Start a job and wait for its end."""
        return await self.runner.wait((await self.start(kind)).id, timeout_s=20)

    async def end(self) -> None:
        """End this life at once: what runs is cut off where it stands."""
        await self.runner.close(grace_s=0)
        self.resources = Resources()
        self.runner = self._live()

    async def recovered(self, *kinds: JobKind[Word]) -> Job:
        """Begin a new life; return the job that was taken up again, at its end."""
        for kind in kinds:
            self.runner.register(kind)
        (job_id,) = await self.runner.recover()
        return await self.runner.wait(job_id, timeout_s=20)

    async def audited(self) -> list[tuple[str, str, str | None, str | None, str | None]]:
        table = activity.c
        query = select(table.caller, table.action, table.target, table.outcome, table.code)
        async with self._store.read() as connection:
            return [tuple(row) for row in await connection.execute(query.order_by(table.id))]


@pytest.fixture
async def agent(store: Store, clock: HandClock) -> AsyncIterator[Agent]:
    agent = Agent(store, clock)
    yield agent
    await agent.runner.close(grace_s=0)


@pytest.fixture
def marks() -> Marks:
    return Marks()


def _states(job: Job) -> list[StepState]:
    return [step.state for step in job.steps]


async def test_a_job_does_its_steps_in_order_and_says_how_it_ended(
    agent: Agent, marks: Marks, clock: HandClock
) -> None:
    job = await agent.run(marks.kind())

    assert marks.there == ALL
    assert (job.state, job.outcome, job.error) == (JobState.FINISHED, Outcome.DONE, None)
    assert (job.kind, job.target, job.caller) == ("test.mark", "web", "phone")
    assert _states(job) == [StepState.DONE] * 3
    assert (job.created_at, job.finished_at, job.progress) == (clock(), clock(), 1.0)
    assert await agent.audited() == [("phone", "test.mark", "web", "done", None)]


async def test_a_later_step_knows_what_the_earlier_ones_found_out(
    agent: Agent, marks: Marks
) -> None:
    await agent.run(marks.kind())

    assert [dict(context.data) for context in marks.seen] == [
        {},
        {"mark_one": "hello"},
        {"mark_one": "hello", "mark_two": "hello"},
    ]


async def test_a_job_is_in_the_journal_before_its_first_step_changes_anything(
    agent: Agent, marks: Marks
) -> None:
    there, _ = marks.hold("one")
    started = await agent.start(marks.kind())
    await there.wait()

    journaled = await agent.runner.page(limit=1)
    assert journaled[0].id == started.id
    assert _states(journaled[0])[0] is StepState.DOING


async def test_what_was_so_already_is_not_needed(agent: Agent, marks: Marks) -> None:
    marks.there = set(ALL)

    job = await agent.run(marks.kind())

    assert job.outcome is Outcome.NOT_NEEDED
    assert await agent.audited() == [("phone", "test.mark", "web", "not_needed", None)]


@pytest.mark.parametrize("failing", ["one", "two", "three"])
async def test_a_failing_step_is_undone_with_all_before_it(
    agent: Agent, marks: Marks, failing: str
) -> None:
    marks.errors[failing] = Conflict("the port is taken", hint="Free it")

    job = await agent.run(marks.kind())

    assert marks.there == set()
    assert job.outcome is Outcome.UNDONE
    assert job.error
    assert (job.error.code, job.error.message) == ("conflict", "the port is taken")
    assert job.error.hint == "Free it"
    done = ("one", "two", "three").index(failing) + 1
    assert _states(job) == [StepState.UNDONE] * done + [StepState.PENDING] * (3 - done)
    assert await agent.audited() == [("phone", "test.mark", "web", "undone", "conflict")]


async def test_a_step_that_changed_nothing_is_not_undone(agent: Agent, marks: Marks) -> None:
    marks.there = {"one"}
    marks.errors["two"] = Conflict("no")

    job = await agent.run(marks.kind())

    assert marks.there == {"one"}
    assert job.outcome is Outcome.UNDONE
    assert _states(job) == [StepState.DONE, StepState.UNDONE, StepState.PENDING]


async def test_a_failure_with_nothing_to_undo_is_failed_not_undone(
    agent: Agent, marks: Marks
) -> None:
    marks.errors["one"] = Unavailable("Docker is away")

    job = await agent.run(marks.kind(names=("one",), without_undo=("one",)))

    assert job.outcome is Outcome.FAILED
    assert _states(job) == [StepState.FAILED]
    assert job.error
    assert job.error.code == "unavailable"


async def test_an_unexpected_error_undoes_too_and_tells_no_details(
    agent: Agent, marks: Marks
) -> None:
    marks.errors["two"] = KeyError("secret-thing")

    job = await agent.run(marks.kind())

    assert marks.there == set()
    assert job.outcome is Outcome.UNDONE
    assert job.error
    assert job.error.code == "internal"
    assert "secret-thing" not in job.error.message


async def test_an_error_in_strange_characters_is_kept_readable(agent: Agent, marks: Marks) -> None:
    marks.errors["one"] = Conflict("exec: \0 said \udc80 über")

    job = await agent.run(marks.kind())
    await agent.end()

    assert job.outcome is Outcome.UNDONE
    assert await agent.audited() == [("phone", "test.mark", "web", "undone", "conflict")]


async def test_work_cancelled_inside_a_step_fails_the_job_instead_of_losing_it(
    agent: Agent, marks: Marks
) -> None:
    marks.errors["two"] = asyncio.CancelledError()  # type: ignore[assignment]  # it is one in a way

    job = await agent.run(marks.kind())

    assert job.outcome is Outcome.UNDONE
    assert marks.there == set()


async def test_an_undo_that_fails_is_named_and_the_others_are_undone_all_the_same(
    agent: Agent, marks: Marks
) -> None:
    marks.errors |= {
        "three": Conflict("the port is taken."),
        "undo two": Unavailable("Docker is away"),
    }

    job = await agent.run(marks.kind())

    assert marks.there == {"two"}
    assert job.outcome is Outcome.FAILED
    assert _states(job) == [StepState.UNDONE, StepState.FAILED, StepState.UNDONE]
    assert job.error
    assert job.error.message == "the port is taken. Undoing two failed: Docker is away"
    assert job.error.hint
    assert await agent.audited() == [("phone", "test.mark", "web", "failed", "conflict")]


async def test_a_second_job_for_a_busy_target_is_refused_and_names_the_first(
    agent: Agent, marks: Marks
) -> None:
    there, go_on = marks.hold("one")
    kind = marks.kind()
    first = await agent.start(kind)
    await there.wait()

    with pytest.raises(Busy, match=r"web is busy: test\.mark of phone runs") as caught:
        await agent.runner.start(kind.name, "web", Word(), PHONE)
    assert caught.value.extra == {"job_id": first.id}
    other = await agent.runner.start(kind.name, "database", Word(), PHONE)

    go_on.set()
    for job in (first, other):
        await agent.runner.wait(job.id, timeout_s=20)
    again = await agent.runner.start(kind.name, "web", Word(), PHONE)
    assert (await agent.runner.wait(again.id, timeout_s=20)).outcome is Outcome.NOT_NEEDED


async def test_of_two_jobs_started_at_the_same_moment_one_runs(agent: Agent, marks: Marks) -> None:
    kind = marks.kind()
    agent.runner.register(kind)
    starts = (agent.runner.start(kind.name, "web", Word(), PHONE) for _ in range(5))

    results = await asyncio.gather(*starts, return_exceptions=True)

    jobs = [result for result in results if isinstance(result, Job)]
    assert len(jobs) == 1
    busy = [result for result in results if isinstance(result, Busy)]
    assert [error.extra["job_id"] for error in busy] == [jobs[0].id] * 4
    await agent.runner.wait(jobs[0].id, timeout_s=20)


@asynccontextmanager
async def _cut_off_in(
    agent: Agent, kind: JobKind[Word], marks: Marks, where: str
) -> AsyncIterator[None]:
    """End the agent's life while the job is in the middle of `where`; then let go."""
    there, go_on = marks.hold(where)
    await agent.start(kind)
    await asyncio.wait_for(there.wait(), 20)
    await agent.end()
    go_on.set()
    yield


@pytest.mark.parametrize("step", ["one", "two", "three"])
async def test_a_job_that_goes_on_is_wholly_done_after_a_crash_in_any_step(
    agent: Agent, marks: Marks, step: str
) -> None:
    async with _cut_off_in(agent, marks.kind(Recovery.GO_ON), marks, step):
        before = len(marks.seen)
        job = await agent.recovered(marks.kind(Recovery.GO_ON))

    assert marks.there == ALL
    assert job.outcome is Outcome.DONE
    assert _states(job) == [StepState.DONE] * 3
    assert await agent.audited() == [("phone", "test.mark", "web", "done", None)]
    assert marks.seen[before].again is True
    assert not any(context.again for context in marks.seen[before + 1 :])


@pytest.mark.parametrize("step", ["one", "two", "three"])
async def test_a_job_that_is_undone_is_wholly_undone_after_a_crash_in_any_step(
    agent: Agent, marks: Marks, step: str
) -> None:
    async with _cut_off_in(agent, marks.kind(Recovery.UNDO), marks, step):
        job = await agent.recovered(marks.kind(Recovery.UNDO))

    assert marks.there == set()
    assert job.outcome is Outcome.UNDONE
    assert job.error
    assert job.error.code == "interrupted"
    assert await agent.audited() == [("phone", "test.mark", "web", "undone", "interrupted")]


@pytest.mark.parametrize("recovery", list(Recovery))
@pytest.mark.parametrize("step", ["undo one", "undo two", "undo three"])
async def test_undoing_goes_on_after_a_crash_and_keeps_the_first_reason(
    agent: Agent, marks: Marks, step: str, recovery: Recovery
) -> None:
    marks.errors["three"] = Conflict("the port is taken")
    async with _cut_off_in(agent, marks.kind(recovery), marks, step):
        before = len(marks.seen)
        job = await agent.recovered(marks.kind(recovery))

    assert marks.there == set()
    assert job.outcome is Outcome.UNDONE
    assert job.error
    assert job.error.message == "the port is taken"
    assert marks.seen[before].again is True
    assert await agent.audited() == [("phone", "test.mark", "web", "undone", "conflict")]


async def test_what_a_crash_left_done_is_undone_even_if_the_second_try_had_nothing_to_do(
    agent: Agent, marks: Marks
) -> None:
    async with _cut_off_in(agent, marks.kind(Recovery.GO_ON), marks, "one"):
        marks.errors["two"] = Conflict("no")
        job = await agent.recovered(marks.kind(Recovery.GO_ON))

    assert marks.there == set()
    assert job.outcome is Outcome.UNDONE


async def test_an_interrupted_step_that_cannot_be_undone_is_said_to_be_unknown(
    agent: Agent, marks: Marks
) -> None:
    kind = marks.kind(Recovery.UNDO, names=("one",), without_undo=("one",))
    async with _cut_off_in(agent, kind, marks, "one"):
        job = await agent.recovered(kind)

    assert job.outcome is Outcome.FAILED
    assert _states(job) == [StepState.FAILED]
    assert job.error
    assert job.error.code == "interrupted"
    assert len(marks.seen) == 1, "it must not be done a second time"


async def test_a_recovered_job_holds_its_target_until_it_has_ended(
    agent: Agent, marks: Marks
) -> None:
    kind = marks.kind(Recovery.GO_ON)
    async with _cut_off_in(agent, kind, marks, "two"):
        there, go_on = marks.hold("three")
        agent.runner.register(kind)
        (job_id,) = await agent.runner.recover()
        await there.wait()
        with pytest.raises(Busy) as caught:
            await agent.runner.start(kind.name, "web", Word(), PHONE)
        go_on.set()
        assert caught.value.extra == {"job_id": job_id}
        await agent.runner.wait(job_id, timeout_s=20)


async def test_a_target_left_busy_by_a_crash_is_refused_before_recovery_too(
    agent: Agent, marks: Marks
) -> None:
    kind = marks.kind(Recovery.GO_ON)
    async with _cut_off_in(agent, kind, marks, "two"):
        agent.runner.register(kind)
        with pytest.raises(Busy, match="an older job"):
            await agent.runner.start(kind.name, "web", Word(), PHONE)


@pytest.mark.parametrize(
    "later",
    [
        (),
        ("one", "two"),
        ("one", "two", "four"),
    ],
    ids=["kind gone", "a step less", "another step"],
)
async def test_a_job_that_this_version_does_not_know_ends_saying_so(
    agent: Agent, marks: Marks, later: tuple[str, ...]
) -> None:
    async with _cut_off_in(agent, marks.kind(Recovery.UNDO), marks, "two"):
        job = await agent.recovered(*([marks.kind(Recovery.UNDO, names=later)] if later else []))

    assert job.outcome is Outcome.FAILED
    assert job.error
    assert "does not know test.mark" in job.error.message
    assert "Done were: one" in job.error.message
    assert _states(job) == [StepState.DONE, StepState.FAILED, StepState.PENDING]
    assert await agent.audited() == [("phone", "test.mark", "web", "failed", "interrupted")]


async def test_a_gentle_end_lets_the_running_step_finish_and_leaves_the_rest(
    agent: Agent, marks: Marks
) -> None:
    there, go_on = marks.hold("one")
    job = await agent.start(marks.kind())
    await there.wait()

    closing = asyncio.create_task(agent.runner.close(grace_s=20))
    await asyncio.sleep(0)
    go_on.set()
    await closing

    left = await agent.runner.get(job.id)
    assert left.state is JobState.RUNNING
    assert _states(left) == [StepState.DONE, StepState.PENDING, StepState.PENDING]
    assert marks.there == {"one"}

    await agent.end()
    assert (await agent.recovered(marks.kind())).outcome is Outcome.DONE
    assert len(marks.seen) == 3, "no step is done twice"


async def test_nothing_new_begins_while_the_agent_ends(agent: Agent, marks: Marks) -> None:
    await agent.runner.close()

    with pytest.raises(Unavailable):
        await agent.start(marks.kind())
    assert marks.seen == []


async def test_who_gives_up_waiting_for_a_start_leaves_a_job_that_runs(
    agent: Agent, marks: Marks
) -> None:
    there, go_on = marks.hold("one")
    starting = asyncio.create_task(agent.start(marks.kind()))
    await asyncio.sleep(0)
    starting.cancel()
    await there.wait()
    go_on.set()

    (job,) = await agent.runner.page(limit=5)
    assert (await agent.runner.wait(job.id, timeout_s=20)).outcome is Outcome.DONE


async def test_waiting_ends_after_the_time_given_with_the_job_as_it_is(
    agent: Agent, marks: Marks
) -> None:
    there, go_on = marks.hold("two")
    job = await agent.start(marks.kind())
    await there.wait()

    waited = await agent.runner.wait(job.id, timeout_s=0)

    assert (waited.state, waited.outcome) == (JobState.RUNNING, None)
    go_on.set()
    assert (await agent.runner.wait(job.id, timeout_s=None)).outcome is Outcome.DONE


async def test_old_jobs_are_found_page_by_page_and_by_target(agent: Agent, marks: Marks) -> None:
    kind = marks.kind()
    agent.runner.register(kind)
    ids = []
    for target in ("web", "database", "web"):
        job = await agent.runner.start(kind.name, target, Word(), PHONE)
        ids.append((await agent.runner.wait(job.id, timeout_s=20)).id)
    await agent.end()

    newest = await agent.runner.page(limit=2)
    assert [job.id for job in newest] == [ids[2], ids[1]]
    assert [job.id for job in await agent.runner.page(limit=2, before=ids[1])] == [ids[0]]
    of_web = await agent.runner.page(limit=9, target="web")
    assert [job.id for job in of_web] == [ids[2], ids[0]]
    assert await agent.runner.page(limit=9, state=JobState.RUNNING) == ()
    assert len(await agent.runner.page(limit=9, state=JobState.FINISHED)) == 3
    assert (await agent.runner.get(ids[0])).outcome is Outcome.DONE


async def test_a_page_of_jobs_stands_while_old_ones_are_being_removed(
    agent: Agent, store: Store, marks: Marks
) -> None:
    kind = marks.kind()
    agent.runner.register(kind)
    for number in range(12):
        job = await agent.runner.start(kind.name, f"web {number}", Word(), PHONE)
        await agent.runner.wait(job.id, timeout_s=20)
    await agent.end()

    async def remove_all() -> None:
        async with store.write() as connection:
            await connection.execute(delete(job_table))

    page, _ = await asyncio.gather(agent.runner.page(limit=200), remove_all())

    assert len(page) in {0, 12}


async def test_a_job_nobody_knows_is_not_found(agent: Agent) -> None:
    for ask in (agent.runner.get("x"), agent.runner.wait("x", timeout_s=0)):
        with pytest.raises(NotFound, match="There is no job x"):
            await ask


async def test_everyone_sees_the_job_move(agent: Agent, marks: Marks) -> None:
    with agent.resources.subscribe() as subscription:
        job = await agent.run(marks.kind())
        subscription.close()
        states = [
            (change.data.state, change.data.progress)
            async for batch in subscription.batches()
            for change in batch
            if change.kind == JOB_KIND and change.key == job.id and isinstance(change.data, Job)
        ]

    progresses = [progress for _, progress in states if progress is not None]
    assert progresses == sorted(progresses)
    assert states[-1] == (JobState.FINISHED, 1.0)
    assert {JobState.RUNNING, JobState.FINISHED} == {state for state, _ in states}
