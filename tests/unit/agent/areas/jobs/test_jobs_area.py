import asyncio
from collections.abc import AsyncIterator

import pytest

from homelab_agent.areas.jobs.models import JobsQuery
from homelab_agent.areas.jobs.routes import JobRoutes
from homelab_agent.areas.jobs.service import JobsService
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import SYSTEM, Outcome
from homelab_agent.platform.errors import NotFound
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.jobs.models import Job, JobState
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock


class Nothing(Model):
    """No arguments."""


class Work:
    """A kind of job that ends when the test says so."""

    def __init__(self) -> None:
        self.hold = asyncio.Event()

    async def do(self, _: StepContext[Nothing]) -> StepResult:
        await self.hold.wait()
        return StepResult(message="Worked.")

    def kind(self) -> JobKind[Nothing]:
        return JobKind("work", Nothing, (Step("work", self.do),), Recovery.GO_ON)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def runner(
    store: Store, resources: Resources, clock: HandClock, audit: Audit, work: Work
) -> AsyncIterator[JobRunner]:
    runner = JobRunner(store, resources, clock, audit)
    runner.register(work.kind())
    yield runner
    work.hold.set()
    await runner.close()


@pytest.fixture
def routes(runner: JobRunner) -> JobRoutes:
    return JobRoutes(JobsService(runner))


async def begin(runner: JobRunner, target: str) -> Job:
    return await runner.start("work", target, Nothing(), SYSTEM)


async def targets(routes: JobRoutes, query: JobsQuery) -> list[str]:
    return [job.target for job in (await routes.list(query)).jobs]


async def test_a_running_job_and_its_end_can_be_looked_at(
    routes: JobRoutes, runner: JobRunner, work: Work
) -> None:
    job = await begin(runner, "web")
    assert (await routes.get(job.id)).state is JobState.RUNNING
    work.hold.set()
    await runner.wait(job.id, 5)
    ended = await routes.get(job.id)
    assert (ended.state, ended.outcome, ended.message) == (
        JobState.FINISHED,
        Outcome.DONE,
        "Worked.",
    )


async def test_a_job_that_never_was_is_not_found(routes: JobRoutes) -> None:
    with pytest.raises(NotFound):
        await routes.get("nothing")


async def test_jobs_are_found_by_target_and_state(
    routes: JobRoutes, runner: JobRunner, work: Work
) -> None:
    work.hold.set()
    done = await begin(runner, "web")
    await runner.wait(done.id, 5)
    work.hold.clear()
    await begin(runner, "web")
    await begin(runner, "db")
    assert await targets(routes, JobsQuery()) == ["db", "web", "web"]
    assert await targets(routes, JobsQuery(target="web")) == ["web", "web"]
    assert await targets(routes, JobsQuery(state=JobState.RUNNING)) == ["db", "web"]
    page = await routes.list(JobsQuery(target="web", state=JobState.FINISHED))
    assert [job.id for job in page.jobs] == [done.id]


async def test_every_page_follows_the_one_before(routes: JobRoutes, runner: JobRunner) -> None:
    for number in range(5):
        await begin(runner, str(number))
    first = await routes.list(JobsQuery(limit=2))
    second = await routes.list(JobsQuery(limit=2, before=first.next_before))
    third = await routes.list(JobsQuery(limit=2, before=second.next_before))
    read = [job.target for page in (first, second, third) for job in page.jobs]
    assert read == ["4", "3", "2", "1", "0"]
    assert third.next_before is None
