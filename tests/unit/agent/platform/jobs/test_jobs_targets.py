"""Jobs that hold several things, and jobs whose steps depend on their arguments."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.errors import Busy
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock

PHONE = Caller(name="phone", scope=Scope.OPERATE)


class Several(Model):
    """What a job is about."""

    names: tuple[str, ...]


class Fleet:
    """A kind with one step for each name; a step waits until the test lets it go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.done: list[str] = []
        self.undone: list[str] = []
        self.broken: str | None = None
        self.kind = JobKind(
            "test.fleet", Several, self._steps, Recovery.GO_ON, holds=lambda wanted: wanted.names
        )

    def _steps(self, wanted: Several) -> tuple[Step[Several], ...]:
        return tuple(self._step(name) for name in wanted.names)

    def _step(self, name: str) -> Step[Several]:
        async def do(_context: StepContext[Several]) -> StepResult:
            await self.go_on.wait()
            if name == self.broken:
                raise Busy(f"{name} does not want to")
            self.done.append(name)
            return StepResult()

        async def undo(_context: StepContext[Several]) -> None:
            self.undone.append(name)

        return Step(f"move {name}", do, undo)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture
async def runner(
    store: Store, resources: Resources, clock: HandClock, fleet: Fleet
) -> AsyncIterator[JobRunner]:
    made = JobRunner(store, resources, clock, Audit(store, clock))
    made.register(fleet.kind)
    yield made
    await made.close(grace_s=0)


async def test_what_a_job_holds_is_refused_to_every_other_job_until_it_ends(
    runner: JobRunner, fleet: Fleet
) -> None:
    first = await runner.start("test.fleet", "fleet", Several(names=("web", "db")), PHONE)
    with pytest.raises(Busy, match="db is busy") as refused:
        await runner.start("test.fleet", "other", Several(names=("mail", "db")), PHONE)
    with pytest.raises(Busy, match="web is busy"):
        await runner.start("test.fleet", "web", Several(names=("cache",)), PHONE)
    free = await runner.start("test.fleet", "mail", Several(names=("mail",)), PHONE)
    fleet.go_on.set()
    ended = [await runner.wait(job.id, None) for job in (first, free)]
    again = await runner.start("test.fleet", "other", Several(names=("db",)), PHONE)

    assert refused.value.extra["job_id"] == first.id
    assert [job.outcome for job in ended] == [Outcome.DONE, Outcome.DONE]
    assert (await runner.wait(again.id, None)).outcome is Outcome.DONE


async def test_a_step_that_fails_takes_back_those_of_the_others_in_reverse(
    runner: JobRunner, fleet: Fleet
) -> None:
    fleet.broken = "web"
    fleet.go_on.set()
    job = await runner.start("test.fleet", "fleet", Several(names=("db", "cache", "web")), PHONE)
    ended = await runner.wait(job.id, None)

    assert [step.name for step in ended.steps] == ["move db", "move cache", "move web"]
    assert ended.outcome is Outcome.UNDONE
    assert fleet.done == ["db", "cache"]
    assert fleet.undone == ["web", "cache", "db"]


async def test_what_an_interrupted_job_held_is_held_again_after_a_restart(
    runner: JobRunner, fleet: Fleet, store: Store, resources: Resources, clock: HandClock
) -> None:
    job = await runner.start("test.fleet", "fleet", Several(names=("web", "db")), PHONE)
    await runner.close(grace_s=0)
    later = JobRunner(store, resources, clock, Audit(store, clock))
    later.register(fleet.kind)
    try:
        assert await later.recover() == (job.id,)
        with pytest.raises(Busy, match="db is busy"):
            await later.start("test.fleet", "db", Several(names=("db",)), PHONE)
        fleet.go_on.set()
        assert (await later.wait(job.id, None)).outcome is Outcome.DONE
    finally:
        await later.close(grace_s=0)


async def test_a_job_without_any_step_is_refused_before_it_begins(runner: JobRunner) -> None:
    with pytest.raises(ValueError, match="needs steps"):
        await runner.start("test.fleet", "fleet", Several(names=()), PHONE)
