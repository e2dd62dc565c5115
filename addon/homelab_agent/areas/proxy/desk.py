"""What people tell the proxy to do: each change of a route becomes a job."""

from homelab_agent.areas.proxy.board import Board
from homelab_agent.areas.proxy.jobs import PUT, REMOVE, job_target
from homelab_agent.areas.proxy.models import (
    PreparedRoute,
    ProxyReport,
    ProxyRoute,
    ProxyRouteList,
    PutRouteBody,
    RouteBody,
    RouteCommandBody,
    RoutePlan,
)
from homelab_agent.areas.proxy.service import ProxyService
from homelab_agent.areas.proxy.wanted import checked_host
from homelab_agent.platform.commands import Caller
from homelab_agent.platform.errors import NotFound
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner

REMOVE_WAIT_S = 60.0


class Desk:
    """Looks up what is asked for, and starts jobs."""

    def __init__(self, service: ProxyService, board: Board, runner: JobRunner) -> None:
        self._service = service
        self._board = board
        self._runner = runner

    async def report(self) -> ProxyReport:
        """Return the proxy as a whole, as last seen."""
        await self._service.until_ready()
        return ProxyReport(
            status=self._service.status(),
            routes=self._board.routes(),
            foreign=self._board.foreign(),
        )

    async def routes(self) -> ProxyRouteList:
        """Return the agent's routes, by host."""
        await self._service.until_ready()
        return ProxyRouteList(routes=self._board.routes())

    async def route(self, host: str) -> ProxyRoute:
        """Return one route; `NotFound` names it."""
        await self._service.until_ready()
        found = self._service.route(checked_host(host))
        if found is None:
            raise NotFound(
                f"The agent has no route for {host[:253]}.",
                field="host",
                hint="GET /api/v1/proxy/routes lists them all.",
            )
        return found

    async def plan(self, host: str, body: RouteBody) -> RoutePlan:
        """Return what putting a route would change."""
        return await self._service.plan(host, body)

    async def put(self, host: str, body: PutRouteBody, caller: Caller) -> CommandResult:
        """Start the job that makes or changes a route."""
        wanted = RouteBody.model_validate(body.model_dump(exclude={"wait_s"}))
        prepared = await self._service.prepare(host, wanted)
        return await self._run(PUT, prepared, caller, body.wait_s)

    async def remove(self, host: str, caller: Caller) -> CommandResult:
        """Start the job that removes a route."""
        prepared = await self._service.prepare(host, None)
        return await self._run(REMOVE, prepared, caller, REMOVE_WAIT_S)

    async def apply(self, host: str, body: RouteCommandBody, caller: Caller) -> CommandResult:
        """Start the job that puts a route back into Caddy as the agent keeps it."""
        host = checked_host(host)
        prepared = await self._service.prepare_again(host)
        return await self._run(PUT, prepared, caller, body.wait_s)

    async def _run(
        self, kind: str, prepared: PreparedRoute, caller: Caller, wait_s: float | None
    ) -> CommandResult:
        job = await self._runner.start(kind, job_target(prepared.host), prepared, caller)
        ended = await self._runner.wait(job.id, wait_s)
        return answer(ended, meanwhile=f"The route of {prepared.host} is still being changed.")
