"""The container commands as jobs of one step each, safe to take up again after a crash."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from homelab_agent.areas.containers.identity import key_of
from homelab_agent.areas.containers.protection import Protection
from homelab_agent.areas.containers.refresher import Refresher
from homelab_agent.areas.containers.status import EngineState
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.models import IN_USE, ContainerState, EngineContainer
from homelab_agent.platform.errors import AgentError, Conflict, NotFound, Protected, Unavailable
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model

DEADLY_SIGNALS = frozenset({"SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT"})
"""Asking a stopped container to end with one of these asks for what is so already."""

_RETURN_S = 60.0
_LOOK_AGAIN_S = 0.5


_log = get_logger(__name__)


class ContainerCommand(Model):
    """What a command is about. `started_at`: when the container last started, as it was asked."""

    container_id: str
    name: str
    started_at: datetime | None = None
    timeout_s: int | None = None
    signal: str = "SIGKILL"


type _Context = StepContext[ContainerCommand]
type _Do = Callable[[_Context], Awaitable[StepResult]]


class ContainerJobs:
    """Does the commands, each followed by a look, so that the caller sees the effect."""

    def __init__(
        self,
        engine: Engine,
        refresher: Refresher,
        protection: Protection,
        state: EngineState,
        *,
        return_s: float = _RETURN_S,
    ) -> None:
        self._engine = engine
        self._refresher = refresher
        self._protection = protection
        self._state = state
        self._return_s = return_s

    def kinds(self) -> tuple[JobKind[ContainerCommand], ...]:
        """Return every kind, named like the command that starts it."""
        return tuple(
            JobKind(
                name=f"containers.{verb}",
                arguments=ContainerCommand,
                steps=(Step(name=verb, do=self._naming(do)),),
                recovery=Recovery.GO_ON,
            )
            for verb, do in self._verbs().items()
        )

    def _verbs(self) -> dict[str, _Do]:
        return {
            "start": self._start,
            "stop": self._stop,
            "restart": self._restart,
            "pause": self._pause,
            "unpause": self._unpause,
            "kill": self._kill,
        }

    def _naming(self, do: _Do) -> _Do:
        """Let what goes wrong speak of the container by its name, which is what a person knows."""

        async def named(context: _Context) -> StepResult:
            try:
                return await do(context)
            except AgentError as error:
                told = self._state.dated(error) if isinstance(error, Unavailable) else error
                arguments = context.arguments
                raise type(error)(
                    told.message.replace(arguments.container_id[:12], arguments.name),
                    field=told.field,
                    hint=told.hint,
                    extra=told.extra,
                ) from error

        return named

    async def _start(self, context: _Context) -> StepResult:
        row = await self._look(context)
        if row.state is ContainerState.RUNNING:
            return _so_already(context, f"{row.name} is running.", f"{row.name} was started.")
        await self._engine.start(row.id)
        return await self._ended(row, "was started")

    async def _stop(self, context: _Context) -> StepResult:
        row = await self._look_unprotected(context)
        if row.state not in IN_USE:
            return _so_already(context, f"{row.name} is not running.", f"{row.name} was stopped.")
        if _started_since(context, row):
            return StepResult(message=f"{row.name} was stopped, and has been started again since.")
        await self._engine.stop(row.id, context.arguments.timeout_s)
        return await self._ended(row, "was stopped")

    async def _restart(self, context: _Context) -> StepResult:
        row = await self._look_unprotected(context)
        if _started_since(context, row):
            return StepResult(message=f"{row.name} was restarted.")
        if context.again and row.state not in IN_USE:
            # The crash came between its stop and its start.
            await self._engine.start(row.id)
        else:
            await self._engine.restart(row.id, context.arguments.timeout_s)
        return await self._ended(row, "was restarted")

    async def _pause(self, context: _Context) -> StepResult:
        row = await self._look_unprotected(context)
        if row.state is ContainerState.PAUSED:
            return _so_already(context, f"{row.name} is paused.", f"{row.name} was paused.")
        await self._engine.pause(row.id)
        return await self._ended(row, "was paused")

    async def _unpause(self, context: _Context) -> StepResult:
        row = await self._look(context)
        if row.state is ContainerState.RUNNING:
            return _so_already(context, f"{row.name} is not paused.", f"{row.name} was unpaused.")
        await self._engine.unpause(row.id)
        return await self._ended(row, "was unpaused")

    async def _kill(self, context: _Context) -> StepResult:
        signal = context.arguments.signal
        row = await self._look_unprotected(context)
        if row.state not in IN_USE and signal in DEADLY_SIGNALS:
            return _so_already(context, f"{row.name} is not running.", f"{row.name} was killed.")
        if _started_since(context, row):
            return StepResult(message=f"{row.name} was killed, and has been started again since.")
        if context.again and signal not in DEADLY_SIGNALS:
            raise Conflict(
                f"The agent was interrupted while it sent {signal} to {row.name}: whether it "
                "arrived is not known, and it is not sent twice.",
                hint="Send it again if the container did not act on it.",
            )
        await self._engine.kill(row.id, signal)
        return await self._ended(row, f"was sent {signal}")

    async def _look_unprotected(self, context: _Context) -> EngineContainer:
        """Return the container as it is; raise `Protected` where it is so at this moment.

        The gate has looked before; since then the name may have gone to another container, or
        the agent may have started anew with other settings.
        """
        row = await self._look(context)
        if reason := self._protection.reason(row, key_of(row.name, row.labels)):
            raise Protected(reason, field="name")
        return row

    async def _look(self, context: _Context) -> EngineContainer:
        """Return the container as it is; after a crash wait for an engine that is still away."""
        arguments = context.arguments
        give_up = asyncio.get_running_loop().time() + self._return_s
        while True:
            try:
                return await self._engine.inspect(arguments.container_id)
            except NotFound:
                raise NotFound(f"The container {arguments.name} does not exist any more.") from None
            except Unavailable:
                if not context.again or asyncio.get_running_loop().time() > give_up:
                    raise
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _ended(self, before: EngineContainer, what: str) -> StepResult:
        """Publish how the container is after the command, and say it."""
        try:
            row = await self._refresher.refresh(before.id)
        except AgentError as error:
            # It was done; only its effect cannot be seen yet. The watch finds it.
            _log.warning("effect_not_seen", container=before.name, why=error.message)
            return StepResult(message=f"{before.name} {what}.")
        ending = ""
        if row is not None and row.exit_code is not None:
            ending = f" and ended with exit code {row.exit_code}"
        return StepResult(message=f"{before.name} {what}{ending}.")


def _so_already(context: _Context, is_so: str, became_so: str) -> StepResult:
    # A command that was begun before a crash has probably made it so.
    return StepResult(needed=context.again, message=became_so if context.again else is_so)


def _started_since(context: _Context, row: EngineContainer) -> bool:
    """Return whether an interrupted command was done: the container has started once more since.

    What was known as it was asked may come from the event of the start, which is told after it;
    and of a container that had only just started it may not have been known at all.
    """
    known = context.arguments.started_at
    if not context.again or row.state not in IN_USE or known is None or row.started_at is None:
        return False
    return row.started_at > known
