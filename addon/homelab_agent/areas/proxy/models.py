"""The reverse proxy, as the API and the stream show it."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from homelab_agent.areas.dns.models import GivenName
from homelab_agent.platform.model import Model

PROXY_KIND = "proxy"
PROXY_ROUTE_KIND = "proxy_route"
PROXY_KEY = "caddy"

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 72
_USERNAME = re.compile(r"^[^\s:]{1,64}$")

type Upstream = Annotated[str, StringConstraints(pattern=r"^(https?://)?[^\s/@]+:\d{1,5}$")]
"""Where requests go to: "192.0.2.10:8080", "photos:2342", "https://nas.lan:5001"."""
type HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
type HeaderValue = Annotated[
    # No control character but the tab: Caddy would take it, and then answer 502 to everybody.
    str, StringConstraints(pattern=r"^[^\x00-\x08\x0a-\x1f\x7f]*$", max_length=1024)
]
type AdminAddress = Annotated[
    str, StringConstraints(pattern=r"^(unix//?/\S+|https?://[^\s/@]+)$", max_length=300)
]


class ProxyMode(StrEnum):
    """Whose Caddy it is. NONE: none is set up. OWN: the person's. MANAGED: run by the agent."""

    NONE = "none"
    OWN = "own"
    MANAGED = "managed"


class ProxyReach(StrEnum):
    """How it is with the proxy's admin API."""

    OK = "ok"
    AWAY = "away"
    REFUSED = "refused"
    UNSUITABLE = "unsuitable"
    UNKNOWN = "unknown"


class ProxyStatus(Model):
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


class RouteCertificate(StrEnum):
    """Where the certificate of a route comes from.

    CADDY: Caddy gets and renews one by itself. MANAGED: one that the agent keeps valid, or that
    was uploaded. NONE: plain HTTP only.
    """

    CADDY = "caddy"
    MANAGED = "managed"
    NONE = "none"


class BasicAuthUser(Model):
    """Who may come in. The password is kept as a hash only."""

    username: str = Field(json_schema_extra={"pattern": _USERNAME.pattern})
    password: SecretStr = Field(
        json_schema_extra={"minLength": SHORTEST_PASSWORD, "maxLength": LONGEST_PASSWORD}
    )

    @field_validator("username")
    @classmethod
    def _is_a_name(cls, username: str) -> str:
        if not _USERNAME.fullmatch(username):
            raise PydanticCustomError(
                "username",
                "{username} cannot be the name of a user: "
                "1 to 64 characters, without spaces and colons",
                {"username": repr(username[:100])},
            )
        return username

    @field_validator("password")
    @classmethod
    def _is_of_a_good_length(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        if not SHORTEST_PASSWORD <= len(password.get_secret_value()) <= LONGEST_PASSWORD:
            raise PydanticCustomError(
                "password_length",
                "The password of {username} has to have {shortest} to {longest} characters",
                {
                    "username": info.data.get("username", "a user"),
                    "shortest": SHORTEST_PASSWORD,
                    "longest": LONGEST_PASSWORD,
                },
            )
        return password


class UpstreamHealth(Model):
    """How Caddy finds out whether an upstream works."""

    path: str = Field(default="/", pattern=r"^/\S*$", max_length=501)
    interval_s: float = Field(default=30, ge=2, le=3600)
    timeout_s: float = Field(default=5, ge=0.5, le=60)


class RouteOptions(Model):
    """How a route serves. WebSockets work without being asked for.

    `allow`: only these addresses and networks come in; all where there are none.
    `hsts_s`: browsers are told to use HTTPS only, for so long. 0: they are not told.
    `login_required`: nobody comes in without a password, also while no user has one. A header
    whose name tells of a credential, as X-Api-Key, is a secret: it is shown as ten stars, and
    where those are given it stays as it is.
    """

    https_redirect: bool = True
    hsts_s: int = Field(default=0, ge=0, le=63_072_000)
    allow: tuple[str, ...] = Field(default=(), max_length=50)
    login_required: bool = False
    request_headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, max_length=20)
    response_headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, max_length=20)
    verify_upstream_tls: bool = True
    health: UpstreamHealth | None = None


