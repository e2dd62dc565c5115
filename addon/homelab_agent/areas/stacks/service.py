"""What can be asked of stacks, and told to their services."""

from collections.abc import Sequence

from homelab_agent.areas.containers.models import Container, ContainerQuery
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.recreate.service import RecreateService
from homelab_agent.areas.stacks.inventory import (
    UP,
    by_service,
    is_finished,
    newest,
    protection_of,
)
from homelab_agent.areas.stacks.labels import dependencies_of
from homelab_agent.areas.stacks.models import STACK_KIND, Stack, StackList
from homelab_agent.areas.stacks.names import job_target
from homelab_agent.areas.stacks.operate_jobs import Member, OperateArguments, Part
from homelab_agent.areas.stacks.order import in_order
from homelab_agent.areas.stacks.update_job import StackUpdateArguments
from homelab_agent.areas.stacks.watch import StackWatch
from homelab_agent.areas.updates.models import (
    CONTAINER_UPDATE_KIND,
    ContainerUpdate,
    UpdateState,
)
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Caller, Outcome
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.errors import Conflict, NotFound
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.resources import Resources

_DOING = {"start": "being started", "stop": "being stopped", "restart": "being restarted"}


class StackService:
    """The compose projects of this host.

    While the engine is away they are `Unavailable`, but for what is known without it.
    """

    def __init__(
        self,
        watch: StackWatch,
        containers: ContainerService,
        recreate: RecreateService,
        resources: Resources,
        runner: JobRunner,
        clock: Clock,
    ) -> None:
        self._watch = watch
        self._containers = containers
        self._recreate = recreate
        self._resources = resources
        self._runner = runner
        self._clock = clock

    def list(self) -> StackList:
        """Return all stacks, by name."""
        self._containers.require_readable()
        return StackList(stacks=self._resources.every(STACK_KIND, Stack))

    def get(self, name: str) -> Stack:
        """Return one stack; `NotFound` names it."""
        self._containers.require_readable()
        return self.last_known(name)

    def last_known(self, name: str) -> Stack:
        """Return one stack as last known, also while the engine is away.

        Raises:
            NotFound: there is none of that name.
            Unavailable: it is not known, and the engine cannot be asked.
        """
        found = self._resources.get(STACK_KIND, name)
        if not isinstance(found, Stack):
            self._containers.require_readable()
            raise NotFound(
                f"There is no stack {name[:200]!r} on this host.",
                hint="GET /api/v1/stacks lists them all.",
            )
        return found

    async def protected_reason(self, name: str) -> str | None:
        """Return why a stack must not be stopped or changed; None where nothing protects it."""
        return protection_of(self._containers.list(ContainerQuery(project=name)).containers)

    async def command(
        self, verb: str, name: str, caller: Caller, *, wait_s: float
    ) -> CommandResult:
        """Start, stop or restart the services of a stack, in the order they need each other."""
        self.get(name)
        containers = self._watch.containers(name)
        if not containers:
            raise Conflict(
                f"There is nothing of {name} to {verb}: it is not deployed at the moment.",
                field="name",
                hint="Deploy it again: restore its current version.",
            )
        job = await self._runner.start(
            f"stacks.{verb}", job_target(name), self._arguments(verb, name, containers), caller
        )
        ended = await self._runner.wait(job.id, wait_s)
        return answer(ended, meanwhile=f"{name} is still {_DOING[verb]}.")

    async def update(self, name: str, caller: Caller, *, wait_s: float) -> CommandResult:
        """Update what has a newer image, in the order the services need each other, in one job."""
        self.get(name)
        parts = _parts(self._watch.containers(name))
        keys = [each.key for part in parts for each in part.members if self._has_update(each.key)]
        if not keys:
            return CommandResult(
                outcome=Outcome.NOT_NEEDED, message=f"No newer image is known for {name}."
            )
        targets = await self._recreate.plan(keys)
        held = tuple(each.key for part in parts for each in part.members)
        arguments = StackUpdateArguments(stack=name, targets=targets, held=held)
        job = await self._runner.start("stacks.update", job_target(name), arguments, caller)
        ended = await self._runner.wait(job.id, wait_s)
        return answer(ended, meanwhile=f"{name} is still being updated.")

    def _has_update(self, key: str) -> bool:
        known = self._resources.get(CONTAINER_UPDATE_KIND, key)
        return isinstance(known, ContainerUpdate) and known.state is UpdateState.AVAILABLE

    def _arguments(self, verb: str, name: str, containers: Sequence[Container]) -> OperateArguments:
        everything = _parts(containers)
        # A job has a step at least: stopping what does not run finds that there is nothing to do.
        running = tuple(each for each in everything if _any_up(each, containers)) or everything
        wanted = _parts_to_start(everything, containers)
        return OperateArguments(
            stack=name,
            stop=() if verb == "start" else tuple(reversed(running)),
            start=() if verb == "stop" else wanted,
            everything=everything,
            asked_at=self._clock(),
        )


def _parts(containers: Sequence[Container]) -> tuple[Part, ...]:
    services = by_service(containers)
    needs = {name: dependencies_of(newest(each).labels) for name, each in services.items()}
    return tuple(
        Part(
            service=name,
            needs=needs[name],
            members=tuple(
                Member(key=each.key, id=each.id, name=each.name) for each in services[name]
            ),
        )
        for name in in_order(needs)
    )


def _parts_to_start(
    everything: tuple[Part, ...], containers: Sequence[Container]
) -> tuple[Part, ...]:
    """Leave out what has done its work, unless the whole stack is down and begins anew."""
    if not any(each.state in UP for each in containers):
        return everything
    finished = {each.key for each in containers if is_finished(each)}
    return tuple(part for part in everything if not {each.key for each in part.members} <= finished)


def _any_up(part: Part, containers: Sequence[Container]) -> bool:
    keys = {each.key for each in part.members}
    return any(each.key in keys and not _is_down(each) for each in containers)


def _is_down(container: Container) -> bool:
    return container.state not in UP and container.state is not ContainerState.RESTARTING
