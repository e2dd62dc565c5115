"""Caddy's servers: at which ports they listen, and what is served there by others."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from homelab_agent.areas.proxy.json_tree import (
    JsonObject,
    Place,
    as_list,
    as_object,
    as_text,
    as_texts,
    value_at,
)

SERVERS: Place = ("apps", "http", "servers")
HTTPS_SERVER = "homelab"
HTTP_SERVER = "homelab_http"
OWN_ID = "homelab-"
OWN_HTTP_ID = "homelab_http-"

_EVERYWHERE = frozenset({"", "0.0.0.0", "[::]", "::"})  # noqa: S104  # as Caddy's settings say it
_USUAL_HTTPS_PORT = 443
_USUAL_HTTP_PORT = 80


@dataclass(frozen=True, slots=True)
class Ports:
    """Where Caddy itself listens for requests."""

    http: int
    https: int


@dataclass(frozen=True, slots=True)
class OthersRoute:
    """A route that is not the agent's. No `hosts`: it takes whatever else it matches."""

    server: str
    hosts: tuple[str, ...]
    handler: str


def ports_of(document: JsonValue) -> Ports:
    """Return the ports that Caddy takes for HTTP and HTTPS."""
    http = as_object(value_at(document, ("apps", "http")))
    return Ports(
        http=_port(http.get("http_port"), _USUAL_HTTP_PORT),
        https=_port(http.get("https_port"), _USUAL_HTTPS_PORT),
    )


def servers_of(document: JsonValue) -> dict[str, JsonObject]:
    """Return all servers, by name."""
    found = as_object(value_at(document, SERVERS))
    return {name: as_object(found[name]) for name in sorted(found)}


def server_at(document: JsonValue, port: int) -> str | None:
    """Return the server that listens at a port: at all addresses of the machine, if one does."""
    listening = [
        (name, hosts)
        for name, server in servers_of(document).items()
        if (hosts := _listens_at(server, port))
    ]
    everywhere = (name for name, hosts in listening if hosts & _EVERYWHERE)
    return next(everywhere, listening[0][0] if listening else None)


def routes_of(server: JsonObject) -> list[JsonObject]:
    """Return the routes of a server."""
    return [as_object(each) for each in as_list(server.get("routes"))]


def is_ours(route: JsonObject) -> bool:
    """Return whether a route has an id of the agent's: what people call "homelab-nas" is theirs."""
    identity = as_text(route.get("@id"))
    if not identity.startswith((OWN_ID, OWN_HTTP_ID)):
        return False
    host = host_of_id(identity)
    return "." in host or host in _hosts(route)


def host_of_id(identity: str) -> str:
    """Return the host that an id of the agent's stands for."""
    return identity.removeprefix(OWN_HTTP_ID).removeprefix(OWN_ID)


def others_route(server: str, route: JsonObject) -> OthersRoute:
    """Return a route that somebody else made, as it is shown."""
    return OthersRoute(server, tuple(_hosts(route)), _handler(route))


def all_hosts_of(route: JsonObject) -> Iterator[str]:
    """Give the hosts of a route and of those inside of it."""
    yield from _hosts(route)
    for handler in as_list(route.get("handle")):
        for inner in as_list(as_object(handler).get("routes")):
            yield from all_hosts_of(as_object(inner))


def covers(patterns: list[str], hosts: frozenset[str]) -> bool:
    """Return whether one of Caddy's patterns takes one of the hosts."""
    return any(_matches(pattern.lower(), host) for pattern in patterns for host in hosts)


def _port(value: JsonValue, usual: int) -> int:
    return value if isinstance(value, int) and value else usual


def _listens_at(server: JsonObject, port: int) -> frozenset[str]:
    """Return the addresses at which a server listens at this port: "" for all of them."""
    found = set()
    for address in as_texts(server.get("listen")):
        network, slash, rest = address.partition("/")
        if slash and not network.startswith("tcp"):
            continue
        host, _, ports = (rest if slash else address).rpartition(":")
        if _includes(ports, port):
            found.add(host)
    return frozenset(found)


def _includes(ports: str, port: int) -> bool:
    first, dash, last = ports.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        return False
    return int(first) <= port <= int(last or first)


def _hosts(route: JsonObject) -> Iterator[str]:
    for matcher in as_list(route.get("match")):
        yield from as_texts(as_object(matcher).get("host"))


def _handler(route: JsonObject) -> str:
    """Return what a route does in the end, in Caddy's own word."""
    names = [as_text(as_object(each).get("handler")) for each in as_list(route.get("handle"))]
    last = names[-1] if names else ""
    if last == "subroute":
        inner = as_list(as_object(as_list(route.get("handle"))[-1]).get("routes"))
        return _handler(as_object(inner[-1])) if inner else last
    return last


def _matches(pattern: str, host: str) -> bool:
    """Return whether Caddy's pattern takes a host: each label is the same, or "*"."""
    ours, theirs = host.split("."), pattern.split(".")
    return len(ours) == len(theirs) and all(
        wanted in {"*", label} for wanted, label in zip(theirs, ours, strict=True)
    )
