"""Plans that a person was shown, and applying exactly those."""

from collections import OrderedDict

from homelab_agent.areas.dns.admin_rule import ADMIN_HINT
from homelab_agent.areas.dns.apply_job import APPLY_JOB, ApplyArguments
from homelab_agent.areas.dns.models import ApplyBody, DnsPlan, PlanBody
from homelab_agent.areas.dns.planning import line
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.dns_names import is_within
from homelab_agent.platform.errors import Busy, Conflict, Denied
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner

MOST_REMEMBERED = 64
"""Plans whose lines are known, to say what is different by now; their hashes do not need it."""


class PlanDesk:
    """Makes plans, and applies those that still are what they were."""

    def __init__(self, service: DnsService, runner: JobRunner) -> None:
        self._service = service
        self._runner = runner
        self._shown: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    async def plan(self, body: PlanBody) -> DnsPlan:
        """See `DnsService.plan`."""
        plan = await self._service.plan(body)
        self._shown[plan.hash] = tuple(map(line, plan.changes))
        self._shown.move_to_end(plan.hash)
        while len(self._shown) > MOST_REMEMBERED:
            self._shown.popitem(last=False)
        return plan

    async def apply(self, body: ApplyBody, caller: Caller) -> CommandResult:
        """Apply a plan that a person was shown.

        Raises:
            Conflict: it would be another one by now; nothing was changed.
            Denied: only an admin may apply this one.
        """
        wanted = PlanBody(wanted=body.wanted, zone=body.zone, provider=body.provider)
        plan = await self._service.plan(wanted)
        if plan.hash != body.plan_hash:
            raise Conflict(
                self._different(body.plan_hash, plan),
                field="plan_hash",
                hint="Look at the plan as it is now, and apply that one",
                extra={"plan_hash": plan.hash},
            )
        is_admin = caller.scope.includes(Scope.ADMIN)
        if plan.needs_admin is not None and not is_admin:
            raise Denied(f"{plan.needs_admin} Only an admin may do that.", hint=ADMIN_HINT)
        if not plan.changes:
            return CommandResult(
                outcome=Outcome.NOT_NEEDED, message=f"{plan.zone} is so already.", job=None
            )
        job = await self._runner.start(
            APPLY_JOB, f"dns:{plan.zone}", ApplyArguments(plan=plan, admin=is_admin), caller
        )
        ended = await self._runner.wait(job.id, body.wait_s)
        return answer(ended, meanwhile=f"The changes of {plan.zone} are being made.")

    async def remove_provider(self, key: str) -> str:
        """See `ProviderBook.remove`.

        Raises:
            Busy: a job writes to one of its zones; without it nothing could be taken back.
        """
        await self._service.until_ready()
        zones = self._service.provider(key).zones
        for target in self._runner.held():
            _, _, name = target.partition(":")
            if any(is_within(name, zone) for zone in zones):
                raise Busy(
                    f"{target} is being worked on, and what is written for it may have to be "
                    "taken back.",
                    field="key",
                    hint="Wait until that job has ended.",
                )
        return await self._service.remove_provider(key)

    def _different(self, shown_hash: str, plan: DnsPlan) -> str:
        now = tuple(map(line, plan.changes))
        shown = self._shown.get(shown_hash)
        if shown is None:
            return f"This is not the plan any more. By now it is: {plan.text}"
        if set(shown) == set(now):
            return (
                f"The DNS provider {plan.provider} was set up anew since the plan was made, and it "
                "may be another server by now."
            )
        added = "; ".join(each for each in now if each not in shown)
        left = "; ".join(each for each in shown if each not in now)
        parts = [f"{plan.zone} was changed since the plan was made."]
        parts += [f"By now it would: {added}."] if added else []
        parts += [f"Not any more: {left}."] if left else []
        return " ".join(parts)
