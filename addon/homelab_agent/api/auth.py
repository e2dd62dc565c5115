"""Who asks: the bearer token of a request becomes a caller. What they may do the gate decides."""

from dataclasses import dataclass

from aiohttp import web

from homelab_agent.api.login_throttle import LoginThrottle
from homelab_agent.api.rate_limit import RateLimit
from homelab_agent.platform.commands import Caller
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

    def __init__(self, tokens: Tokens, limit: RateLimit, throttle: LoginThrottle) -> None:
        self._tokens = tokens
        self._limit = limit
        self._throttle = throttle

    async def login(self, request: web.Request) -> Login | None:
        """Return who asks, None for nobody we know. The more failures, the longer that takes.

        Raises:
            RateLimited: for a caller who asks too much.
        """
        secret = _bearer(request)
        caller = await self._tokens.verify(secret) if secret else None
        if secret and caller:
            self._limit.take(f"token {caller.name}")
            return Login(caller, secret)
        self.admit_stranger(request)
        await self._throttle.failed(_peer(request))
        return None

    def admit_stranger(self, request: web.Request) -> None:
        """Count a request without a token; raise `RateLimited` when there are too many."""
        self._limit.take(f"peer {_peer(request)}")

    async def still_allowed(self, login: Login) -> bool:
        """Return whether the token of an earlier login is still good for the same."""
        return await self._tokens.verify(login.secret) == login.caller


def _bearer(request: web.Request) -> str | None:
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith(_PREFIX):
        return None
    secret = header[len(_PREFIX) :].strip()
    # Anything longer or stranger is no token of ours; it need not be looked up to know that.
    return secret if secret.isascii() and len(secret) <= _MAX_TOKEN_CHARS else None


def _peer(request: web.Request) -> str:
    return request.remote or "unknown"
