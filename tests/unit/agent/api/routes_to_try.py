"""An area of the tests' own: one route for each thing that the door can do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from ipaddress import IPv4Address

from pydantic import Field

from homelab_agent.platform.commands import Caller, Outcome, Scope, command, feed
from homelab_agent.platform.commands import query as declare_query
from homelab_agent.platform.errors import Busy, Unavailable
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.model import Model


class Echo(Model):
    """What a route heard."""

    name: str = ""
    caller: str = ""
    text: str = ""


class Wish(Model):
    """A query of every shape."""

    text: str = ""
    count: int = Field(default=1, ge=1, le=9)
    tags: tuple[str, ...] = ()
    at: datetime | None = None


class Inner(Model):
    """Something inside a body."""

    text: str = ""


class Order(Model):
    """A body of every shape."""

    text: str = ""
    count: int = 1
    inner: Inner = Inner()
    labels: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Needed(Model):
    """A body that cannot be left out."""

    text: str
    address: IPv4Address | None = None


class RoutesToTry:
    """Handlers that answer what they heard, or fail in every way."""

    def __init__(self) -> None:
        self.hold = asyncio.Event()
        self.begun = asyncio.Event()
        self.left = asyncio.Event()

    @declare_query("try.open", "/try/open", scope=None)
    async def open(self) -> Echo:
        """Answer without a token."""
        return Echo()

    @declare_query("try.list", "/try")
    async def list(self, query: Wish, caller: Caller) -> Echo:
        """Answer what was asked."""
        text = f"{query.text} {query.count} {','.join(query.tags)}"
        return Echo(caller=caller.name, text=text)

    @declare_query("try.get", "/try/{name}")
    async def get(self, name: str) -> Echo:
        """Answer the name."""
        return Echo(name=name)

    @declare_query("try.broken", "/broken")
    async def broken(self) -> Echo:
        """Fail as nobody expected."""
        raise RuntimeError("the secret plan is in drawer 7")

    @declare_query("try.away", "/away")
    async def away(self) -> Echo:
        """Fail as expected."""
        raise Unavailable(
            "The shelf is away.", hint="Wait.", retry_after_s=2.4, extra={"since": "today"}
        )

    @declare_query("try.slow", "/slow")
    async def slow(self) -> Echo:
        """Answer when the test says so."""
        self.begun.set()
        await self.hold.wait()
        return Echo(text="at last")

    @feed("try.count", "/try/{name}/count")
    def count(self, name: str, query: Wish) -> AbstractAsyncContextManager[AsyncIterator[Echo]]:
        """Count, and then wait for a test."""
        return self._count(name, query)

    @asynccontextmanager
    async def _count(self, name: str, query: Wish) -> AsyncIterator[AsyncIterator[Echo]]:
        async def counted() -> AsyncIterator[Echo]:
            for number in range(query.count):
                yield Echo(name=name, text=str(number))
            await self.hold.wait()

        self.begun.set()
        try:
            yield counted()
        finally:
            self.left.set()

    @command("try.order", "POST", "/try/{name}/order", scope=Scope.OPERATE, dangerous=False)
    async def order(self, name: str, body: Order, caller: Caller) -> Echo:
        """Answer the body."""
        return Echo(name=name, caller=caller.name, text=body.model_dump_json())

    @command("try.need", "POST", "/need", scope=Scope.OPERATE, dangerous=False)
    async def need(self, body: Needed) -> Echo:
        """Answer a body that must be there."""
        return Echo(text=body.text)

    @command("try.plain", "POST", "/plain", scope=Scope.OPERATE, dangerous=False)
    async def plain(self) -> CommandResult:
        """Begin something that takes long."""
        return CommandResult(outcome=None, message="It still runs.")

    @command("try.done", "POST", "/done", scope=Scope.OPERATE, dangerous=False)
    async def done(self) -> CommandResult:
        """Do something short."""
        return CommandResult(outcome=Outcome.DONE, message="Done.")

    @command("try.busy", "POST", "/busy", scope=Scope.OPERATE, dangerous=False)
    async def busy(self) -> CommandResult:
        """Be busy."""
        raise Busy("Another job runs.", extra={"job_id": "j1"})

    @command("try.admin", "DELETE", "/try/{name}", scope=Scope.ADMIN, target="thing")
    async def remove(self, name: str) -> Echo:
        """Remove a thing that may be protected."""
        return Echo(name=name)
