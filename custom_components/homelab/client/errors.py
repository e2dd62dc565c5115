"""What can go wrong between Home Assistant and an agent, named by what the caller can do.

The classes down to `StoreError` mirror the agent's own, by `code`. `Undone` is an outcome of a job.
Those below it happen before an agent answers at all.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from .models import JobError

type Extra = Mapping[str, object]


class AgentError(Exception):
    """Something the agent said, or kept us from hearing it. The base of all errors here."""

    code: str = "internal"
    status: ClassVar[int] = 500

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


class Malformed(Invalid):
    """The request could not be read at all."""

    code = "malformed"
    status = 400


class TooLarge(Invalid):
    """The request was larger than the agent takes."""

    code = "too_large"
    status = 413


class Unauthenticated(AgentError):
    """No token, one that is not known, or one that was revoked."""

    code = "unauthenticated"
    status = 401


class Denied(AgentError):
    """The token is known, but its scope is too small."""

    code = "denied"
    status = 403


class NotFound(AgentError):
    """The thing named does not exist."""

    code = "not_found"
    status = 404


class NotAllowedMethod(NotFound):
    """The path exists, but not with this method."""

    code = "method_not_allowed"
    status = 405


class Conflict(AgentError):
    """The thing is in a state in which this cannot be done."""

    code = "conflict"
    status = 409


class Protected(Conflict):
    """The thing is protected from this command."""

    code = "protected"


class Busy(Conflict):
    """Another job holds the target; `extra["job_id"]` names it."""

    code = "busy"


class RateLimited(AgentError):
    """Too many requests; `retry_after_s` says when to come again."""

    code = "rate_limited"
    status = 429


class Failed(AgentError):
    """Something the agent stands on (Docker, a provider) could not do it, and said why."""

    code = "failed"
    status = 502


class Unavailable(AgentError):
    """Something the agent needs (Docker, its store) is away; nothing was changed."""

    code = "unavailable"
    status = 503


class TimedOut(AgentError):
    """The agent's deadline passed; whether the thing was done is not known."""

    code = "timed_out"
    status = 504


class SettingsError(AgentError):
    """A setting of the agent is wrong."""

    code = "settings"


class StoreError(AgentError):
    """The agent's own store cannot be used."""

    code = "store"


class Undone(AgentError):
    """It did not work out and was taken back: all is as before."""

    code = "undone"


class CannotConnect(AgentError):
    """Nothing that could be an agent was reached."""

    code = "cannot_connect"


class NoAnswer(CannotConnect):
    """The agent did not answer in time; whether a command was carried out is not known."""

    code = "no_answer"


class TlsFailed(CannotConnect):
    """The two sides could not agree on TLS; often only one of them expects it."""

    code = "tls_failed"


class CertificateUntrusted(TlsFailed):
    """The certificate is signed by nobody known and no fingerprint was given."""

    code = "certificate_untrusted"


class FingerprintMismatch(TlsFailed):
    """The certificate is another one than the pinned one."""

    code = "fingerprint_mismatch"


class NotAnAgent(CannotConnect):
    """Something answered that does not speak our language."""

    code = "not_an_agent"


class OtherAgent(CannotConnect):
    """An agent answered, but not the one expected at this address."""

    code = "other_agent"


class AgentTooOld(CannotConnect):
    """The agent speaks an older contract than this client understands."""

    code = "agent_too_old"


class AgentTooNew(CannotConnect):
    """The agent no longer speaks the contract of this client."""

    code = "agent_too_new"


def error_classes(base: type[AgentError] = AgentError) -> Iterator[type[AgentError]]:
    """Yield `base` and every class below it."""
    yield base
    for child in base.__subclasses__():
        yield from error_classes(child)


_LOCAL = frozenset(error_classes(CannotConnect))
_BY_CODE = {error.code: error for error in error_classes() if error not in _LOCAL}
_BY_STATUS = {
    error.status: error
    for error in reversed(_BY_CODE.values())
    if error.status != AgentError.status
}


def from_problem(status: int, problem: Mapping[str, object]) -> AgentError:
    """Return the error that a problem document stands for.

    A code that is not known (a newer agent) becomes the class of its status and keeps the code.
    """
    code = problem.get("code")
    known = _BY_CODE.get(code) if isinstance(code, str) else None
    error = (known or _BY_STATUS.get(status, AgentError))(
        _text(problem, "detail") or _text(problem, "title") or f"HTTP status {status}",
        field=_text(problem, "field"),
        hint=_text(problem, "hint"),
        extra={key: value for key, value in problem.items() if key not in _STANDARD},
    )
    if isinstance(code, str):
        error.code = code
    return error


def error_of_job(error: JobError, *, undone: bool) -> AgentError:
    """Return the error that a job ended with; `Undone` where all of it was taken back."""
    problem = {"code": error.code, "detail": error.message, **(error.extra or {})}
    told = from_problem(AgentError.status, problem | {"field": error.field, "hint": error.hint})
    if not undone:
        return told
    return Undone(told.message, field=told.field, hint=told.hint, extra=told.extra)


_STANDARD = frozenset({"type", "title", "status", "detail", "code", "field", "hint"})


def _text(problem: Mapping[str, object], name: str) -> str | None:
    value = problem.get(name)
    return value if isinstance(value, str) and value else None
