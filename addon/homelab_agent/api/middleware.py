"""What happens around every request: an id, an answer for every error, a line in the log."""

from collections.abc import Awaitable, Callable
from secrets import token_hex
from time import perf_counter

import structlog
from aiohttp import hdrs, web

from homelab_agent.api.problems import from_aiohttp, internal_error, problem_response
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID = "X-Request-Id"

_NOBODY_READS_IT = 400

_LOG = get_logger(__name__)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as a problem; what nobody expected is logged with its trace."""
    request_id = token_hex(6)
    began = perf_counter()
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        response = await _answer(request, handler, request_id)
        _LOG.debug(
            "request",
            method=request.method,
            path=request.path,
            status=response.status,
            peer=request.remote,
            duration_ms=round((perf_counter() - began) * 1000, 1),
        )
    if not response.prepared:
        response.headers[REQUEST_ID] = request_id
    return response


async def set_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Add to every answer of a route what `add_headers` says."""
    add_headers(response)


def add_headers(response: web.StreamResponse) -> None:
    """Tell nothing of what the agent is made of, and keep answers out of caches."""
    response.headers[hdrs.SERVER] = "homelab-agent"
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"


async def _answer(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except AgentError as error:
        return problem_response(error)
    except web.HTTPException as error:
        return _answer_aiohttp(request, error)
    except Exception as error:  # noqa: BLE001  # the caller gets an answer whatever happened
        if isinstance(error, ConnectionError) and _is_gone(request):
            _LOG.debug("client_left", method=request.method, path=request.path)
            return web.Response(status=_NOBODY_READS_IT)
        _LOG.exception("request_failed", method=request.method, path=request.path)
        return problem_response(internal_error(), request_id=request_id)


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _answer_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    allow = error.headers.get(hdrs.ALLOW)
    if request.method == hdrs.METH_OPTIONS and allow is not None:
        return web.Response(status=204, headers={hdrs.ALLOW: f"{allow},OPTIONS"})
    response = problem_response(from_aiohttp(error, request))
    if allow is not None:
        response.headers[hdrs.ALLOW] = allow
    return response
