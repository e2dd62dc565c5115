"""Start, stop and restart of a stack: a step for each service, in the order they need each other.

No step is undone: what runs already when a later service fails is left running, and the error
says which service failed. An interrupted step is done again, which changes nothing where it was
done before.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial

from homelab_agent.areas.stacks.labels import SERVICE_COMPLETED, SERVICE_HEALTHY
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.models import (
    IN_USE,
    ContainerHealth,
    ContainerState,
    EngineContainer,
)
from homelab_agent.platform.errors import (
    AgentError,
    Failed,
    NotFound,
    Protected,
    TimedOut,
    Unavailable,
)
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.model import Model

CONDITION_S = 180.0
"""How long a service may take to become what another one waits for."""

RETURN_S = 60.0
_LOOK_AGAIN_S = 0.5
_LONGEST_STEP_NAME = 64


type Guard = Callable[[EngineContainer], str | None]
"""Returns why a container must not be touched, None where nothing protects it."""


type Look = Callable[[str], Awaitable[object]]
"""Looks at a container now, so that what is published of it is true."""


class Member(Model):
    """A container of a stack, as it was when the command was given."""

    key: str
    id: str
    name: str


class Part(Model):
    """A service of a stack: what it waits for, by service, and its containers."""

    service: str
    needs: dict[str, str]
    members: tuple[Member, ...]


class OperateArguments(Model):
    """What to stop, then what to start, each in this order. `everything`: the whole stack."""

    stack: str
    stop: tuple[Part, ...] = ()
    start: tuple[Part, ...] = ()
    everything: tuple[Part, ...]
    asked_at: datetime


type _Context = StepContext[OperateArguments]
type _Do = Callable[[_Context], Awaitable[StepResult]]


def held_keys(arguments: OperateArguments) -> tuple[str, ...]:
    """Return the containers that such a job keeps from others."""
    return tuple(each.key for part in arguments.everything for each in part.members)


class OperateJobs:
    """Does the commands. `guard` is asked again before each stop."""

    def __init__(
        self,
        engine: Engine,
        guard: Guard,
        look: Look,
        *,
        condition_s: float = CONDITION_S,
        return_s: float = RETURN_S,
    ) -> None:
        self._engine = engine
        self._guard = guard
        self._publish = look
        self._condition_s = condition_s
        self._return_s = return_s

    def kinds(self) -> tuple[JobKind[OperateArguments], ...]:
        """Return every kind, named like the command that starts it."""
        return tuple(
            JobKind(
                name=f"stacks.{verb}",
                arguments=OperateArguments,
                steps=self._steps,
                recovery=Recovery.GO_ON,
                holds=held_keys,
            )
            for verb in ("start", "stop", "restart")
        )

    def _steps(self, arguments: OperateArguments) -> tuple[Step[OperateArguments], ...]:
        return (
            *(_step("stop", part, self._stop) for part in arguments.stop),
            *(_step("start", part, self._start) for part in arguments.start),
        )

    async def _stop(self, part: Part, context: _Context) -> StepResult:
        rows = [await self._look(each, context) for each in part.members]
        up = [row for row in rows if row is not None and row.state in IN_USE]
        for row in up:
            if reason := self._guard(row):
                raise Protected(reason, field="name")
        report(None, f"{part.service} is being stopped")
        await asyncio.gather(*(self._engine.stop(row.id, None) for row in up))
        await self._show(up)
        return StepResult(needed=bool(up) or context.again, message=f"{part.service} was stopped.")

    async def _start(self, part: Part, context: _Context) -> StepResult:
        rows: list[EngineContainer] = []
        for member in part.members:
            row = await self._look(member, context)
            if row is None:
                raise NotFound(f"The container {member.name} does not exist any more.")
            rows.append(row)
        down = [row for row in rows if row.state is not ContainerState.RUNNING]
        if down:
            await self._wait_for_needs(part, context)
        try:
            for row in down:
                if row.state is ContainerState.PAUSED:
                    await self._engine.unpause(row.id)
                elif row.state is not ContainerState.RESTARTING:
                    await self._engine.start(row.id)
        finally:
            # No event tells of a start that failed.
            await self._show(down)
        return StepResult(
            needed=bool(down) or context.again, message=f"{part.service} was started."
        )

    async def _wait_for_needs(self, part: Part, context: _Context) -> None:
        parts = {each.service: each for each in context.arguments.everything}
        for service, condition in part.needs.items():
            if service in parts and condition in (SERVICE_HEALTHY, SERVICE_COMPLETED):
                for member in parts[service].members:
                    await self._wait_for(member, service, condition, part, context)

    async def _wait_for(
        self, member: Member, service: str, condition: str, part: Part, context: _Context
    ) -> None:
        give_up = asyncio.get_running_loop().time() + self._condition_s
        wanted = "to be healthy" if condition == SERVICE_HEALTHY else "to end well"
        while True:
            row = await self._look(member, context)
            if row is None or _meets(row, condition, service):
                return
            if asyncio.get_running_loop().time() > give_up:
                raise TimedOut(
                    f"{part.service} waited {self._condition_s:g} s for {service} {wanted}."
                )
            report(None, f"{part.service} waits for {service} {wanted}")
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _show(self, rows: Iterable[EngineContainer]) -> None:
        for row in rows:
            with contextlib.suppress(AgentError):  # the watch finds it later
                await self._publish(row.id)

    async def _look(self, member: Member, context: _Context) -> EngineContainer | None:
        """Return the container, None when it is gone; after a crash wait for the engine."""
        give_up = asyncio.get_running_loop().time() + self._return_s
        while True:
            try:
                return await self._engine.inspect(member.id)
            except NotFound:
                return None
            except Unavailable:
                if not context.again or asyncio.get_running_loop().time() > give_up:
                    raise
            await asyncio.sleep(_LOOK_AGAIN_S)


def _meets(row: EngineContainer, condition: str, service: str) -> bool:
    """Return whether a container is what others wait for; raise where it never will be."""
    if condition == SERVICE_COMPLETED:
        if row.exit_code:
            raise Failed(f"{service} ended with exit code {row.exit_code}")
        return row.state is ContainerState.EXITED
    if row.state not in IN_USE:
        raise Failed(f"{service} does not run")
    if row.health is ContainerHealth.UNHEALTHY:
        raise Failed(f"{service} is unhealthy")
    return row.health is ContainerHealth.HEALTHY or not row.has_health_check


def _step(
    verb: str, part: Part, do: Callable[[Part, _Context], Awaitable[StepResult]]
) -> Step[OperateArguments]:
    name = f"{verb} {part.service}"
    if len(name) > _LONGEST_STEP_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name[: _LONGEST_STEP_NAME - 9]}-{digest}"
    return Step(name=name, do=_naming(verb, part, partial(do, part)))


def _naming(verb: str, part: Part, do: _Do) -> _Do:
    """Let what goes wrong say which service it was, and what became of the others."""

    async def named(context: _Context) -> StepResult:
        try:
            return await do(context)
        except AgentError as error:
            word = "started" if verb == "start" else "stopped"
            raise type(error)(
                f"{part.service} could not be {word}: {error.message.rstrip('.')}. "
                "The other services were left as they are.",
                field=error.field,
                hint=error.hint,
                extra=error.extra,
            ) from error

    return named
