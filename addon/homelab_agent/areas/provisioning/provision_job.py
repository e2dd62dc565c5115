"""From a container to HTTPS as a job of eight steps, each with its way back."""

import asyncio

from homelab_agent.areas.certificates.models import Verdict
from homelab_agent.areas.domains.models import DomainEventType
from homelab_agent.areas.provisioning.arguments import (
    BEFORE,
    DNS_PLAN,
    ROUTE,
    ProvisionArguments,
    before_of,
    dns_plan_of,
    held_with,
    journaled,
)
from homelab_agent.areas.provisioning.certificate_step import CertificateStep, own_certificate
from homelab_agent.areas.provisioning.chronicle import Chronicle, Told
from homelab_agent.areas.provisioning.front import Front
from homelab_agent.areas.provisioning.keeping import Keeping
from homelab_agent.areas.provisioning.models import CertificateWay, ProvisionStep
from homelab_agent.areas.provisioning.ours import found_before
from homelab_agent.areas.provisioning.patience import Patience, deadline, until_possible
from homelab_agent.areas.provisioning.planner import Partners, Planner, dns_wants, route_body
from homelab_agent.areas.provisioning.shared_steps import SharedSteps, require_allowed
from homelab_agent.areas.provisioning.users import Users
from homelab_agent.areas.renewal.models import ManagedCertificate
from homelab_agent.platform.errors import Conflict, Failed
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, StepContext
from homelab_agent.platform.jobs.progress import report

PROVISION = "provisioning.provision"
_ASK_AGAIN_S = 0.5
_SERVER_ERRORS = 500
_NO_UPSTREAM = frozenset({502, 503, 504})

type _Context = StepContext[ProvisionArguments]


