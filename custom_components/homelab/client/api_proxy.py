"""What an agent can be asked and told about its reverse proxy."""

from dataclasses import fields

from .models import (
    CommandResult,
    ProxyReport,
    ProxyRoute,
    ProxySetupBody,
    PutRouteBody,
    RouteBody,
    RouteCommandBody,
    RoutePlan,
)
from .parse import reader
from .requests import Requests

PLAN_TIMEOUT_S = 60.0

REMOVE_WAIT_S = 60.0
"""How long the agent itself waits for the end of a removal."""

_PLAN = reader(RoutePlan)
_REPORT = reader(ProxyReport)
_ROUTE = reader(ProxyRoute)


class ProxyApi:
    """The reverse proxy of one agent."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def report(self) -> ProxyReport:
        """Return the proxy's state, the agent's routes, and those of others."""
        return await self._requests.get(_REPORT, "proxy")

    async def set_up(self, body: ProxySetupBody) -> CommandResult:
        """Use this Caddy from now on, or let the agent run one itself."""
        return await self._requests.command(
            "proxy",
            "setup",
            body=body,
            wait_s=body.wait_s,
            method="PUT",
            besides_s=PLAN_TIMEOUT_S,
        )

    async def route(self, host: str) -> ProxyRoute:
        """Return one route."""
        return await self._requests.get(_ROUTE, "proxy", "routes", host)

    async def plan(self, host: str, body: RouteBody) -> RoutePlan:
        """Return what a route would be in Caddy; nothing is changed."""
        return await self._requests.post(
            _PLAN, "proxy", "routes", host, "plan", body=body, timeout_s=PLAN_TIMEOUT_S
        )

    async def put(self, host: str, route: RouteBody, *, wait_s: float = 0) -> CommandResult:
        """Serve something at a host name."""
        given = {item.name: getattr(route, item.name) for item in fields(route)}
        body = PutRouteBody(**given, wait_s=wait_s)
        return await self._requests.command(
            "proxy",
            "routes",
            host,
            body=body,
            wait_s=body.wait_s,
            method="PUT",
            besides_s=PLAN_TIMEOUT_S,
        )

    async def remove(self, host: str) -> CommandResult:
        """Serve nothing at a host name any more."""
        return await self._requests.command(
            "proxy",
            "routes",
            host,
            body=None,
            wait_s=REMOVE_WAIT_S,
            method="DELETE",
            besides_s=PLAN_TIMEOUT_S,
        )

    async def restore(self, host: str, *, wait_s: float = 0) -> CommandResult:
        """Put a route back that somebody changed or removed in Caddy."""
        body = RouteCommandBody(wait_s=wait_s)
        return await self._requests.command(
            "proxy",
            "routes",
            host,
            "apply",
            body=body,
            wait_s=body.wait_s,
            besides_s=PLAN_TIMEOUT_S,
        )
