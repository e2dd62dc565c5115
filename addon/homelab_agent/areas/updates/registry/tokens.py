"""Tokens of registries: asked for once, used until they end."""

from base64 import b64encode
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field

from homelab_agent.areas.updates.registry.challenge import BearerChallenge
from homelab_agent.areas.updates.registry.hosts import RegistryHost
from homelab_agent.areas.updates.registry.http import Http, Reply, Request, no_registry
from homelab_agent.platform.clock import Steady, steady_s
from homelab_agent.platform.engine.images import RegistryLogin
from homelab_agent.platform.errors import Denied, Unavailable

_MOST_BYTES = 256 * 1024
_DEFAULT_LIFE_S = 60.0
_LONGEST_LIFE_S = 3600.0
_MARGIN_S = 5.0
_CLIENT = "homelab-agent"
_MOST_TOKENS = 512


class _Token(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    token: str | None = None
    access_token: str | None = None
    expires_in: float | None = Field(default=None, ge=0, le=10**9)


@dataclass(frozen=True, slots=True)
class _Kept:
    header: str
    until: float


class Tokens:
    """Keeps a token for each repository of a registry."""

    def __init__(self, http: Http, *, now: Steady = steady_s) -> None:
        self._http = http
        self._now = now
        self._kept: dict[tuple[str, str], _Kept] = {}

    def known(self, registry: str, repository: str) -> str | None:
        """Return the header of a token that still holds."""
        kept = self._kept.get((registry, repository))
        return kept.header if kept and kept.until > self._now() else None

    def forget(self, registry: str, repository: str) -> None:
        """Forget a token that the registry does not take."""
        self._kept.pop((registry, repository), None)

    async def get(
        self,
        host: RegistryHost,
        repository: str,
        challenge: BearerChallenge,
        login: RegistryLogin | None,
    ) -> str:
        """Return the header for a repository, with a new token.

        Raises:
            Denied: the login is wrong, or there is none and it takes one.
        """
        reply = await self._http.send(host.name, _request(host, repository, challenge, login))
        reply.require_well()
        token = _read(reply, host.name, login)
        value = token.token or token.access_token
        if not value or not value.isascii() or not value.isprintable():
            raise no_registry(host.name, reply.headers.get("Content-Type"))
        life_s = min(token.expires_in or _DEFAULT_LIFE_S, _LONGEST_LIFE_S)
        if len(self._kept) >= _MOST_TOKENS:
            self._kept.clear()
        header = f"Bearer {value}"
        self._kept[host.name, repository] = _Kept(header, self._now() + life_s - _MARGIN_S)
        return header


def basic(login: RegistryLogin) -> str:
    """Return the header that shows user and password."""
    text = f"{login.username}:{login.password.get_secret_value()}"
    return f"Basic {b64encode(text.encode()).decode()}"


def _request(
    host: RegistryHost, repository: str, challenge: BearerChallenge, login: RegistryLogin | None
) -> Request:
    wanted = {"scope": challenge.scope or f"repository:{repository}:pull"}
    if challenge.service:
        wanted["service"] = challenge.service
    if login is None or login.identity_token is None:
        return Request(
            method="GET",
            url=challenge.realm,
            ssl=host.ssl,
            most_bytes=_MOST_BYTES,
            headers={"Authorization": basic(login)} if login else {},
            parameters=wanted,
        )
    return Request(
        method="POST",
        url=challenge.realm,
        ssl=host.ssl,
        most_bytes=_MOST_BYTES,
        headers={},
        form={
            **wanted,
            "grant_type": "refresh_token",
            "refresh_token": login.identity_token.get_secret_value(),
            "client_id": _CLIENT,
        },
    )


def _read(reply: Reply, name: str, login: RegistryLogin | None) -> _Token:
    if reply.status == HTTPStatus.OK:
        return reply.read(_Token)
    if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST}:
        if login is not None:
            # The same login would be refused for every image: asking on would lock it out.
            raise Unavailable(
                f"{name} refuses the agent's login.",
                hint="Correct user and password (setting registries, or Docker's configuration).",
            )
        raise Denied(
            f"{name} wants a login for this image.",
            hint="Give the agent a user and a password for it (setting registries).",
        )
    raise Unavailable(f"{name} gives no token: it answers {reply.status}.")
