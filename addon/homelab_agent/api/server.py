"""The only door: the HTTP server with its routes, and the order in which it opens and closes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from homelab_agent.api.auth import Authenticator, Login
from homelab_agent.api.connections import (
    ConnectionLimits,
    Connections,
    GuardedSite,
    expect,
)
from homelab_agent.api.feed_socket import FeedSockets
from homelab_agent.api.middleware import answer_errors, set_headers
from homelab_agent.api.openapi import openapi_document
from homelab_agent.api.operation_handler import OperationHandler
from homelab_agent.api.other_routes import (
    BASE_PATH,
    METRICS,
    OPENAPI,
    STREAM,
    OtherRoute,
    grant,
)
from homelab_agent.api.request_metrics import RequestMetrics
from homelab_agent.api.request_parsing import (
    BODY_DEADLINE_S,
    MAX_BODY_BYTES,
    parse_path,
    parse_query,
    refuse_query,
)
from homelab_agent.api.stream_socket import StreamSockets
from homelab_agent.api.tls import Tls
from homelab_agent.platform.commands import FeedHandler, Operation
from homelab_agent.platform.errors import SettingsError, Unauthenticated
from homelab_agent.platform.gate import Gate
from homelab_agent.platform.metrics import CONTENT_TYPE, Metrics

SHUTDOWN_S = 5.0
KEEP_ALIVE_S = 75.0
UNREAD_BODY_S = 2
"""For so long the rest of a refused body is read, so that its sender sees the answer."""

type OtherHandler = Callable[[web.Request, Login], Awaitable[web.StreamResponse]]


class ApiServer:
    """Serves every declared operation, the stream, the description and the metrics."""

    def __init__(
        self,
        operations: Iterable[Operation],
        authenticator: Authenticator,
        gate: Gate,
        streams: StreamSockets,
        metrics: Metrics,
        *,
        body_deadline_s: float = BODY_DEADLINE_S,
        connection_limits: ConnectionLimits | None = None,
    ) -> None:
        self._operations = tuple(operations)
        self._authenticator = authenticator
        self._gate = gate
        self._streams = streams
        self._feeds = FeedSockets(streams.sockets)
        self._metrics = metrics
        self._body_deadline_s = body_deadline_s
        self._connections = Connections(connection_limits or ConnectionLimits())
        self._requests = RequestMetrics(metrics)
        self._openapi = b""
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, tls: Tls | None = None) -> tuple[str, int]:
        """Listen; return the address really bound.

        Raises:
            SettingsError: nobody can listen there.
        """
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            handle_signals=False,
            keepalive_timeout=KEEP_ALIVE_S,
            lingering_time=UNREAD_BODY_S,
            shutdown_timeout=SHUTDOWN_S,
        )
        await runner.setup()
        self._runner = runner
        site = GuardedSite(
            runner,
            host,
            port,
            ssl_context=tls.context if tls else None,
            connections=self._connections,
        )
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            await self.close()
            raise SettingsError(
                f"The agent cannot listen at {host}:{port}: {error}",
                field="listen",
                hint="Is another program (or another agent) there? Choose another port.",
            ) from error
        bound_host, bound_port = runner.addresses[0][:2]
        return str(bound_host), int(bound_port)

    async def close(self) -> None:
        """Let go of the port, say goodbye to every stream, finish what is being answered."""
        runner, self._runner = self._runner, None
        if runner is not None:
            # First of all nobody new: a client whose stream ends comes back within milliseconds.
            for site in runner.sites:
                await site.stop()
        await self._streams.close()
        if runner is not None:
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(
            middlewares=[self._requests.measure, answer_errors], client_max_size=MAX_BODY_BYTES + 1
        )
        application.on_response_prepare.append(set_headers)
        for operation in self._operations:
            if operation.opens is not None:
                path = BASE_PATH + operation.declaration.path
                _add(application, "GET", path, self._feed(operation, operation.opens))
                continue
            handler = OperationHandler(
                operation,
                self._authenticator,
                self._gate,
                body_deadline_s=self._body_deadline_s,
            )
            path = BASE_PATH + operation.declaration.path
            _add(application, operation.declaration.method, path, handler.handle)
            if operation.declaration.method == "GET":
                _add(application, "HEAD", path, handler.handle)
        others: tuple[tuple[OtherRoute, OtherHandler], ...] = (
            (OPENAPI, self._describe),
            (METRICS, self._measure),
            (STREAM, self._stream),
        )
        for route, handle in others:
            _add(application, "GET", route.path, self._guarded(route, handle))
        return application

    def _guarded(
        self, route: OtherRoute, handle: OtherHandler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            login = await self._authenticator.login(request)
            await self._gate.run(route.operation, login.caller if login else None, None, grant)
            if login is None:
                raise Unauthenticated("A token is needed")
            refuse_query(request)
            return await handle(request, login)

        return guarded

    def _feed(
        self, operation: Operation, opens: FeedHandler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            login = await self._authenticator.login(request)
            await self._gate.run(operation, login.caller if login else None, None, grant)
            if login is None:
                raise Unauthenticated("A token is needed")
            arguments: dict[str, object] = {**parse_path(request, operation.path_parameters)}
            if operation.query is not None:
                arguments["query"] = parse_query(request, operation.query)
            else:
                refuse_query(request)
            return await self._feeds.serve(
                request,
                login.caller.name,
                lambda: self._authenticator.still_allowed(login),
                opens(**arguments),
            )

        return serve

    async def _describe(self, _: web.Request, __: Login) -> web.Response:
        if not self._openapi:
            document = openapi_document(self._operations, BASE_PATH)
            self._openapi = json.dumps(document).encode()
        return web.Response(body=self._openapi, content_type="application/json")

    async def _measure(self, _: web.Request, __: Login) -> web.Response:
        # In a thread: the numbers of the process come from files.
        body = await asyncio.to_thread(self._metrics.render)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _stream(self, request: web.Request, login: Login) -> web.StreamResponse:
        return await self._streams.serve(
            request, login.caller.name, lambda: self._authenticator.still_allowed(login)
        )


def _add(
    application: web.Application,
    method: str,
    path: str,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> None:
    application.router.add_route(method, path, handler, expect_handler=expect)
