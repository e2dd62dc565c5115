"""The way back: route, records and certificate of a domain are taken away, or nothing is.

What can be had again by just writing it comes first, and the certificate, which an authority
would have to give anew, comes last.
"""

from homelab_agent.areas.dns.models import RecordSet
from homelab_agent.areas.domains.models import Domain, DomainEventType
from homelab_agent.areas.provisioning.arguments import (
    BEFORE,
    DNS_PLAN,
    ROUTE,
    STAYS,
    DeprovisionArguments,
    before_of,
    dns_plan_of,
    held_with,
    journaled,
    stays_of,
)
from homelab_agent.areas.provisioning.certificate_step import CertificateStep, given_back
from homelab_agent.areas.provisioning.chronicle import Chronicle, Told
from homelab_agent.areas.provisioning.keeping import Keeping, without_addresses
from homelab_agent.areas.provisioning.models import DeprovisionStep
from homelab_agent.areas.provisioning.ours import sorted_out
from homelab_agent.areas.provisioning.patience import Patience, deadline
from homelab_agent.areas.provisioning.planner import Partners
from homelab_agent.areas.provisioning.shared_steps import SharedSteps, require_allowed
from homelab_agent.areas.provisioning.wanted import ADDRESS_TYPES
from homelab_agent.platform.errors import Invalid, NotFound
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, StepContext

DEPROVISION = "provisioning.deprovision"

_ALL_STAY = " Its DNS records stay."

type _Context = StepContext[DeprovisionArguments]


