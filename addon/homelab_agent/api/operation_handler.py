"""One declared operation as an HTTP handler: parse, ask the gate, answer."""

from aiohttp import web

from homelab_agent.api.auth import Authenticator
from homelab_agent.api.request_parsing import (
    parse_body,
    parse_path,
    parse_query,
    refuse_body,
    refuse_query,
)
from homelab_agent.platform.commands import Caller, Operation, TextDocument
from homelab_agent.platform.gate import Gate
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.model import Model

_STILL_RUNNING = 202


class OperationHandler:
    """Answers the requests of one operation."""

    def __init__(
        self,
        operation: Operation,
        authenticator: Authenticator,
        gate: Gate,
        *,
        body_deadline_s: float,
    ) -> None:
        if operation.handler is None:
            raise ValueError(f"{operation.name} is a feed: it is opened, not called")
        self._operation = operation
        self._handler = operation.handler
        self._authenticator = authenticator
        self._gate = gate
        self._body_deadline_s = body_deadline_s

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request; raises `AgentError`s for what the caller did wrong."""
        caller = await self._caller(request)
        names = parse_path(request, self._operation.path_parameters)
        target = next(iter(names.values()), None)

        arguments: dict[str, Model | None] = {}

        async def hear() -> None:
            arguments.update(await self._arguments(request))
            if self._operation.takes_caller:
                arguments["caller"] = caller

        async def call() -> Model:
            return await self._handler(**names, **arguments)

        result = await self._gate.run(self._operation, caller, target, call, hear=hear)
        if isinstance(result, TextDocument):
            return web.Response(text=result.text, content_type=result.media_type, charset="utf-8")
        running = isinstance(result, CommandResult) and result.outcome is None
        return web.Response(
            status=_STILL_RUNNING if running else web.HTTPOk.status_code,
            body=result.model_dump_json().encode(),
            content_type="application/json",
        )

    async def _caller(self, request: web.Request) -> Caller | None:
        if self._operation.declaration.scope is None:
            self._authenticator.admit_stranger(request)
            return None
        login = await self._authenticator.login(request)
        return login.caller if login else None

    async def _arguments(self, request: web.Request) -> dict[str, Model | None]:
        arguments: dict[str, Model | None] = {}
        if self._operation.query is None:
            refuse_query(request)
        else:
            arguments["query"] = parse_query(request, self._operation.query)
        if self._operation.body is None:
            await refuse_body(request, self._body_deadline_s)
        else:
            arguments["body"] = await parse_body(
                request, self._operation.body, self._body_deadline_s
            )
        return arguments
