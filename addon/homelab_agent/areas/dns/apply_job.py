"""Applying a plan as a job: check that all is as planned, write, read back; or take it back."""

from homelab_agent.areas.dns.models import DnsPlan
from homelab_agent.areas.dns.planning import line
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.platform.errors import Conflict, Failed
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.model import Model

APPLY_JOB = "dns.apply"


class ApplyArguments(Model):
    """What to apply. `admin`: an admin asked."""

    plan: DnsPlan
    admin: bool = False


type _Context = StepContext[ApplyArguments]


class ApplyJob:
    """The steps. Each stands being repeated: what is made already counts as done."""

    def __init__(self, service: DnsService) -> None:
        self._service = service

    def kind(self) -> JobKind[ApplyArguments]:
        """Return the kind."""
        return JobKind(
            name=APPLY_JOB,
            arguments=ApplyArguments,
            steps=(
                Step("check", self._check),
                Step("write", self._write, self._take_back),
                Step("verify", self._verify),
            ),
            recovery=Recovery.GO_ON,
        )

    async def _check(self, context: _Context) -> StepResult:
        plan = context.arguments.plan
        strange = await self._service.differing(plan)
        if strange is not None:
            raise Conflict(
                f"{plan.zone} was changed meanwhile: {strange}. Nothing was written.",
                hint="Make the plan anew, and look at it again",
            )
        return StepResult()

    async def _write(self, context: _Context) -> StepResult:
        plan = context.arguments.plan
        await self._service.write(plan, again=context.again, counted_for=_counted(context))
        return StepResult(message=f"{plan.zone}: {'; '.join(map(line, plan.changes))}")

    async def _take_back(self, context: _Context) -> None:
        await self._service.take_back(context.arguments.plan, counted_for=_counted(context))

    async def _verify(self, context: _Context) -> StepResult:
        plan = context.arguments.plan
        missing = await self._service.unmade(plan)
        if missing:
            raise Failed(
                f"{plan.zone} does not hold what was written: {'; '.join(map(line, missing))}.",
                hint="Somebody may have changed it in the same moment; look at it again",
            )
        await self._service.applied(plan, context.job_id)
        return StepResult()


def _counted(context: _Context) -> str | None:
    return None if context.arguments.admin else context.job_id