class DeprovisionJob:
    """The steps. Each `do` stands being repeated, so an interrupted job goes on where it was."""

    def __init__(
        self, partners: Partners, certificate: CertificateStep, patience: Patience
    ) -> None:
        self._with = partners
        self._certificate = certificate
        self._patience = patience
        self._chronicle = Chronicle(partners.domains)
        self._keeping = Keeping(partners)
        self._shared = SharedSteps[DeprovisionArguments](partners.dns, partners.proxy, patience)

    def kind(self) -> JobKind[DeprovisionArguments]:
        """Return the kind."""
        step, shared = self._chronicle.step, self._shared
        return JobKind(
            name=DEPROVISION,
            arguments=DeprovisionArguments,
            steps=(
                step(DeprovisionStep.VALIDATE, self._validate, self._leave),
                step(DeprovisionStep.PROXY_ROUTE, self._proxy_route),
                step(DeprovisionStep.RELOAD, shared.put_route, self._served_again),
                step(DeprovisionStep.DYNAMIC_ADDRESS, self._stop_following, self._follow_again),
                step(DeprovisionStep.DNS_PLAN, self._dns_plan),
                step(DeprovisionStep.DNS_APPLY, shared.dns_apply, shared.dns_back),
                step(DeprovisionStep.PROPAGATION, self._propagation),
                step(DeprovisionStep.DOMAIN, self._let_go, self._keep_again),
                step(DeprovisionStep.CERTIFICATE, self._discard, self._get_again),
            ),
            recovery=Recovery.GO_ON,
            holds=lambda arguments: held_with(arguments.name),
        )

    async def _validate(self, context: _Context) -> Told:
        name = context.arguments.name
        await self._keeping.ready()
        before = self._keeping.now(
            name, given_back(name, self._with.certificates, self._with.proxy)
        )
        return Told("What there is of the domain is known.", journaled(**{BEFORE: before}))

    async def _leave(self, context: _Context) -> str:
        await self._with.domains.changing(context.arguments.name, None)
        return "The domain is up, as the steps before this line say."

    async def _proxy_route(self, context: _Context) -> Told:
        name = context.arguments.name
        # A job that is taken up just after a start must not take "not known yet" for "gone".
        await self._keeping.ready()
        if self._with.proxy.route(name) is None:
            return Told("There is no route.", needed=False)
        async with deadline(
            self._patience.step_s, "Preparing the removal", "Look whether Caddy answers."
        ):
            prepared = await self._with.proxy.prepare(name, None)
        return Told("The removal is prepared.", journaled(**{ROUTE: prepared}), needed=False)

    async def _served_again(self, context: _Context) -> str:
        return await self._shared.route_back(context)

    async def _stop_following(self, context: _Context) -> Told:
        name = context.arguments.name
        await self._keeping.ready()
        if self._with.dynamic.find(name) is None:
            return Told("It follows no address.", needed=context.again)
        if context.arguments.found.followed:
            return Told("It followed this network's address before, and goes on.", needed=False)
        await self._with.dynamic.remove(name)
        return Told("It follows this network's address no more.")

    async def _follow_again(self, context: _Context) -> str:
        dynamic, arguments = before_of(context).dynamic, context.arguments
        if dynamic is None:
            return "It had followed no address."
        await self._with.dynamic.add(dynamic, arguments.caller, admin=arguments.admin)
        return "It follows this network's address again."

    async def _dns_plan(self, context: _Context) -> Told:
        arguments = context.arguments
        if arguments.keep_records:
            return Told("The records stay.", journaled(**{STAYS: _ALL_STAY}), needed=False)
        async with deadline(
            self._patience.step_s, "Planning the removal", "Look whether the provider answers."
        ):
            there = await self._with.dns.read(arguments.name, provider=arguments.provider)
            found = sorted_out(there, arguments.records, arguments.found)
            stays = journaled(**{STAYS: found.told})
            if not found.ours:
                return Told(f"There are no records to be removed.{found.told}", stays, needed=False)
            plan = await self._with.dns.plan(found.removal(arguments.provider))
        require_allowed(plan, arguments)
        planned = journaled(**{DNS_PLAN: plan})
        return Told(f"{plan.text}{found.told}", planned | stays, needed=False)

    async def _propagation(self, context: _Context) -> Told:
        plan = dns_plan_of(context)
        if plan is None:
            return Told("There is nothing to wait for.", needed=False)
        wanted = tuple(
            each.after or RecordSet(name=each.name, type=each.type, values=())
            for each in plan.changes
        )
        await self._shared.served(wanted)
        return Told("Every authoritative server gives what was there before.", needed=False)

    async def _let_go(self, context: _Context) -> Told:
        arguments = context.arguments
        await self._keeping.ready()
        domains = self._with.domains
        known = domains.find(arguments.name)
        if known is None:
            return Told("The domain is not kept.", needed=context.again)
        if arguments.forget:
            await domains.put_back(arguments.name, None, arguments.caller)
            return Told("The domain is forgotten.")
        stay = ADDRESS_TYPES if arguments.keep_records else frozenset(arguments.found.same)
        body = without_addresses(known, besides=stay)
        if not await self._is_managed(known):
            body = body.model_copy(update={"provider": None})
        await domains.put(
            body,
            arguments.caller,
            provisioned=False,
            job_id=context.job_id,
        )
        return Told("The domain is kept, and nothing is served there.")

    async def _is_managed(self, domain: Domain) -> bool:
        """Return whether the domain's provider is there; a person may have removed it since."""
        await self._with.dns.until_ready()
        try:
            self._with.dns.home_of(domain.id, domain.provider)
        except NotFound, Invalid:
            return False
        return True

    async def _keep_again(self, context: _Context) -> str:
        before = before_of(context).domain
        await self._with.domains.put_back(context.arguments.name, before, context.arguments.caller)
        return "The domain is kept as before."

    async def _discard(self, context: _Context) -> Told:
        arguments = context.arguments
        message = f"{arguments.name} is not served any more.{stays_of(context)}"
        key = before_of(context).certificate
        if key is not None:
            # A renewal that is just going on ends first, and may take that long.
            within_s = self._patience.certificate_s + self._patience.propagation_s
            said = await self._certificate.discard(key, within_s=within_s)
            message = f"{message} {said}"
        await self._with.domains.changing(arguments.name, None)
        return Told(message, ends=DomainEventType.DEPROVISIONED)

    async def _get_again(self, context: _Context) -> str:
        key = before_of(context).certificate
        if key is None:
            return "There had been none of the agent's own."
        return await self._certificate.get_again(context.arguments.name, key)
