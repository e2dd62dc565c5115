"""What an agent can be asked and told about compose projects."""

from typing import Final

from .models import (
    CommandResult,
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
from .parse import reader
from .requests import Requests

PLAN_TIMEOUT_S: Final = 60.0
"""A plan asks `docker compose` to read the text."""

_STACK = reader(Stack)
_STACKS = reader(StackList)
_PLAN = reader(StackPlan)
_FILE = reader(StackFile)
_HISTORY = reader(StackHistory)


class StacksApi:
    """The stacks of one agent."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def list(self) -> tuple[Stack, ...]:
        """Return all stacks, by name."""
        return (await self._requests.get(_STACKS, "stacks")).stacks

    async def get(self, name: str) -> Stack:
        """Return one stack."""
        return await self._requests.get(_STACK, "stacks", name)

    async def start(self, name: str, body: StackBody) -> CommandResult:
        """Start a stack's containers in the order of their dependencies."""
        return await self._command(name, "start", body)

    async def stop(self, name: str, body: StackBody) -> CommandResult:
        """Stop a stack's containers, those that others depend on last."""
        return await self._command(name, "stop", body)

    async def restart(self, name: str, body: StackBody) -> CommandResult:
        """Stop and start a stack."""
        return await self._command(name, "restart", body)

    async def update(self, name: str, body: StackBody) -> CommandResult:
        """Update all of a stack's containers for which there is a newer image."""
        return await self._command(name, "update", body)

    async def down(self, name: str, body: DownBody) -> CommandResult:
        """Remove a stack's containers and networks; its volumes only with a second word."""
        return await self._command(name, "down", body)

    async def plan(self, name: str, source: StackSource) -> StackPlan:
        """Return what deploying a text would do; nothing is changed."""
        return await self._requests.post(
            _PLAN, "stacks", name, "plan", body=source, timeout_s=PLAN_TIMEOUT_S
        )

    async def deploy(self, name: str, body: DeployBody) -> CommandResult:
        """Make a stack what a text says."""
        return await self._requests.command(
            "stacks",
            name,
            body=body,
            wait_s=body.wait_s,
            method="PUT",
            besides_s=PLAN_TIMEOUT_S,
        )

    async def file(self, name: str, query: FileQuery | None = None) -> StackFile:
        """Return a stack's compose text, of a kept version too."""
        return await self._requests.get(_FILE, "stacks", name, "file", query=query)

    async def history(self, name: str) -> StackHistory:
        """Return the kept versions of a managed stack, the newest first."""
        return await self._requests.get(_HISTORY, "stacks", name, "history")

    async def restore(self, name: str, body: RestoreBody) -> CommandResult:
        """Deploy a kept version of a managed stack again."""
        return await self._requests.command(
            "stacks",
            name,
            "restore",
            body=body,
            wait_s=body.wait_s,
            besides_s=PLAN_TIMEOUT_S,
        )

    async def _command(self, name: str, command: str, body: StackBody) -> CommandResult:
        return await self._requests.command("stacks", name, command, body=body, wait_s=body.wait_s)
