"""Every step leaves a line in the domain's history: who, what, before, after, and how it ended."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from homelab_agent.areas.domains.models import DomainEventType
from homelab_agent.areas.provisioning.arguments import DeprovisionArguments, ProvisionArguments
from homelab_agent.areas.provisioning.partners import Domains
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import AgentError, errors_by_code
from homelab_agent.platform.jobs.kinds import Step, StepContext, StepResult
from homelab_agent.platform.logging import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """How a step went: what is journaled of it, and what its line of the history says.

    `ends`: what has come to a good end by this step; it is the last line.
    """

    message: str
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    needed: bool = True
    before: JsonValue = None
    after: JsonValue = None
    ends: DomainEventType | None = None


class Chronicle:
    """Makes steps that tell of themselves."""

    def __init__(self, domains: Domains) -> None:
        self._domains = domains

    def step[Arguments: (ProvisionArguments, DeprovisionArguments)](
        self,
        name: str,
        do: Callable[[StepContext[Arguments]], Awaitable[Told]],
        undo: Callable[[StepContext[Arguments]], Awaitable[str]] | None = None,
    ) -> Step[Arguments]:
        """Return a step of a job. `undo` returns what to say of it.

        What goes wrong is told with the name of the step.
        """

        async def told(context: StepContext[Arguments]) -> StepResult:
            return await self._do(name, do, context)

        if undo is None:
            return Step(name, told)

        async def told_back(context: StepContext[Arguments]) -> None:
            await self._undo(name, undo, context)

        return Step(name, told, told_back)

    async def _do[Arguments: (ProvisionArguments, DeprovisionArguments)](
        self,
        name: str,
        do: Callable[[StepContext[Arguments]], Awaitable[Told]],
        context: StepContext[Arguments],
    ) -> StepResult:
        # Again at each step: a start of the agent has forgotten it.
        await self._domains.changing(context.arguments.name, context.job_id)
        try:
            went = await do(context)
        except AgentError as error:
            await self._note_failure(name, context, error)
            raise _with_step(error, name) from error
        await self.note(
            context,
            DomainEventType.STEP,
            step=name,
            outcome=Outcome.DONE if went.needed else Outcome.NOT_NEEDED,
            message=went.message,
            before=went.before,
            after=went.after,
        )
        if went.ends is not None:
            await self.note(context, went.ends, outcome=Outcome.DONE, message=went.message)
        return StepResult(data=went.data, needed=went.needed, message=went.message)

    async def _undo[Arguments: (ProvisionArguments, DeprovisionArguments)](
        self,
        name: str,
        undo: Callable[[StepContext[Arguments]], Awaitable[str]],
        context: StepContext[Arguments],
    ) -> None:
        try:
            message = await undo(context)
        except AgentError as error:
            await self._note_failure(name, context, error)
            raise
        await self.note(
            context, DomainEventType.STEP, step=name, outcome=Outcome.UNDONE, message=message
        )

    async def note[Arguments: (ProvisionArguments, DeprovisionArguments)](
        self,
        context: StepContext[Arguments],
        type: DomainEventType,  # noqa: A002 - as the history calls it
        *,
        step: str | None = None,
        outcome: Outcome | None = None,
        message: str | None = None,
        before: JsonValue = None,
        after: JsonValue = None,
    ) -> None:
        """Write a line. One that cannot be written does not stop the work."""
        try:
            await self._domains.note(
                context.arguments.name,
                type,
                caller=context.arguments.caller,
                step=step,
                outcome=outcome,
                message=message,
                before=before,
                after=after,
                job_id=context.job_id,
            )
        except AgentError as error:
            _log.warning("step_not_noted", job=context.job_id, step=step, why=error.message)

    async def _note_failure[Arguments: (ProvisionArguments, DeprovisionArguments)](
        self, step: str, context: StepContext[Arguments], error: AgentError
    ) -> None:
        await self.note(
            context,
            DomainEventType.FAILED,
            step=step,
            outcome=Outcome.FAILED,
            message=f"{error.message} {error.hint}" if error.hint else error.message,
        )


def _with_step(error: AgentError, step: str) -> AgentError:
    """Return the same error, saying at which step it came."""
    kind = errors_by_code().get(error.code, AgentError)
    return kind(
        f"Step {step}: {error.message}",
        field=error.field,
        hint=error.hint,
        retry_after_s=error.retry_after_s,
        extra={**error.extra, "step": step},
    )