class ProvisionJob:
    """The steps. Each `do` stands being repeated, so an interrupted job goes on where it was.

    What cannot be had then is a reason to take everything back, as without a crash.
    """

    def __init__(
        self,
        partners: Partners,
        planner: Planner,
        front: Front,
        certificate: CertificateStep,
        users: Users,
        patience: Patience,
    ) -> None:
        self._with = partners
        self._planner = planner
        self._front = front
        self._certificate = certificate
        self._users = users
        self._patience = patience
        self._chronicle = Chronicle(partners.domains)
        self._keeping = Keeping(partners)
        self._shared = SharedSteps[ProvisionArguments](partners.dns, partners.proxy, patience)

    def kind(self) -> JobKind[ProvisionArguments]:
        """Return the kind."""
        step, shared = self._chronicle.step, self._shared
        return JobKind(
            name=PROVISION,
            arguments=ProvisionArguments,
            steps=(
                step(ProvisionStep.VALIDATE, self._validate, self._leave),
                step(ProvisionStep.DNS_PLAN, self._dns_plan),
                step(ProvisionStep.DNS_APPLY, shared.dns_apply, shared.dns_back),
                step(ProvisionStep.PROPAGATION, self._propagation),
                step(ProvisionStep.PROXY_ROUTE, self._proxy_route),
                step(ProvisionStep.RELOAD, shared.put_route, shared.route_back),
                step(ProvisionStep.CERTIFICATE, self._get_certificate, self._certificate_back),
                step(ProvisionStep.HTTPS_HEALTH, self._https_health, self._keep_as_before),
            ),
            recovery=Recovery.GO_ON,
            holds=lambda arguments: held_with(arguments.name),
        )

    async def _validate(self, context: _Context) -> Told:
        """Look again whether it can be done, and journal how it was before."""
        arguments = context.arguments
        await self._keeping.ready()
        before = self._keeping.now(arguments.name, self._certificate_now(arguments))

        async def look() -> None:
            found = await self._planner.upstream(
                arguments.container, arguments.port, arguments.upstream
            )
            if found.address != arguments.upstream:
                raise Conflict(
                    f"{arguments.container} is at {found.address} by now, and not at "
                    f"{arguments.upstream}.",
                    hint="Plan it again.",
                )
            await self._planner.require_possible(
                arguments.name,
                arguments.records,
                arguments.provider,
                arguments.certificate,
                follows=arguments.dynamic is not None,
            )

        if context.again:
            # The agent has only just started: what it needs may not have been reached yet.
            await until_possible(
                look,
                what="Looking whether it can be done",
                within_s=self._patience.step_s,
                try_s=self._patience.step_s,
            )
        else:
            async with deadline(
                self._patience.step_s,
                "Looking whether it can be done",
                "Look whether Docker, the DNS provider and the proxy answer.",
            ):
                await look()
        return Told("Everything that is needed is there.", journaled(**{BEFORE: before}))

    def _certificate_now(self, arguments: ProvisionArguments) -> ManagedCertificate | None:
        """Return the certificate that is there already and would be used, or must stay."""
        if arguments.certificate is CertificateWay.DNS_01:
            return own_certificate(arguments.name, self._with.certificates)
        return self._with.certificates.find_for(arguments.name)

    async def _leave(self, context: _Context) -> str:
        await self._with.domains.changing(context.arguments.name, None)
        return "Everything is as it was before, as the steps before this line say."

    async def _dns_plan(self, context: _Context) -> Told:
        arguments = context.arguments
        async with deadline(
            self._patience.step_s,
            "Planning the records",
            "Look whether the DNS provider answers.",
        ):
            plan = await self._with.dns.plan(dns_wants(arguments.records, arguments.provider))
        if arguments.dns_hash not in (None, plan.hash):
            raise Conflict(
                "The DNS has changed since the plan was made.", hint="Look at a new plan."
            )
        require_allowed(plan, arguments)
        message = plan.text if plan.changes else "The DNS is as it is to be."
        return Told(message, journaled(**{DNS_PLAN: plan}), needed=False)

    async def _propagation(self, context: _Context) -> Told:
        await self._shared.served(context.arguments.records)
        return Told("Every authoritative server gives the records.", needed=False)

    async def _proxy_route(self, context: _Context) -> Told:
        arguments = context.arguments
        options = self._users.options(arguments.name, arguments.sealed_options)
        body = route_body(arguments.upstream, arguments.certificate, options)
        wanted = body.model_copy(
            update={"basic_auth": self._users.opened(arguments.name, arguments.users)}
        )
        async with deadline(
            self._patience.step_s, "Preparing the route", "Look whether Caddy answers."
        ):
            prepared = await self._with.proxy.prepare(arguments.name, wanted)
        tried = "was tried" if prepared.validated else "could not be tried before"
        message = " ".join((f"The route is prepared; it {tried}.", *prepared.warnings))
        return Told(message, journaled(**{ROUTE: prepared}), needed=False)

    async def _get_certificate(self, context: _Context) -> Told:
        arguments = context.arguments
        await self._keeping.ready()
        message = await self._certificate.get(arguments.name, arguments.certificate)
        return Told(message, after=arguments.certificate.value)

    async def _certificate_back(self, context: _Context) -> str:
        arguments = context.arguments
        return await self._certificate.take_back(
            arguments.name, arguments.certificate, before_of(context)
        )

    async def _https_health(self, context: _Context) -> Told:
        """See that it works as a visitor sees it, and keep the domain."""
        arguments = context.arguments
        async with deadline(
            2 * self._patience.health_s,
            f"https://{arguments.name}/",
            "Look whether the container answers.",
        ):
            status = await self._until_healthy(arguments.name)
        if arguments.dynamic is not None:
            await self._with.dynamic.add(arguments.dynamic, arguments.caller, admin=arguments.admin)
        await self._keeping.ready()
        await self._with.domains.put(
            self._keeping.body(arguments),
            arguments.caller,
            provisioned=True,
            job_id=context.job_id,
            found=found_before(before_of(context), dns_plan_of(context), arguments.records),
        )
        await self._with.domains.changing(arguments.name, None)
        message = f"https://{arguments.name}/ answers with status {status} and is trusted."
        return Told(message, before=None, after=status, ends=DomainEventType.PROVISIONED)

    async def _keep_as_before(self, context: _Context) -> str:
        return await self._keeping.put_back(context.arguments, before_of(context))

    async def _until_healthy(self, name: str) -> int:
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._patience.health_s
        while True:
            try:
                await self._require_trusted(name)
                return await self._require_answer(name)
            except Failed as error:
                if clock() > give_up:
                    raise
                report(None, f"Not yet: {error.message}")
            await asyncio.sleep(_ASK_AGAIN_S)

    async def _require_trusted(self, name: str) -> None:
        found = await self._front.certificate(name)
        if found.verdict is not Verdict.TRUSTED:
            raise Failed(
                f"The certificate of {name} is {found.verdict}: {found.reason}",
                hint="An authority of your own is trusted with the setting trusted_ca_file.",
            )

    async def _require_answer(self, name: str) -> int:
        status = await self._front.ask(name)
        if status >= _SERVER_ERRORS:
            raise Failed(
                f"https://{name}/ answers with status {status}: "
                + (
                    "the proxy gets no answer from the container."
                    if status in _NO_UPSTREAM
                    else "that is what the container says."
                ),
                hint="Look at the log of the container, and whether the port is the right one.",
            )
        return status
