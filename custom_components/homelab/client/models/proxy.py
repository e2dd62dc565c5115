"""The reverse proxy, as the API and the stream show it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from .base import EACH_BY_ITSELF, OpenEnum

PROXY_KEY: Final = "caddy"


class ProxyMode(OpenEnum):
    """Whose Caddy it is. NONE: none is set up. OWN: the person's. MANAGED: run by the agent."""

    NONE = "none"
    OWN = "own"
    MANAGED = "managed"
    UNKNOWN = "unknown"


class ProxyReach(OpenEnum):
    """How it is with the proxy's admin API."""

    OK = "ok"
    AWAY = "away"
    REFUSED = "refused"
    UNSUITABLE = "unsuitable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyStatus:
    """The reverse proxy. `warning` tells a person what will go wrong, as that changes get lost.

    `survives_restart` False: it was started with a Caddyfile, and forgets what the API told it.
    `foreign_routes` are those that others made; the agent never touches them. `admin`, `address`,
    `http_port`, `https_port`, `image`: as it was set up, see `ProxySetupBody`.
    """

    key: str = PROXY_KEY
    mode: ProxyMode
    admin: str | None = None
    address: str | None = None
    http_port: int | None = None
    https_port: int | None = None
    image: str | None = None
    reach: ProxyReach
    reason: str | None = None
    version: str | None = None
    survives_restart: bool | None = None
    warning: str | None = None
    container: str | None = None
    addresses: tuple[str, ...] = ()
    routes: int = 0
    drifted_routes: int = 0
    foreign_routes: int = 0
    changed_at: datetime | None = None
    checked_at: datetime | None = None


class RouteCertificate(OpenEnum):
    """Where the certificate of a route comes from.

    CADDY: Caddy gets and renews one by itself. MANAGED: one that the agent keeps valid, or that
    was uploaded. NONE: plain HTTP only.
    """

    CADDY = "caddy"
    MANAGED = "managed"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuthUser:
    """Who may come in. The password is kept as a hash only."""

    username: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamHealth:
    """How Caddy finds out whether an upstream works."""

    path: str = "/"
    interval_s: float = 30
    timeout_s: float = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOptions:
    """How a route serves. WebSockets work without being asked for.

    `allow`: only these addresses and networks come in; all where there are none.
    `hsts_s`: browsers are told to use HTTPS only, for so long. 0: they are not told.
    `login_required`: nobody comes in without a password, also while no user has one. A header
    that is a secret is ten stars, and where those are given it stays as it is.
    """

    https_redirect: bool = True
    hsts_s: int = 0
    allow: tuple[str, ...] = ()
    login_required: bool = False
    request_headers: Mapping[str, str] = MappingProxyType({})
    response_headers: Mapping[str, str] = MappingProxyType({})
    verify_upstream_tls: bool = True
    health: UpstreamHealth | None = None


USUAL_OPTIONS: Final = RouteOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteBody:
    """A route: what to serve at a host name. Its other names are `aliases`.

    `basic_auth` None leaves the users as they are; an empty list lets everybody in, with
    `options.login_required` nobody.
    """

    upstreams: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    certificate: RouteCertificate = RouteCertificate.CADDY
    options: RouteOptions = USUAL_OPTIONS
    basic_auth: tuple[BasicAuthUser, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRouteBody(RouteBody):
    """What to serve, and how long to wait for it."""

    wait_s: float | None = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCommandBody:
    """How long to wait for it."""

    wait_s: float | None = 60


class RouteState(OpenEnum):
    """Whether Caddy serves a route as the agent wants it.

    DRIFTED: somebody changed it in Caddy. MISSING: it is not there (any more).
    """

    OK = "ok"
    DRIFTED = "drifted"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamState:
    """How Caddy sees an upstream."""

    address: str
    requests: int
    fails: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRoute:
    """A route of the agent in the reverse proxy. `key` is the host name.

    `users`: whose password lets in, where one is asked for. `difference`: what of it is not in
    Caddy as it should be, a line each.
    """

    key: str
    aliases: tuple[str, ...] = ()
    upstreams: tuple[str, ...]
    certificate: RouteCertificate
    options: RouteOptions
    users: tuple[str, ...] = ()
    state: RouteState
    reason: str | None = None
    difference: tuple[str, ...] = ()
    upstream_states: tuple[UpstreamState, ...] = ()
    changed_at: datetime
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRouteList:
    """All routes of the agent, by host name."""

    routes: tuple[ProxyRoute, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRoute:
    """A route that somebody else made. `hosts` may be empty: it takes what nobody else takes.

    `left_over`: it has an id like the agent's, and is not kept.
    """

    server: str
    hosts: tuple[str, ...]
    handler: str
    left_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyReport:
    """The proxy as a whole: its state, the agent's routes, and those of others."""

    status: ProxyStatus
    routes: tuple[ProxyRoute, ...] = field(metadata=EACH_BY_ITSELF)
    foreign: tuple[ForeignRoute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """What a route would be in Caddy, and what is there now; JSON of Caddy as text.

    `validated` False: there is no Caddy at hand to try it with; `warnings` then says so.
    """

    host: str
    before: str | None = None
    after: str | None = None
    difference: tuple[str, ...]
    validated: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySetupBody:
    """Which Caddy to use: `admin` is the address of its admin API.

    "unix//run/caddy-admin.sock" or "http://127.0.0.1:2019". MANAGED: the agent runs one itself.
    `address`: the host at which the agent reaches the sites; None: that of `admin`. Ports that are
    None: those of Caddy's own configuration, else 80 and 443.
    """

    mode: ProxyMode
    admin: str | None = None
    image: str | None = None
    address: str | None = None
    http_port: int | None = None
    https_port: int | None = None
    wait_s: float | None = 60
