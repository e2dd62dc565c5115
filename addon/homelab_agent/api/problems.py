"""Errors as RFC 9457 problems: the only form in which an error leaves the agent."""

from typing import Literal

from aiohttp import web
from pydantic import ConfigDict

from homelab_agent.platform.errors import (
    AgentError,
    Malformed,
    NotAllowedMethod,
    NotFound,
    SettingsError,
    StoreError,
    TooLarge,
    errors_by_code,
)
from homelab_agent.platform.model import Model

PROBLEM_TYPE = "application/problem+json"

_NEVER_ON_THE_WIRE: tuple[type[AgentError], ...] = (SettingsError, StoreError)
"""These keep the agent from starting, so nobody can be answered with them."""


class Problem(Model):
    """What went wrong: `code` for programs, `detail` for a person.

    `field` names the input at fault, `hint` the remedy. Some codes bring more members, such as
    `job_id`.
    """

    model_config = ConfigDict(extra="allow")

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    hint: str | None = None


def problem_response(error: AgentError, *, request_id: str | None = None) -> web.Response:
    """Return the answer that tells a caller of `error`."""
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if error.status == web.HTTPUnauthorized.status_code:
        headers["WWW-Authenticate"] = 'Bearer realm="homelab"'
    extra = dict(error.extra)
    if request_id is not None:
        extra["request_id"] = request_id
    problem = Problem.model_validate(
        extra
        | {
            "title": error.title,
            "status": error.status,
            "detail": error.message,
            "code": error.code,
            "field": error.field,
            "hint": error.hint,
        }
    )
    return web.Response(
        status=error.status,
        body=problem.model_dump_json(exclude_none=True).encode(),
        content_type=PROBLEM_TYPE,
        headers=headers,
    )


def internal_error() -> AgentError:
    """Return what a caller is told about something nobody expected: nothing but where to look."""
    return AgentError(
        "Something went wrong inside the agent.",
        hint="The agent's log holds the details under this request's id.",
    )


def from_aiohttp(error: web.HTTPException, request: web.Request) -> AgentError:
    """Return our error for one that aiohttp raised by itself."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return NotAllowedMethod(
            f"{request.path[:200]} cannot be asked with {request.method}.",
            hint=f"It takes {allowed}.",
        )
    if isinstance(error, web.HTTPNotFound):
        return NotFound(
            f"There is nothing at {request.path[:200]}.",
            hint="GET /api/v1/openapi.json lists what there is.",
        )
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return TooLarge("The body is too large.", field="body")
    if error.status < web.HTTPInternalServerError.status_code:
        return Malformed(f"The request cannot be understood: {error.reason}.")
    return internal_error()


def wire_errors() -> tuple[type[AgentError], ...]:
    """Return every error that an answer can carry, by code."""
    return tuple(
        error for _, error in sorted(errors_by_code().items()) if error not in _NEVER_ON_THE_WIRE
    )
