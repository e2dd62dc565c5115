"""The routes of image updates."""

from homelab_agent.areas.containers.models import CONTAINER_KIND, CommandBody
from homelab_agent.areas.updates.models import ContainerUpdate, ContainerUpdateList
from homelab_agent.areas.updates.service import UpdateService
from homelab_agent.platform.commands import Scope, command, query
from homelab_agent.platform.jobs.models import CommandResult


class UpdateRoutes:
    """Newer images: look at what is known, have it looked for."""

    def __init__(self, service: UpdateService) -> None:
        self._service = service

    @query("updates.list", "/updates")
    async def list(self) -> ContainerUpdateList:
        """List what is known about newer images of all containers."""
        return self._service.list()

    @query("updates.get", "/containers/{name}/update")
    async def get(self, name: str) -> ContainerUpdate:
        """Return what is known about a newer image of one container."""
        return self._service.get(name)

    @command(
        "updates.check",
        "POST",
        "/containers/{name}/check-update",
        scope=Scope.OPERATE,
        idempotent=True,
        target=CONTAINER_KIND,
        dangerous=False,
    )
    async def check(self, name: str, body: CommandBody) -> CommandResult:
        """Look for a newer image of one container now."""
        return await self._service.check(name, wait_s=body.wait_s)

    @command(
        "updates.check_all",
        "POST",
        "/updates/check",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def check_all(self) -> CommandResult:
        """Have newer images of all containers looked for."""
        return await self._service.check_all()
