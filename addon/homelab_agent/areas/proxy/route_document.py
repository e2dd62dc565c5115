"""A route of the agent in Caddy's own JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import urlsplit

from pydantic import JsonValue

from homelab_agent.areas.proxy.json_tree import JsonObject
from homelab_agent.areas.proxy.models import (
    KeptRoute,
    RouteCertificate,
    RouteOptions,
    UpstreamHealth,
)
from homelab_agent.areas.proxy.servers import OWN_HTTP_ID, OWN_ID

_HSTS = "Strict-Transport-Security"
_USUAL_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Documents:
    """A route in Caddy's words: for HTTPS, and for plain HTTP where there is to be one of ours.

    `no_own_certificate`: Caddy is not to order certificates for these hosts.
    """

    https: JsonObject | None
    http: JsonObject | None
    no_own_certificate: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What of a Caddy matters for how a route is written.

    `https_port` is the one that people reach. `redirects_itself`: Caddy sends people from HTTP to
    HTTPS without being told. `one_server`: the same server serves both.
    """

    https_port: int
    redirects_itself: bool
    one_server: bool


def documents_of(route: KeptRoute, hashes: Mapping[str, str], around: Surroundings) -> Documents:
    """Return a route as Caddy is to have it; `hashes` are those of its users' passwords."""
    hosts = all_hosts(route)
    served = _served(route, hashes)
    if route.certificate is RouteCertificate.NONE:
        plain = _document(OWN_HTTP_ID, hosts, served)
        # A server that speaks TLS as well would order one for each host that it has a route for.
        return Documents(https=None, http=plain, no_own_certificate=hosts)
    redirect = _redirect(around.https_port)
    http: JsonObject | None = None
    if around.one_server:
        if route.options.https_redirect:
            served = [{"match": [{"protocol": "http"}], **redirect, "terminal": True}, *served]
    elif not route.options.https_redirect:
        http = _document(OWN_HTTP_ID, hosts, served)
    elif not around.redirects_itself:
        http = _document(OWN_HTTP_ID, hosts, [redirect])
    own = route.certificate is RouteCertificate.CADDY
    return Documents(
        https=_document(OWN_ID, hosts, served),
        http=http,
        no_own_certificate=() if own else hosts,
    )


def all_hosts(route: KeptRoute) -> tuple[str, ...]:
    """Return every name at which a route serves."""
    return (route.host, *route.aliases)


def is_tls(upstream: str) -> bool:
    """Return whether an upstream is spoken to in TLS."""
    return upstream.startswith("https://")


def dial_of(upstream: str) -> str:
    """Return an upstream as Caddy dials it: host and port."""
    return upstream.rpartition("://")[2]


def split_dial(upstream: str) -> tuple[str, int]:
    """Return host and port of an upstream; `ValueError` where the port is none."""
    parts = urlsplit(f"//{dial_of(upstream)}")
    return parts.hostname or "", parts.port or 0


def network_of(text: str) -> str:
    """Return an address or a network as Caddy takes it; `ValueError` for anything else."""
    network = ip_network(text, strict=False)
    alone = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if alone else str(network)


def _document(prefix: str, hosts: Sequence[str], routes: list[JsonValue]) -> JsonObject:
    return {
        "@id": f"{prefix}{hosts[0]}",
        "match": [{"host": list(hosts)}],
        "handle": [{"handler": "subroute", "routes": routes}],
        "terminal": True,
    }


def _served(route: KeptRoute, hashes: Mapping[str, str]) -> list[JsonValue]:
    options = route.options
    steps: list[JsonObject] = []
    secure = route.certificate is not RouteCertificate.NONE
    if options.allow:
        steps.append(_only_from(options.allow))
    if (options.hsts_s and secure) or options.response_headers:
        steps.append({"handle": [_response_headers(options, secure=secure)]})
    if route.users:
        steps.append({"handle": [_users(hashes)]})
    elif options.login_required:
        # Closed until somebody has a password: nobody comes in meanwhile.
        return [*steps, {"handle": [{"handler": "static_response", "status_code": 403}]}]
    steps.append({"handle": [_reverse_proxy(route)]})
    return list(steps)


def _only_from(allow: Sequence[str]) -> JsonObject:
    ranges: list[JsonValue] = [network_of(each) for each in allow]
    return {
        # The client's own address also where the person said which proxies before it to believe.
        "match": [{"not": [{"client_ip": {"ranges": ranges}}]}],
        "handle": [{"handler": "static_response", "status_code": 403}],
        "terminal": True,
    }


def _response_headers(options: RouteOptions, *, secure: bool) -> JsonObject:
    wanted: JsonObject = {name: [value] for name, value in options.response_headers.items()}
    if options.hsts_s and secure:
        wanted.setdefault(_HSTS, [f"max-age={options.hsts_s}"])
    # Deferred: what the upstream sets itself is replaced, and not sent a second time.
    return {"handler": "headers", "response": {"deferred": True, "set": wanted}}


def _users(hashes: Mapping[str, str]) -> JsonObject:
    accounts: list[JsonValue] = [
        {"username": name, "password": hashed} for name, hashed in hashes.items()
    ]
    return {
        "handler": "authentication",
        "providers": {
            "http_basic": {
                "accounts": accounts,
                "hash": {"algorithm": "argon2id"},
                # A page of fifty pictures does not cost fifty hashes.
                "hash_cache": {},
            }
        },
    }


def _reverse_proxy(route: KeptRoute) -> JsonObject:
    options = route.options
    proxy: JsonObject = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": dial_of(each)} for each in route.upstreams],
    }
    if is_tls(route.upstreams[0]):
        tls: JsonObject = {} if options.verify_upstream_tls else {"insecure_skip_verify": True}
        proxy["transport"] = {"protocol": "http", "tls": tls}
    if options.request_headers:
        wanted: JsonObject = {name: [value] for name, value in options.request_headers.items()}
        proxy["headers"] = {"request": {"set": wanted}}
    if options.health:
        proxy["health_checks"] = {"active": _health(options.health)}
    return proxy


def _health(health: UpstreamHealth) -> JsonObject:
    return {
        "uri": health.path,
        "interval": f"{health.interval_s:g}s",
        "timeout": f"{health.timeout_s:g}s",
    }


def _redirect(https_port: int) -> JsonObject:
    port = "" if https_port == _USUAL_HTTPS_PORT else f":{https_port}"
    target = f"https://{{http.request.host}}{port}{{http.request.uri}}"
    return {
        "handle": [
            {
                "handler": "static_response",
                "status_code": 308,
                "headers": {"Location": [target]},
            }
        ]
    }
