"""The routes for making containers anew."""

from homelab_agent.areas.containers.models import CONTAINER_KIND
from homelab_agent.areas.recreate.models import RecreateBody, RecreateStatus, UpdateBody
from homelab_agent.areas.recreate.service import RecreateService
from homelab_agent.platform.commands import Caller, Scope, command
from homelab_agent.platform.commands import query as declare_query
from homelab_agent.platform.jobs.models import CommandResult


class RecreateRoutes:
    """Containers: update them, make them anew, roll them back."""

    def __init__(self, service: RecreateService) -> None:
        self._service = service

    @declare_query("containers.recreate_status", "/containers/{name}/recreate")
    async def status(self, name: str) -> RecreateStatus:
        """Return what was last done to a container, and what it can be rolled back to."""
        return await self._service.status(name)

    @command(
        "containers.update",
        "POST",
        "/containers/{name}/update",
        scope=Scope.OPERATE,
        target=CONTAINER_KIND,
        # An admin may update the agent, which is protected from all else: the service decides.
        dangerous=False,
    )
    async def update(self, name: str, body: UpdateBody, caller: Caller) -> CommandResult:
        """Update a container; the old one comes back if the new one does not prove itself."""
        return await self._service.update(name, caller, image=body.image, wait_s=body.wait_s)

    @command(
        "containers.recreate",
        "POST",
        "/containers/{name}/recreate",
        scope=Scope.OPERATE,
        target=CONTAINER_KIND,
    )
    async def recreate(self, name: str, body: RecreateBody, caller: Caller) -> CommandResult:
        """Make a container anew with all its options."""
        return await self._service.recreate(name, caller, wait_s=body.wait_s)

    @command(
        "containers.rollback",
        "POST",
        "/containers/{name}/rollback",
        scope=Scope.OPERATE,
        target=CONTAINER_KIND,
    )
    async def rollback(self, name: str, body: RecreateBody, caller: Caller) -> CommandResult:
        """Make a container anew from the image that it had before its last update."""
        return await self._service.rollback(name, caller, wait_s=body.wait_s)
