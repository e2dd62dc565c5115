"""The reverse proxy's routes."""

from homelab_agent.areas.proxy.desk import Desk
from homelab_agent.areas.proxy.models import (
    ProxyReport,
    ProxyRoute,
    ProxyRouteList,
    ProxySetupBody,
    PutRouteBody,
    RouteBody,
    RouteCommandBody,
    RoutePlan,
)
from homelab_agent.areas.proxy.setup import Setup
from homelab_agent.platform.commands import Caller, Scope, command
from homelab_agent.platform.commands import query as declare_query
from homelab_agent.platform.jobs.models import CommandResult


class ProxyRoutes:
    """The reverse proxy: which one, and what it serves for the agent."""

    def __init__(self, desk: Desk, setup: Setup) -> None:
        self._desk = desk
        self._setup = setup

    @declare_query("proxy.report", "/proxy")
    async def report(self) -> ProxyReport:
        """Return the proxy as a whole: its state, the agent's routes, and those of others."""
        return await self._desk.report()

    @command(
        "proxy.setup",
        "PUT",
        "/proxy/setup",
        scope=Scope.ADMIN,
        idempotent=True,
        dangerous=False,
    )
    async def setup(self, body: ProxySetupBody, caller: Caller) -> CommandResult:
        """Say which Caddy to use, or have the agent run one."""
        return await self._setup.change(body, caller)

    @declare_query("proxy.routes", "/proxy/routes")
    async def routes(self) -> ProxyRouteList:
        """List the agent's routes, by host name."""
        return await self._desk.routes()

    @declare_query("proxy.route", "/proxy/routes/{host}")
    async def route(self, host: str) -> ProxyRoute:
        """Return one route of the agent."""
        return await self._desk.route(host)

    @command(
        "proxy.plan_route",
        "POST",
        "/proxy/routes/{host}/plan",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def plan(self, host: str, body: RouteBody) -> RoutePlan:
        """Return what a route would be in Caddy; nothing is changed."""
        return await self._desk.plan(host, body)

    @command(
        "proxy.put",
        "PUT",
        "/proxy/routes/{host}",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def put(self, host: str, body: PutRouteBody, caller: Caller) -> CommandResult:
        """Make or change a route."""
        return await self._desk.put(host, body, caller)

    @command(
        "proxy.remove",
        "DELETE",
        "/proxy/routes/{host}",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def remove(self, host: str, caller: Caller) -> CommandResult:
        """Remove a route of the agent; nothing else in Caddy changes."""
        return await self._desk.remove(host, caller)

    @command(
        "proxy.apply",
        "POST",
        "/proxy/routes/{host}/apply",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def apply(self, host: str, body: RouteCommandBody, caller: Caller) -> CommandResult:
        """Put a route back into Caddy as the agent keeps it, whatever others made of it."""
        return await self._desk.apply(host, body, caller)
