"""The swarm's commands as jobs of one step each."""

from collections.abc import Awaitable, Callable

from homelab_agent.areas.swarm.watch import SwarmWatch
from homelab_agent.platform.engine.swarm import NodeAvailability, SwarmEngine
from homelab_agent.platform.errors import AgentError, Conflict, Invalid
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model

_log = get_logger(__name__)


class SwarmCommand(Model):
    """What a command is about: a service with `replicas`, or a node with `availability`."""

    id: str
    name: str
    replicas: int | None = None
    availability: str | None = None


type _Do = Callable[[StepContext[SwarmCommand]], Awaitable[StepResult]]


class SwarmJobs:
    """Does the commands, each followed by a look, so that the caller sees the effect."""

    def __init__(self, engine: SwarmEngine, watch: SwarmWatch) -> None:
        self._engine = engine
        self._watch = watch

    def kinds(self) -> tuple[JobKind[SwarmCommand], ...]:
        """Return every kind, named like the command that starts it."""
        verbs: dict[str, _Do] = {
            "scale": self._scale,
            "force_update": self._force_update,
            "roll_back": self._roll_back,
            "set_availability": self._set_availability,
        }
        return tuple(
            JobKind(
                name=f"swarm.{verb}",
                arguments=SwarmCommand,
                steps=(Step(name=verb, do=do),),
                recovery=Recovery.GO_ON,
            )
            for verb, do in verbs.items()
        )

    async def _scale(self, context: StepContext[SwarmCommand]) -> StepResult:
        command = context.arguments
        if command.replicas is None:
            raise Invalid("A number of tasks is needed.", field="replicas")
        service = await self._engine.service(command.name)
        if service.replicas == command.replicas:
            return StepResult(
                needed=False, message=f"{command.name} has {command.replicas} already."
            )
        await self._engine.scale(command.name, command.replicas)
        return await self._done(f"{command.name} was scaled to {command.replicas}.")

    async def _force_update(self, context: StepContext[SwarmCommand]) -> StepResult:
        _refuse_again(context, "start its tasks anew")
        await self._engine.force_update(context.arguments.name)
        return await self._done(f"The tasks of {context.arguments.name} are started anew.")

    async def _roll_back(self, context: StepContext[SwarmCommand]) -> StepResult:
        # Twice would be back and forth.
        _refuse_again(context, "roll it back")
        await self._engine.roll_back(context.arguments.name)
        return await self._done(f"{context.arguments.name} was rolled back.")

    async def _set_availability(self, context: StepContext[SwarmCommand]) -> StepResult:
        command = context.arguments
        wanted = NodeAvailability(command.availability or "")
        node = await self._engine.node(command.id)
        if node.availability == wanted:
            return StepResult(needed=False, message=f"{command.name} is set to {wanted} already.")
        await self._engine.set_availability(command.id, wanted)
        return await self._done(f"{command.name} was set to {wanted}.")

    async def _done(self, message: str) -> StepResult:
        try:
            await self._watch.look()
        except AgentError as error:
            # It was done; only its effect cannot be seen yet. The watch finds it.
            _log.warning("effect_not_seen", why=error.message)
        return StepResult(message=message)


def _refuse_again(context: StepContext[SwarmCommand], what: str) -> None:
    if context.again:
        raise Conflict(
            f"The agent was interrupted while it asked {context.arguments.name} to {what}: whether "
            "that arrived is not known, and it is not asked twice.",
            hint="Look at the service, and ask again if it is still wanted.",
        )
