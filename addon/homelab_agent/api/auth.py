"""Who asks: the bearer token of a request becomes a caller, or a refusal that gets slower."""

from dataclasses import dataclass

from aiohttp import web

from homelab_agent.api.login_throttle import LoginThrottle
from homelab_agent.api.rate_limit import RateLimit
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.errors import AgentError, Denied, Unauthenticated
from homelab_agent.platform.tokens import Tokens

_PREFIX = "bearer "
_MAX_TOKEN_CHARS = 200


@dataclass(frozen=True, slots=True)
class Login:
    """A caller who showed a good token. The token is kept to be checked again later."""

    caller: Caller
    secret: str


class Authenticator:
    """Turns tokens into callers and holds both limits: of requests and of failed logins."""

    def __init__(
        self, tokens: Tokens, audit: Audit, limit: RateLimit, throttle: LoginThrottle
    ) -> None:
        self._tokens = tokens
        self._audit = audit
        self._limit = limit
        self._throttle = throttle

    async def login(self, request: web.Request, operation: str) -> Login:
        """Return who asks for `operation`.

        Raises:
            Unauthenticated: for a missing or wrong token, the slower the more there were.
            RateLimited: for a caller who asks too much.
        """
        secret = _bearer(request)
        caller = await self._tokens.verify(secret) if secret else None
        if caller is None or secret is None:
            return await self._refuse(request, operation, given=secret is not None)
        self._limit.take(f"token {caller.name}")
        return Login(caller, secret)

    def admit_stranger(self, request: web.Request) -> None:
        """Count a request that needs no token; raise `RateLimited` when there are too many."""
        self._limit.take(f"peer {_peer(request)}")

    async def still_allowed(self, login: Login) -> bool:
        """Return whether the token of an earlier login is still good for the same."""
        return await self._tokens.verify(login.secret) == login.caller

    async def require(self, login: Login, scope: Scope, operation: str) -> None:
        """Raise `Denied` where the caller's scope does not include `scope`."""
        if login.caller.scope.includes(scope):
            return
        error = Denied(
            f"The token {login.caller.name!r} has the scope {login.caller.scope}, "
            f"{operation} needs {scope}.",
            hint=f"Use a token with the scope {scope}.",
        )
        await self._audit.record(
            caller=login.caller.name,
            action=operation,
            outcome=Outcome.REFUSED,
            code=error.code,
            message=error.message,
        )
        raise error

    async def _refuse(self, request: web.Request, operation: str, *, given: bool) -> Login:
        self.admit_stranger(request)
        error: AgentError = Unauthenticated(
            "This token is not known." if given else "A token is needed.",
            hint="Send it as: Authorization: Bearer TOKEN. "
            "Create one with: homelab-agent token create",
        )
        await self._throttle.failed(_peer(request))
        await self._audit.record(
            caller=f"peer {_peer(request)}",
            action=operation,
            outcome=Outcome.REFUSED,
            code=error.code,
            message=error.message,
        )
        raise error


def _bearer(request: web.Request) -> str | None:
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith(_PREFIX):
        return None
    secret = header[len(_PREFIX) :].strip()
    # Anything longer or stranger is no token of ours; it need not be hashed to know that.
    return secret if secret.isascii() and len(secret) <= _MAX_TOKEN_CHARS else ""


def _peer(request: web.Request) -> str:
    return request.remote or "unknown"
