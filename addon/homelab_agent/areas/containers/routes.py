"""The containers' routes."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from homelab_agent.areas.containers.logs import ContainerLogs
from homelab_agent.areas.containers.models import (
    CONTAINER_KIND,
    CommandBody,
    Container,
    ContainerList,
    ContainerQuery,
    KillBody,
    LogFollowQuery,
    LogNews,
    Logs,
    LogSearch,
    LogSearchQuery,
    LogsQuery,
    StopBody,
)
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.platform.commands import Caller, Scope, command, feed
from homelab_agent.platform.commands import query as declare_query
from homelab_agent.platform.jobs.models import CommandResult


class ContainerRoutes:
    """Containers: look at them, read their logs, command them."""

    def __init__(self, service: ContainerService, logs: ContainerLogs) -> None:
        self._service = service
        self._logs = logs

    @declare_query("containers.list", "/containers")
    async def list(self, query: ContainerQuery) -> ContainerList:
        """List the containers of this host, by name."""
        return self._service.list(query)

    @declare_query("containers.get", "/containers/{name}")
    async def get(self, name: str) -> Container:
        """Return one container, by its Docker name or its key."""
        return self._service.get(name)

    @declare_query("containers.logs", "/containers/{name}/logs")
    async def logs(self, name: str, query: LogsQuery) -> Logs:
        """Return the last lines of a container's log, or the last ones that have a text."""
        return await self._logs.read(name, query)

    @declare_query("containers.search_logs", "/logs/search")
    async def search_logs(self, query: LogSearchQuery) -> LogSearch:
        """Search the logs of many containers at once."""
        return await self._logs.search(query)

    @feed("containers.follow_logs", "/containers/{name}/logs/follow")
    def follow_logs(
        self, name: str, query: LogFollowQuery
    ) -> AbstractAsyncContextManager[AsyncIterator[LogNews]]:
        """Tell a container's log as it is written, over a WebSocket."""
        return self._logs.follow(name, query)

    @command(
        "containers.start",
        "POST",
        "/containers/{name}/start",
        scope=Scope.OPERATE,
        idempotent=True,
        target=CONTAINER_KIND,
        dangerous=False,
    )
    async def start(self, name: str, body: CommandBody, caller: Caller) -> CommandResult:
        """Start a container."""
        return await self._service.command("start", name, caller, wait_s=body.wait_s)

    @command(
        "containers.stop",
        "POST",
        "/containers/{name}/stop",
        scope=Scope.OPERATE,
        idempotent=True,
        target=CONTAINER_KIND,
    )
    async def stop(self, name: str, body: StopBody, caller: Caller) -> CommandResult:
        """Stop a container, killing it after its grace period."""
        return await self._service.command(
            "stop", name, caller, wait_s=body.wait_s, timeout_s=body.timeout_s
        )

    @command(
        "containers.restart",
        "POST",
        "/containers/{name}/restart",
        scope=Scope.OPERATE,
        target=CONTAINER_KIND,
    )
    async def restart(self, name: str, body: StopBody, caller: Caller) -> CommandResult:
        """Stop and start a container."""
        return await self._service.command(
            "restart", name, caller, wait_s=body.wait_s, timeout_s=body.timeout_s
        )

    @command(
        "containers.pause",
        "POST",
        "/containers/{name}/pause",
        scope=Scope.OPERATE,
        idempotent=True,
        target=CONTAINER_KIND,
    )
    async def pause(self, name: str, body: CommandBody, caller: Caller) -> CommandResult:
        """Freeze all processes of a container."""
        return await self._service.command("pause", name, caller, wait_s=body.wait_s)

    @command(
        "containers.unpause",
        "POST",
        "/containers/{name}/unpause",
        scope=Scope.OPERATE,
        idempotent=True,
        target=CONTAINER_KIND,
        dangerous=False,
    )
    async def unpause(self, name: str, body: CommandBody, caller: Caller) -> CommandResult:
        """Thaw a paused container."""
        return await self._service.command("unpause", name, caller, wait_s=body.wait_s)

    @command(
        "containers.kill",
        "POST",
        "/containers/{name}/kill",
        scope=Scope.OPERATE,
        target=CONTAINER_KIND,
    )
    async def kill(self, name: str, body: KillBody, caller: Caller) -> CommandResult:
        """Send a signal to the main process of a container."""
        return await self._service.command(
            "kill", name, caller, wait_s=body.wait_s, signal=body.signal
        )