class RouteBody(Model):
    """A route: what to serve at a host name. Its other names are `aliases`.

    `basic_auth` None leaves the users as they are; an empty list lets everybody in, with
    `options.login_required` nobody.
    """

    upstreams: tuple[Upstream, ...] = Field(min_length=1, max_length=20)
    aliases: tuple[GivenName, ...] = Field(default=(), max_length=20)
    certificate: RouteCertificate = RouteCertificate.CADDY
    options: RouteOptions = RouteOptions()
    basic_auth: tuple[BasicAuthUser, ...] | None = Field(default=None, max_length=50)


class PutRouteBody(RouteBody):
    """What to serve, and how long to wait for it."""

    wait_s: float | None = Field(default=60, ge=0, le=600)


class RouteCommandBody(Model):
    """How long to wait for it."""

    wait_s: float | None = Field(default=60, ge=0, le=600)


class RouteState(StrEnum):
    """Whether Caddy serves a route as the agent wants it.

    DRIFTED: somebody changed it in Caddy. MISSING: it is not there (any more).
    """

    OK = "ok"
    DRIFTED = "drifted"
    MISSING = "missing"
    UNKNOWN = "unknown"


class UpstreamState(Model):
    """How Caddy sees an upstream."""

    address: str
    requests: int
    fails: int


class ProxyRoute(Model):
    """A route of the agent in the reverse proxy. `key` is the host name.

    `users`: whose password lets in, where one is asked for. `reason` says what is the matter, also
    of a route that is OK and lets nobody in, as no user has a password yet. `difference`: what of
    it is not in Caddy as it should be, a line each. `checked_at`: since when it is seen like this;
    when it was looked at last is the proxy's.
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


class ProxyRouteList(Model):
    """All routes of the agent, by host name."""

    routes: tuple[ProxyRoute, ...]


class KeptUser(Model):
    """Who may come in, as the agent keeps it: the hash of the password is sealed."""

    username: str
    sealed_hash: str


class KeptHeaders(Model):
    """Headers that are secrets, by name, each sealed."""

    request: dict[str, str] = Field(default_factory=dict)
    response: dict[str, str] = Field(default_factory=dict)


class KeptRoute(Model):
    """A route as the agent keeps it: what is wanted of Caddy.

    In `options` headers that are secrets are stars.
    """

    host: str
    aliases: tuple[str, ...] = ()
    upstreams: tuple[str, ...]
    certificate: RouteCertificate
    options: RouteOptions
    users: tuple[KeptUser, ...] = ()
    secret_headers: KeptHeaders = KeptHeaders()
    changed_at: datetime


class PreparedRoute(Model):
    """A change of a route that may be journaled: what is wanted before and after it.

    `found`: what of it is in Caddy before, as JSON whose secrets are sealed. `after` None: it is
    removed.
    """

    host: str
    before: KeptRoute | None = None
    after: KeptRoute | None = None
    found: str
    validated: bool = False
    warnings: tuple[str, ...] = ()


class ForeignRoute(Model):
    """A route that somebody else made. `hosts` may be empty: it takes what nobody else takes.

    `left_over`: it has an id like the agent's, and is not kept: of another agent, or of a store
    that was lost. Putting a route for its host takes it over.
    """

    server: str
    hosts: tuple[str, ...]
    handler: str
    left_over: bool = False


class ProxyReport(Model):
    """The proxy as a whole: its state, the agent's routes, and those of others."""

    status: ProxyStatus
    routes: tuple[ProxyRoute, ...]
    foreign: tuple[ForeignRoute, ...] = ()


class RoutePlan(Model):
    """What a route would be in Caddy, and what is there now; JSON of Caddy as text.

    `validated` False: it could not be tried with a Caddy; `warnings` then says why.
    """

    host: str
    before: str | None = None
    after: str | None = None
    difference: tuple[str, ...]
    validated: bool
    warnings: tuple[str, ...] = ()


class ProxySetupBody(Model):
    """Which Caddy to use: `admin` is the address of its admin API.

    "unix//run/caddy-admin.sock" or "http://127.0.0.1:2019". MANAGED: the agent runs one itself.
    `address`: the host at which the agent reaches the sites; None: that of `admin`. Ports that are
    None: those of Caddy's own configuration, else 80 and 443.
    """

    mode: ProxyMode
    admin: AdminAddress | None = None
    image: str | None = Field(default=None, min_length=1, max_length=255)
    address: str | None = Field(default=None, pattern=r"^[^\s/@]+$", max_length=253)
    http_port: int | None = Field(default=None, ge=1, le=65535)
    https_port: int | None = Field(default=None, ge=1, le=65535)
    wait_s: float | None = Field(default=60, ge=0, le=600)
