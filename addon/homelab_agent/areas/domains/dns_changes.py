"""Making the DNS as a domain wants it, or removing its records: by a plan that somebody saw."""

import re

from homelab_agent.areas.dns.models import DnsPlan, PlanBody, RecordSet, WantedRecords
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.domains.models import (
    DomainApplyBody,
    DomainDeleteQuery,
    DomainPlanBody,
)
from homelab_agent.areas.domains.service import DomainService, require_deletable
from homelab_agent.areas.domains.watched import Watched
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.errors import AgentError, Conflict, Denied, Invalid, NotFound
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.model import Model

JOB = "domains.apply"
SERVED_WITHIN_S = 120.0


class ApplyArguments(Model):
    """A plan of a domain's records to be applied. `forget`: the domain is deleted after it.

    `admin`: an admin asked.
    """

    domain: str
    caller: str
    remove: bool
    forget: bool
    admin: bool = False
    plan: DnsPlan


type _Context = StepContext[ApplyArguments]


class DnsChanges:
    """Plans and applies what domains want of the DNS."""

    def __init__(self, dns: DnsService, service: DomainService, runner: JobRunner) -> None:
        self._dns = dns
        self._service = service
        self._runner = runner
        runner.register(
            JobKind(
                JOB,
                ApplyArguments,
                self._steps,
                Recovery.GO_ON,
                holds=lambda arguments: (f"domain:{arguments.domain}",),
            )
        )

    async def plan(self, name: str, body: DomainPlanBody) -> DnsPlan:
        """Return what would change in the DNS.

        Raises:
            NotFound: there is no such domain, or nobody manages its zone.
            Invalid: it wants no records.
        """
        return await self._plan(await self._service.get(name), remove=body.remove)

    async def apply(self, name: str, body: DomainApplyBody, caller: Caller) -> CommandResult:
        """Apply a plan by its hash.

        Raises:
            Conflict: the plan would be another one by now.
            Denied: it needs an admin.
        """
        watched = await self._service.get(name)
        return await self._start(
            watched, caller, body.plan_hash, remove=body.remove, wait_s=body.wait_s
        )

    async def delete(self, name: str, query: DomainDeleteQuery, caller: Caller) -> CommandResult:
        """Look after a domain no longer; with a plan's hash its DNS records go first, by that plan.

        Raises:
            Conflict: it is provisioned, or the plan would be another one by now.
        """
        if query.plan_hash is None:
            return await self._service.forget(name, caller)
        watched = await self._service.get(name)
        require_deletable(watched)
        return await self._start(
            watched, caller, query.plan_hash, remove=True, wait_s=query.wait_s, forget=True
        )

    async def _start(
        self,
        watched: Watched,
        caller: Caller,
        plan_hash: str,
        *,
        remove: bool,
        wait_s: float | None,
        forget: bool = False,
    ) -> CommandResult:
        plan = await self._plan(watched, remove=remove)
        _require_seen(plan, plan_hash)
        is_admin = caller.scope.includes(Scope.ADMIN)
        if plan.needs_admin and not is_admin:
            raise Denied(
                f"An admin has to say that: {plan.needs_admin}",
                hint="Ask somebody whose token has the scope admin",
            )
        arguments = ApplyArguments(
            domain=watched.id,
            caller=caller.name,
            remove=remove,
            forget=forget,
            admin=is_admin,
            plan=plan,
        )
        job = await self._runner.start(JOB, f"dns:{plan.zone}", arguments, caller)
        return answer(
            await self._runner.wait(job.id, wait_s),
            meanwhile=f"The records of {watched.id} are being changed.",
        )

    async def _plan(self, watched: Watched, *, remove: bool) -> DnsPlan:
        settings = watched.kept.settings
        if not settings.records:
            raise Invalid(
                f"{watched.id} wants no records, so there is nothing to plan",
                field="records",
                hint="Say first which records it is to have",
            )
        # Asked for here, so that it is the domain's own fields that an error names.
        self._dns.home_of(watched.id, settings.provider, field="provider")
        wanted = tuple(
            WantedRecords(
                name=watched.id,
                type=each.type,
                values=() if remove else each.values,
                ttl_s=None if remove else each.ttl_s,
            )
            for each in settings.records
        )
        try:
            return await self._dns.plan(PlanBody(wanted=wanted, provider=settings.provider))
        except AgentError as error:
            # The place in the plan is the one in the domain's own records.
            error.field = error.field and re.sub(r"^wanted\b", "records", error.field)
            raise

    def _steps(self, arguments: ApplyArguments) -> tuple[Step[ApplyArguments], ...]:
        steps = (
            Step("check", self._check),
            Step("write", self._write, self._take_back),
            Step("verify", self._verify),
        )
        return (*steps, Step("forget", self._forget)) if arguments.forget else steps

    async def _check(self, context: _Context) -> StepResult:
        arguments = context.arguments
        await self._service.changing(arguments.domain, context.job_id)
        watched = await self._service.get(arguments.domain)
        _require_seen(await self._plan(watched, remove=arguments.remove), arguments.plan.hash)
        return StepResult(needed=False)

    async def _write(self, context: _Context) -> StepResult:
        plan = context.arguments.plan
        await self._dns.write(plan, again=context.again, counted_for=_counted(context))
        return StepResult(needed=bool(plan.changes), message=plan.text)

    async def _take_back(self, context: _Context) -> None:
        arguments = context.arguments
        await self._dns.take_back(arguments.plan, counted_for=_counted(context))
        await self._service.changing(arguments.domain, None)

    async def _verify(self, context: _Context) -> StepResult:
        arguments = context.arguments
        wanted = [
            each.after or RecordSet(name=each.name, type=each.type, values=())
            for each in arguments.plan.changes
        ]
        if wanted:
            await self._dns.wait_until_served(wanted, within_s=SERVED_WITHIN_S)
            await self._service.note_applied(
                arguments.plan, arguments.caller, context.job_id, only=arguments.domain
            )
        await self._service.changing(arguments.domain, None)
        return StepResult(needed=False)

    async def _forget(self, context: _Context) -> StepResult:
        arguments = context.arguments
        try:
            await self._service.forget(
                arguments.domain, Caller(name=arguments.caller, scope=Scope.OPERATE)
            )
        except NotFound:
            return StepResult(needed=False)
        return StepResult(message=f"{arguments.domain} is not looked after any more.")


def _counted(context: _Context) -> str | None:
    return None if context.arguments.admin else context.job_id


def _require_seen(plan: DnsPlan, plan_hash: str) -> None:
    if plan.hash != plan_hash:
        raise Conflict(
            "The DNS has changed since it was planned, so something else would be done now",
            field="plan_hash",
            hint="Plan it again, and look at what would change",
        )
