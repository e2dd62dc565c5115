"""The stacks' routes."""

from homelab_agent.areas.stacks.models import STACK_KIND, Stack, StackBody, StackList
from homelab_agent.areas.stacks.service import StackService
from homelab_agent.platform.commands import Caller, Scope, command, query
from homelab_agent.platform.jobs.models import CommandResult


class StackRoutes:
    """Stacks: look at them, command their services."""

    def __init__(self, service: StackService) -> None:
        self._service = service

    @query("stacks.list", "/stacks")
    async def list(self) -> StackList:
        """List the compose projects of this host, by name."""
        return self._service.list()

    @query("stacks.get", "/stacks/{name}")
    async def get(self, name: str) -> Stack:
        """Return one stack."""
        return self._service.get(name)

    @command(
        "stacks.start",
        "POST",
        "/stacks/{name}/start",
        scope=Scope.OPERATE,
        idempotent=True,
        target=STACK_KIND,
        dangerous=False,
    )
    async def start(self, name: str, body: StackBody, caller: Caller) -> CommandResult:
        """Start the services of a stack, each after those it needs."""
        return await self._service.command("start", name, caller, wait_s=body.wait_s)

    @command(
        "stacks.stop",
        "POST",
        "/stacks/{name}/stop",
        scope=Scope.OPERATE,
        idempotent=True,
        target=STACK_KIND,
    )
    async def stop(self, name: str, body: StackBody, caller: Caller) -> CommandResult:
        """Stop the services of a stack, each before those it needs."""
        return await self._service.command("stop", name, caller, wait_s=body.wait_s)

    @command(
        "stacks.restart",
        "POST",
        "/stacks/{name}/restart",
        scope=Scope.OPERATE,
        target=STACK_KIND,
    )
    async def restart(self, name: str, body: StackBody, caller: Caller) -> CommandResult:
        """Stop the services of a stack and start them again, in the order they need each other."""
        return await self._service.command("restart", name, caller, wait_s=body.wait_s)
