"""The stacks' routes."""

from homelab_agent.areas.stacks.deployments import StackDeployments
from homelab_agent.areas.stacks.models import (
    STACK_KIND,
    DeployBody,
    DownBody,
    FileQuery,
    RestoreBody,
    Stack,
    StackBody,
    StackFile,
    StackHistory,
    StackList,
    StackPlan,
    StackSource,
)
from homelab_agent.areas.stacks.service import StackService
from homelab_agent.platform.commands import Caller, Scope, command, query
from homelab_agent.platform.jobs.models import CommandResult


class StackRoutes:
    """Stacks: look at them, command their services, deploy them."""

    def __init__(self, service: StackService, deployments: StackDeployments) -> None:
        self._service = service
        self._deployments = deployments

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
        return await self._deployments.start(name, caller, wait_s=body.wait_s)

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

    @query("stacks.file", "/stacks/{name}/file", scope=Scope.OPERATE)
    async def file(self, name: str, query: FileQuery) -> StackFile:
        """Return the compose text of a stack. It may hold passwords: no reader's business."""
        return await self._deployments.file(name, query.version)

    @query("stacks.history", "/stacks/{name}/history")
    async def history(self, name: str) -> StackHistory:
        """List the kept versions of a stack, the newest first."""
        return await self._deployments.history(name)

    @command(
        "stacks.plan",
        "POST",
        "/stacks/{name}/plan",
        scope=Scope.OPERATE,
        idempotent=True,
        target=STACK_KIND,
        dangerous=False,
    )
    async def plan(self, name: str, body: StackSource) -> StackPlan:
        """Return what deploying a compose text would do; nothing is changed."""
        return await self._deployments.plan(name, body)

    @command(
        "stacks.deploy",
        "PUT",
        "/stacks/{name}",
        scope=Scope.OPERATE,
        target=STACK_KIND,
    )
    async def deploy(self, name: str, body: DeployBody, caller: Caller) -> CommandResult:
        """Deploy a stack from a compose text, or take back what it did."""
        return await self._deployments.deploy(name, body, caller)

    @command(
        "stacks.restore",
        "POST",
        "/stacks/{name}/restore",
        scope=Scope.OPERATE,
        target=STACK_KIND,
    )
    async def restore(self, name: str, body: RestoreBody, caller: Caller) -> CommandResult:
        """Deploy a kept version of a stack again."""
        return await self._deployments.restore(name, body, caller)

    @command(
        "stacks.down",
        "POST",
        "/stacks/{name}/down",
        scope=Scope.OPERATE,
        target=STACK_KIND,
    )
    async def down(self, name: str, body: DownBody, caller: Caller) -> CommandResult:
        """Stop and remove the containers and networks of a stack, its volumes only on demand."""
        return await self._deployments.down(name, body, caller)

    @command(
        "stacks.update",
        "POST",
        "/stacks/{name}/update",
        scope=Scope.OPERATE,
        target=STACK_KIND,
    )
    async def update(self, name: str, body: StackBody, caller: Caller) -> CommandResult:
        """Update every container of a stack that has a newer image, all of them or none."""
        return await self._service.update(name, caller, wait_s=body.wait_s)
