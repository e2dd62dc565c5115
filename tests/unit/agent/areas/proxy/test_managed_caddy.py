"""The Caddy that the agent runs, just after the agent's own start."""

from pathlib import Path

import pytest

from homelab_agent.areas.proxy.managed import STACK, ManagedCaddy
from homelab_agent.areas.stacks.models import DeployBody, DownBody
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Outcome
from homelab_agent.platform.engine.objects import ObjectUser, StoredVolume
from homelab_agent.platform.errors import NotFound, Unavailable
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock


class Host:
    """A host with that stack, or without. What it has is known after so many questions."""

    def __init__(self, *, is_there: bool, known_after: int) -> None:
        self.is_there = is_there
        self.questions_left = known_after

    async def deploy(self, name: str, body: DeployBody, caller: Caller) -> CommandResult:
        raise NotImplementedError(name, body, caller)

    async def down(self, name: str, body: DownBody, caller: Caller) -> CommandResult:
        del body, caller
        if not self.is_there or self.questions_left:
            raise NotFound(f"There is no stack {name}.")
        self.is_there = False
        return CommandResult(outcome=Outcome.DONE, message="It was taken down.")

    async def users(self) -> tuple[ObjectUser, ...]:
        if self.questions_left:
            self.questions_left -= 1
            if self.questions_left:
                raise Unavailable("Docker was not reached yet.")
        if not self.is_there:
            return ()
        return (ObjectUser(id="1", name=f"{STACK}-caddy-1", image_id="caddy"),)

    async def volumes(self) -> tuple[StoredVolume, ...]:
        await self.users()
        return (StoredVolume(name=f"{STACK}_data", driver="local"),)


@pytest.fixture
def runner(store: Store, resources: Resources, clock: HandClock) -> JobRunner:
    return JobRunner(store, resources, clock, Audit(store, clock))


@pytest.mark.parametrize("is_there", [True, False])
async def test_it_is_removed_also_by_a_job_that_is_taken_up_before_any_stack_is_known(
    runner: JobRunner, resources: Resources, tmp_path: Path, *, is_there: bool
) -> None:
    host = Host(is_there=is_there, known_after=2)

    await ManagedCaddy(host, host, resources, runner, tmp_path).remove(volumes=False)

    assert not host.is_there


async def test_its_volumes_are_looked_for_until_docker_answers(
    runner: JobRunner, resources: Resources, tmp_path: Path
) -> None:
    host = Host(is_there=True, known_after=2)

    assert await ManagedCaddy(host, host, resources, runner, tmp_path).has_volumes()
