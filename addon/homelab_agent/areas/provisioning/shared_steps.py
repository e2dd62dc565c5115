"""Steps that go the same way forward and back: the DNS, the proxy, and waiting for both."""

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import JsonValue

from homelab_agent.areas.dns.models import DnsPlan, RecordSet
from homelab_agent.areas.provisioning.arguments import (
    DNS_IS_WRITTEN,
    ROUTE_IS_PUT,
    DeprovisionArguments,
    ProvisionArguments,
    dns_plan_of,
    route_of,
)
from homelab_agent.areas.provisioning.chronicle import Told
from homelab_agent.areas.provisioning.partners import Dns, Proxy
from homelab_agent.areas.provisioning.patience import Patience, deadline, until_possible
from homelab_agent.platform.errors import Conflict, Denied
from homelab_agent.platform.jobs.kinds import StepContext
from homelab_agent.platform.jobs.progress import report

_LATE_S = 1.0
"""What hung may still be done when it wakes up: so long after that, it is looked at once more."""


class SharedSteps[Arguments: (ProvisionArguments, DeprovisionArguments)]:
    """The steps about what is outside of the agent. Each stands being repeated."""

    def __init__(self, dns: Dns, proxy: Proxy, patience: Patience) -> None:
        self._dns = dns
        self._proxy = proxy
        self._patience = patience

    async def dns_apply(self, context: StepContext[Arguments]) -> Told:
        """Write the plan, where everything is as the plan saw it."""
        plan = dns_plan_of(context)
        if plan is None or not plan.changes:
            return Told("The DNS is as it is to be.", needed=False)
        require_allowed(plan, context.arguments)
        async with deadline(
            self._patience.step_s,
            f"Writing to {plan.provider}",
            "Look whether the provider answers, then start again.",
        ):
            await self._dns.write(plan, again=context.again, counted_for=_counted(context))
        return Told(
            f"Done at {plan.provider}: {'; '.join(plan.text.splitlines())}",
            {DNS_IS_WRITTEN: True},
            before=[_shown(each.before) for each in plan.changes],
            after=[_shown(each.after) for each in plan.changes],
        )

    async def dns_back(self, context: StepContext[Arguments]) -> str:
        """Take the plan back; what somebody else changed since stays."""
        plan = dns_plan_of(context)
        if plan is None:
            return "Nothing had been written."

        async def take_back() -> None:
            await self._dns.take_back(plan, counted_for=_counted(context))

        try:
            await self._twice_where_late(
                take_back,
                f"Taking back what was written in {plan.zone}",
                is_late=DNS_IS_WRITTEN not in context.data,
            )
        except Conflict as error:
            # Nobody takes from another person what they wrote meanwhile.
            message = f"Somebody else changed records meanwhile, which stay: {error.message}"
            report(None, message)
            return message
        return f"The records in {plan.zone} are as they were before."

    async def served(self, records: tuple[RecordSet, ...]) -> None:
        """Wait until every authoritative server gives exactly this."""
        async with deadline(
            self._patience.propagation_s + self._patience.step_s,
            "Waiting for the name servers",
            "Look whether all name servers of the zone get its changes.",
        ):
            await self._dns.wait_until_served(records, within_s=self._patience.propagation_s)

    async def put_route(self, context: StepContext[Arguments]) -> Told:
        """Put the prepared route into the proxy, or take it away."""
        prepared = route_of(context)
        if prepared is None:
            return Told("The proxy is as it is to be.", needed=False)
        async with deadline(
            self._patience.step_s,
            "Putting it into the proxy",
            "Look whether Caddy answers, then start again.",
        ):
            await self._proxy.put(prepared)
        if prepared.after is not None:
            async with deadline(
                2 * self._patience.step_s,
                "Waiting for the proxy",
                "Look at what Caddy says in its log.",
            ):
                await self._proxy.wait_until_served(prepared.host, within_s=self._patience.step_s)
        return Told(
            f"The proxy serves {prepared.host}."
            if prepared.after
            else f"The proxy does not serve {prepared.host} any more.",
            {ROUTE_IS_PUT: True},
            before=list(prepared.before.upstreams) if prepared.before else None,
            after=list(prepared.after.upstreams) if prepared.after else None,
        )

    async def route_back(self, context: StepContext[Arguments]) -> str:
        """Have the proxy as it was before; what somebody else changed since stays."""
        prepared = route_of(context)
        if prepared is None:
            return "Nothing had been changed."

        async def put_back() -> None:
            await self._proxy.put_back(prepared)

        try:
            await self._twice_where_late(
                put_back,
                f"Putting the proxy back as to {prepared.host}",
                is_late=ROUTE_IS_PUT not in context.data,
            )
        except Conflict as error:
            message = f"Somebody else changed the proxy meanwhile, which stays: {error.message}"
            report(None, message)
            return message
        return "The proxy is configured as it was before."

    async def _twice_where_late(
        self, work: Callable[[], Awaitable[None]], what: str, *, is_late: bool
    ) -> None:
        patience = self._patience
        await until_possible(work, what=what, within_s=patience.undo_s, try_s=patience.step_s)
        if is_late:
            await asyncio.sleep(_LATE_S)
            await until_possible(work, what=what, within_s=patience.undo_s, try_s=patience.step_s)


def require_allowed(plan: DnsPlan, arguments: ProvisionArguments | DeprovisionArguments) -> None:
    """Raise `Denied` where only an admin may let this plan be done."""
    if plan.needs_admin and not arguments.admin:
        raise Denied(
            f"An admin has to ask for this: {plan.needs_admin}",
            hint="Use a token with the scope admin.",
        )


def _counted(
    context: StepContext[ProvisionArguments] | StepContext[DeprovisionArguments],
) -> str | None:
    return None if context.arguments.admin else context.job_id


def _shown(records: RecordSet | None) -> JsonValue:
    return None if records is None else records.model_dump(mode="json")
