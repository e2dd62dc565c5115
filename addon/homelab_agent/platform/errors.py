"""The one family of errors. Children are named by what the caller can do about them.

On the wire each becomes an RFC 9457 problem: `code` is stable and for programs, the
message is for a person, `field` names the input at fault and `hint` the remedy.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

type Extra = Mapping[str, str | int | float | bool | None]


class AgentError(Exception):
    """Something the caller can be told about."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        retry_after_s: float | None = None,
        extra: Extra | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint
        self.retry_after_s = retry_after_s
        self.extra: Extra = extra or {}


class Invalid(AgentError):
    """The input is wrong; `field` says where."""

    code = "invalid"
    status = 422
    title = "Invalid input"


class Malformed(Invalid):
    """The body is not readable at all (broken JSON, wrong content type)."""

    code = "malformed"
    status = 400
    title = "Unreadable request"


class TooLarge(Invalid):
    """The body is larger than this route takes."""

    code = "too_large"
    status = 413
    title = "Body too large"


class Unauthenticated(AgentError):
    """No token, or one that is not known."""

    code = "unauthenticated"
    status = 401
    title = "Token missing or wrong"


class Denied(AgentError):
    """The token is known, but its scope is too small."""

    code = "denied"
    status = 403
    title = "Not allowed"


class NotFound(AgentError):
    """The thing named does not exist."""

    code = "not_found"
    status = 404
    title = "Not found"


class NotAllowedMethod(NotFound):
    """The path exists, but not with this method."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"


class Conflict(AgentError):
    """The thing is in a state in which this cannot be done."""

    code = "conflict"
    status = 409
    title = "Conflict"


class Protected(Conflict):
    """The thing is protected from this command."""

    code = "protected"
    title = "Protected"


class Busy(Conflict):
    """Another job holds the target; `extra["job_id"]` names it."""

    code = "busy"
    title = "Busy"


class RateLimited(AgentError):
    """Too many requests; `retry_after_s` says when to come again."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"


class Unavailable(AgentError):
    """Something the agent needs (Docker, the store) is away; nothing was changed."""

    code = "unavailable"
    status = 503
    title = "Unavailable"


class TimedOut(AgentError):
    """The deadline passed; whether the thing was done is not known."""

    code = "timed_out"
    status = 504
    title = "Timed out"


class Failed(AgentError):
    """Something the agent stands on (Docker, a provider) could not do it, and said why."""

    code = "failed"
    status = 502
    title = "It could not be done"


class SettingsError(AgentError):
    """A setting is unknown or wrong; the agent does not start."""

    code = "settings"
    title = "Wrong setting"


class StoreError(AgentError):
    """The agent's own store cannot be used; the agent does not start."""

    code = "store"
    title = "Store unusable"


def errors_by_code() -> dict[str, type[AgentError]]:
    """Return each error that has a code of its own.

    A class that only tells callers within the agent more precisely what happened has none.
    """
    return {error.code: error for error in _family(AgentError) if "code" in vars(error)}


def _family(base: type[AgentError]) -> Iterator[type[AgentError]]:
    yield base
    for child in base.__subclasses__():
        yield from _family(child)
