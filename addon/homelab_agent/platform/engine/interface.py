"""The one interface to a container engine. `docker/` and `demo/` implement it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from homelab_agent.platform.engine.logs import PackedLine
from homelab_agent.platform.engine.models import (
    EngineContainer,
    EngineEvent,
    EngineInfo,
    EngineRight,
    LogLine,
    LogRequest,
    LogStream,
)


class Engine(Protocol):
    """A container engine. Every method raises only the errors of `platform.errors`.

    `Unavailable` when the engine cannot be reached, `Denied` when a socket proxy forbids the
    call, `NotFound` for an unknown container, `Conflict` when its state does not allow the
    call, `TimedOut` when the deadline passed or the answer got lost, `Failed` when the engine
    tried and could not, `RateLimited` when too much is asked of it at once. Nothing that changes
    something is ever repeated by itself.
    """

    async def connect(self) -> EngineInfo:
        """Reach the engine, agree on an API version and return its description."""

    async def missing_rights(self) -> frozenset[EngineRight]:
        """Return what the engine or the proxy before it forbids, without changing anything."""

    async def list_containers(self) -> tuple[EngineContainer, ...]:
        """Return every container, stopped ones included, in full."""

    async def inspect(self, container_id: str) -> EngineContainer:
        """Return one container in full, by id or name."""

    def events(
        self, since_ns: int | None
    ) -> AbstractAsyncContextManager[AsyncIterator[EngineEvent]]:
        """Attach to the container events from `since_ns` (Unix time in nanoseconds) on.

        Attached means: whatever happens after entering is seen. The iterator ends by raising
        `Unavailable` when the connection is lost; it never ends silently.
        """

    async def start(self, container_id: str) -> None:
        """Start a container; nothing happens when it runs."""

    async def stop(self, container_id: str, timeout_s: int | None) -> None:
        """Stop a container, killing it after `timeout_s` (its own grace period when None)."""

    async def restart(self, container_id: str, timeout_s: int | None) -> None:
        """Stop and start a container."""

    async def pause(self, container_id: str) -> None:
        """Freeze all processes of a container."""

    async def unpause(self, container_id: str) -> None:
        """Thaw a paused container."""

    async def kill(self, container_id: str, signal: str) -> None:
        """Send a signal to the main process of a container."""

    async def logs(
        self,
        container_id: str,
        *,
        tail: int,
        since: datetime | None,
        until: datetime | None,
        stream: LogStream | None = None,
    ) -> tuple[LogLine, ...]:
        """Return the last `tail` lines (fewer where the container has fewer)."""

    def log_lines(
        self, container_id: str, request: LogRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[list[PackedLine]]]:
        """Give lines as they come. With `follow` the iterator ends when the container does.

        Raises `Conflict` on entering where the container's logging driver cannot be read.
        """

    async def close(self) -> None:
        """Let go of the engine; safe to call twice."""
