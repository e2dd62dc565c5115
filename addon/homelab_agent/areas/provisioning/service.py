"""Putting a container at a name, and taking it back."""

from homelab_agent.areas.domains.models import FoundRecords
from homelab_agent.areas.provisioning.arguments import DeprovisionArguments, ProvisionArguments
from homelab_agent.areas.provisioning.certificate_step import own_certificate
from homelab_agent.areas.provisioning.deprovision_job import DEPROVISION
from homelab_agent.areas.provisioning.keeping import Keeping
from homelab_agent.areas.provisioning.models import (
    CertificateWay,
    DeprovisionBody,
    ProvisionBody,
    Provisioned,
    ProvisionPlan,
    StartBody,
)
from homelab_agent.areas.provisioning.ours import sorted_out, written_records
from homelab_agent.areas.provisioning.planner import Partners, Planner
from homelab_agent.areas.provisioning.provision_job import PROVISION
from homelab_agent.areas.provisioning.users import Users
from homelab_agent.areas.provisioning.wanted import follows
from homelab_agent.areas.proxy.models import ProxyRoute, RouteCertificate
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import Conflict, Denied, NotFound
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner

_HASH_HINT = "Look at a new plan."


class ProvisioningService:
    """Domains with all that belongs to them, up or away as a whole."""

    def __init__(
        self, partners: Partners, planner: Planner, users: Users, runner: JobRunner
    ) -> None:
        self._with = partners
        self._planner = planner
        self._users = users
        self._runner = runner
        self._keeping = Keeping(partners)

    async def plan(self, body: ProvisionBody) -> ProvisionPlan:
        """Return what provisioning would do; nothing is changed."""
        await self._keeping.ready()
        return (await self._planner.draft(body)).plan

    async def start(self, body: StartBody, caller: Caller) -> CommandResult:
        """Provision a domain as a job.

        Raises:
            Denied: an admin has to ask for it.
            Conflict: the plan is not the one that was looked at.
        """
        await self._keeping.ready()
        draft = await self._planner.draft(body)
        plan = draft.plan
        if body.plan_hash not in (None, plan.hash):
            raise Conflict(
                "This is not what was planned: the DNS, the proxy or the container have changed.",
                field="plan_hash",
                hint=_HASH_HINT,
            )
        _require_admin(plan.needs_admin, caller)
        arguments = ProvisionArguments(
            name=draft.name,
            container=body.container,
            port=body.port,
            upstream=draft.upstream,
            records=draft.records,
            provider=body.provider,
            certificate=draft.certificate,
            sealed_options=self._users.sealed_options(draft.name, body.options),
            users=self._users.sealed(draft.name, body.basic_auth),
            dynamic=follows(draft.name, body, draft.records),
            caller=caller.name,
            admin=caller.scope.includes(Scope.ADMIN),
            dns_hash=plan.dns.hash if body.plan_hash else None,
        )
        job = await self._runner.start(PROVISION, _target(draft.name), arguments, caller)
        ended = await self._runner.wait(job.id, body.wait_s)
        return answer(ended, meanwhile=f"{draft.name} is still being provisioned.")

    async def remove(self, name: str, body: DeprovisionBody, caller: Caller) -> CommandResult:
        """Take a domain back as a job.

        Raises:
            NotFound: there is nothing of it.
            Denied: an admin has to ask for it.
        """
        name = uniform_name(name, field="name", underscore=False)
        await self._keeping.ready()
        domain, route = self._with.domains.find(name), self._with.proxy.route(name)
        if route is None and (domain is None or not domain.provisioned):
            raise _not_found(name)
        kept = self._with.domains.kept(name)
        arguments = DeprovisionArguments(
            name=name,
            records=written_records(domain, self._with.dynamic.find(name)),
            found=kept.found if kept else FoundRecords(),
            provider=domain.provider if domain else None,
            keep_records=body.keep_records,
            forget=body.forget,
            caller=caller.name,
            admin=caller.scope.includes(Scope.ADMIN),
        )
        if not body.keep_records:
            await self._require_allowed(arguments, caller)
        job = await self._runner.start(DEPROVISION, _target(name), arguments, caller)
        ended = await self._runner.wait(job.id, body.wait_s)
        return answer(ended, meanwhile=f"{name} is still being taken back.")

    async def get(self, name: str) -> Provisioned:
        """Return what a domain is made of.

        Raises:
            NotFound: there is nothing of it.
        """
        name = uniform_name(name, field="name", underscore=False)
        await self._keeping.ready()
        domain, route = self._with.domains.find(name), self._with.proxy.route(name)
        if domain is None and route is None:
            raise _not_found(name)
        way, key = self._certificate(name, route)
        return Provisioned(
            name=name,
            provisioned=domain is not None and domain.provisioned,
            container=domain.container if domain else None,
            upstreams=route.upstreams if route else (),
            records=written_records(domain, self._with.dynamic.find(name)),
            certificate=way,
            certificate_key=key,
            dynamic=self._with.dynamic.find(name) is not None,
            job_id=domain.job_id if domain else None,
        )

    def _certificate(
        self, name: str, route: ProxyRoute | None
    ) -> tuple[CertificateWay | None, str | None]:
        if route is None or route.certificate is RouteCertificate.NONE:
            return None, None
        if route.certificate is RouteCertificate.CADDY:
            return CertificateWay.CADDY, None
        own = own_certificate(name, self._with.certificates)
        if own is not None:
            return CertificateWay.DNS_01, own.key
        found = self._with.certificates.find_for(name)
        return CertificateWay.MANAGED, found.key if found else None

    async def _require_allowed(self, arguments: DeprovisionArguments, caller: Caller) -> None:
        provider = arguments.provider
        try:
            there = await self._with.dns.read(arguments.name, provider=provider)
        except NotFound as error:
            error.hint = "With keep_records the DNS is left alone."
            raise
        found = sorted_out(there, arguments.records, arguments.found)
        if found.ours:
            plan = await self._with.dns.plan(found.removal(provider))
            _require_admin(plan.needs_admin, caller)


def _require_admin(why: str | None, caller: Caller) -> None:
    if why and not caller.scope.includes(Scope.ADMIN):
        raise Denied(
            f"An admin has to ask for this: {why}",
            field="name",
            hint="Use a token with the scope admin.",
        )


def _target(name: str) -> str:
    return f"domain:{name}"


def _not_found(name: str) -> NotFound:
    return NotFound(
        f"Nothing is provisioned at {name}.",
        field="name",
        hint="GET /api/v1/domains lists what there is.",
    )
