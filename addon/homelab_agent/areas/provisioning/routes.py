"""The routes of provisioning."""

from homelab_agent.areas.domains.models import DOMAIN_KIND
from homelab_agent.areas.provisioning.models import (
    DeprovisionBody,
    Provisioned,
    ProvisionPlan,
    ProvisionPlanBody,
    StartBody,
)
from homelab_agent.areas.provisioning.service import ProvisioningService
from homelab_agent.platform.commands import Caller, Scope, command, query
from homelab_agent.platform.jobs.models import CommandResult


class ProvisioningRoutes:
    """A container at a name with HTTPS, in one go, and back."""

    def __init__(self, service: ProvisioningService) -> None:
        self._service = service

    @command(
        "provisioning.plan",
        "POST",
        "/provisioning/plan",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def plan(self, body: ProvisionPlanBody) -> ProvisionPlan:
        """Return what provisioning a domain would do; nothing is changed."""
        return await self._service.plan(body)

    @command(
        "provisioning.provision",
        "POST",
        "/provisioning",
        scope=Scope.OPERATE,
        dangerous=False,
    )
    async def provision(self, body: StartBody, caller: Caller) -> CommandResult:
        """Put a container at a name with HTTPS, or take back what was begun."""
        return await self._service.start(body, caller)

    @command(
        "provisioning.deprovision",
        "POST",
        "/provisioning/{name}/remove",
        scope=Scope.OPERATE,
        target=DOMAIN_KIND,
        dangerous=False,
    )
    async def deprovision(self, name: str, body: DeprovisionBody, caller: Caller) -> CommandResult:
        """Take a domain back: its route, its certificate and its records."""
        return await self._service.remove(name, body, caller)

    @query("provisioning.get", "/provisioning/{name}")
    async def get(self, name: str) -> Provisioned:
        """Return what a domain is made of."""
        return await self._service.get(name)
