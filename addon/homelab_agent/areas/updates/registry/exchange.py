"""One question to a registry and its answer: with a login where it asks for one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from homelab_agent.areas.updates.registry.challenge import BasicChallenge, read_challenge
from homelab_agent.areas.updates.registry.credentials import Credentials
from homelab_agent.areas.updates.registry.hosts import RegistryHost, RegistryHosts
from homelab_agent.areas.updates.registry.http import Http, NoTls, NotReached, Reply, Request
from homelab_agent.areas.updates.registry.lane import Lane, Pace
from homelab_agent.areas.updates.registry.tokens import Tokens, basic
from homelab_agent.platform.errors import Unavailable

_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LIMIT = re.compile(r"(\d{1,9})(?:\s*;.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question; `path` is below the repository. A head has no body, so few bytes are enough."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    most_bytes: int = 64 * 1024


class Exchange:
    """Knows for each registry its lane, its scheme and its tokens."""

    def __init__(self, hosts: RegistryHosts, credentials: Credentials, pace: Pace) -> None:
        self._hosts = hosts
        self._credentials = credentials
        self._pace = pace
        self._http = Http(deadline_s=pace.deadline_s)
        self._tokens = Tokens(self._http)
        self._lanes: dict[str, Lane] = {}
        self._schemes: dict[str, str] = {}
        self._basic: set[str] = set()

    async def ask(self, registry: str, repository: str, ask: Ask) -> Reply:
        """Return the answer. 401 and 403 mean that the best login there is was not enough."""
        lane = self._lanes.setdefault(registry, Lane(self._pace))
        async with lane.turn():
            host = await self._hosts.get(registry)
            reply = await self._with_login(host, repository, ask)
            reply.require_well()
            lane.answered()
            limit, remaining = (_number(reply, name) for name in ("limit", "remaining"))
            if limit is not None and remaining is not None:
                lane.slow_down(remaining, limit, name=registry)
            return reply

    def forgive(self, registry: str) -> None:
        """Open the lane of a registry that failed; not that of one which asked for rest."""
        if lane := self._lanes.get(registry):
            lane.forgive()

    def keep_only(self, registries: frozenset[str]) -> None:
        """Forget lanes, schemes and addresses of all other registries; tokens end by themselves."""
        for gone in self._lanes.keys() - registries:
            del self._lanes[gone]
        for gone in self._schemes.keys() - registries:
            del self._schemes[gone]
        self._basic &= registries
        self._hosts.keep_only(registries)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def _with_login(self, host: RegistryHost, repository: str, ask: Ask) -> Reply:
        known = self._tokens.known(host.name, repository)
        if known is None and host.name in self._basic:
            login = await self._credentials.get(host.name)
            known = basic(login) if login else None
        reply = await self._send(host, repository, ask, known)
        if reply.status != HTTPStatus.UNAUTHORIZED:
            return reply
        self._tokens.forget(host.name, repository)
        challenge = read_challenge(host.name, list(reply.challenges), insecure=host.insecure)
        login = await self._credentials.get(host.name)
        if isinstance(challenge, BasicChallenge):
            if login is None or known is not None:
                return reply
            self._basic.add(host.name)
            return await self._send(host, repository, ask, basic(login))
        header = await self._tokens.get(host, repository, challenge, login)
        return await self._send(host, repository, ask, header)

    async def _send(
        self, host: RegistryHost, repository: str, ask: Ask, authorization: str | None
    ) -> Reply:
        known = self._schemes.get(host.name)
        schemes = (known,) if known else host.schemes
        for scheme in schemes:
            request = Request(
                method=ask.method,
                url=f"{scheme}://{host.address}/v2/{repository}/{ask.path}",
                ssl=host.ssl,
                most_bytes=ask.most_bytes,
                headers=_authorized(ask.headers, authorization),
            )
            try:
                reply = await self._http.send(host.name, request)
            except NoTls, NotReached:
                self._schemes.pop(host.name, None)
                if scheme == schemes[-1]:
                    raise
                continue
            self._schemes[host.name] = scheme
            return await self._followed(host, request, reply)
        raise Unavailable(f"{host.name} has no scheme to be asked by.")

    async def _followed(self, host: RegistryHost, request: Request, reply: Reply) -> Reply:
        """Follow redirects, as to a server that keeps the blobs. A login goes to no other host."""
        for _ in range(_MOST_REDIRECTS):
            location = reply.headers.get("Location")
            if reply.status not in _REDIRECTS or not location:
                return reply
            request = await self._redirected(host, request, location)
            reply = await self._http.send(host.name, request)
        raise Unavailable(f"{host.name} sends the agent from one address to another.")

    async def _redirected(self, host: RegistryHost, request: Request, location: str) -> Request:
        here, (url, there) = _origin(request.url), _target(request.url, location)
        if there is None or (there[0] != "https" and not host.insecure):
            raise Unavailable(f"{host.name} sends the agent to where there is no encryption.")
        if there == here:
            return replace(request, url=url)
        shown = {name: value for name, value in request.headers.items() if name != "Authorization"}
        return replace(request, url=url, headers=shown, ssl=await self._hosts.system_ssl())


def _authorized(headers: Mapping[str, str], authorization: str | None) -> Mapping[str, str]:
    return {**headers, "Authorization": authorization} if authorization else headers


def _target(url: str, location: str) -> tuple[str, tuple[str, str | None, int | None] | None]:
    """Return where a redirect goes, and the origin of that; None for no address at all."""
    try:
        target = urljoin(url, location)
    except ValueError:
        return location, None
    return target, _origin(target)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"}:
        return None
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)


def _number(reply: Reply, name: str) -> int | None:
    """Read what is left of what is allowed, as in `ratelimit-remaining: 76;w=21600`."""
    found = _LIMIT.fullmatch(reply.headers.get(f"RateLimit-{name}", "").strip())
    return int(found[1]) if found else None
