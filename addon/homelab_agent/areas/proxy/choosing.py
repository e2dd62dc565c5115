"""Where a route belongs in Caddy's configuration, and what a person should know about that."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from homelab_agent.areas.proxy.json_tree import JsonObject, as_object, as_text, as_texts
from homelab_agent.areas.proxy.kept import MadeSkip, Parts, PlacedRoute
from homelab_agent.areas.proxy.models import KeptRoute, RouteCertificate
from homelab_agent.areas.proxy.overview import Overview
from homelab_agent.areas.proxy.placing import World
from homelab_agent.areas.proxy.route_document import Surroundings, all_hosts, documents_of
from homelab_agent.areas.proxy.servers import (
    HTTP_SERVER,
    HTTPS_SERVER,
    ports_of,
    server_at,
    servers_of,
)
from homelab_agent.platform.errors import Conflict


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be in Caddy of one route."""

    parts: Parts
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Spot:
    server: str
    listen: str
    route: JsonObject


NOTHING = Chosen(Parts())


def choose(
    world: World,
    now: Parts,
    route: KeptRoute,
    hashes: Mapping[str, str],
    public_https: int | None,
    *,
    anyway: bool = False,
) -> Chosen:
    """Return what of a route is to be in this world, in which `now` is there of it.

    `public_https`: the port that people reach, where it is not Caddy's own.

    Raises:
        Conflict: others serve one of its names; not if it is to be told `anyway`.
    """
    document, hosts = world.document, frozenset(all_hosts(route))
    if not anyway:
        _require_free(world.overview, hosts)
    ports = ports_of(document)
    https = server_at(document, ports.https) or _free_name(document, HTTPS_SERVER)
    http = server_at(document, ports.http) or _free_name(document, HTTP_SERVER)
    settings = as_object(servers_of(document).get(https, {}).get("automatic_https"))
    around = Surroundings(
        https_port=public_https or ports.https,
        redirects_itself=not (settings.get("disable") or settings.get("disable_redirects")),
        one_server=http == https,
    )
    documents = documents_of(route, hashes, around)
    spots = (
        (https, ports.https, documents.https),
        (http, ports.http, documents.http),
    )
    routes = tuple(
        _placed(world.overview, now, _Spot(server, f":{port}", wanted), hosts)
        for server, port, wanted in spots
        if wanted
    )
    skips = tuple(
        MadeSkip(server=https, name=name, host=route.host)
        for name in documents.no_own_certificate
        if https in {each.server for each in routes} and _is_ours_to_skip(settings, now, name)
    )
    return Chosen(Parts(routes=routes, skips=skips), _warnings(world.overview, route, settings))


def shadowing(overview: Overview, placed: PlacedRoute, hosts: frozenset[str]) -> bool:
    """Return whether a route of others before ours takes its requests."""
    routes = overview.routes(placed.server)
    return any(
        routes[index].get("terminal") is True
        for index in overview.takers(placed.server, hosts)
        if index < placed.index
    )


def _is_secure(route: KeptRoute) -> bool:
    return route.certificate is not RouteCertificate.NONE


def _is_ours_to_skip(settings: JsonObject, now: Parts, name: str) -> bool:
    theirs = as_texts(settings.get("skip_certificates"))
    return name not in theirs or any(each.name == name for each in now.skips)


def _require_free(overview: Overview, hosts: frozenset[str]) -> None:
    taken = overview.who_serves(hosts)
    if taken:
        server, host = taken
        raise Conflict(
            f"Caddy serves {host} already, by a route in its server {server} that is not the "
            "agent's.",
            field="host",
            hint="Remove that route where it was made, or choose another name.",
        )


def _free_name(document: JsonValue, wanted: str) -> str:
    names, name, number = servers_of(document).keys(), wanted, 2
    while name in names:
        name, number = f"{wanted}_{number}", number + 1
    return name


def _placed(overview: Overview, now: Parts, spot: _Spot, hosts: frozenset[str]) -> PlacedRoute:
    """Return a route at its place: as before, else before all that could take its requests."""
    identity = as_text(spot.route.get("@id"))
    own = {each.index for each in overview.with_id(identity) if each.server == spot.server}
    end = len(overview.routes(spot.server))
    taker = next((each for each in overview.takers(spot.server, hosts) if each not in own), end)
    # It counts among the others: what is there of the route itself is taken out first.
    first_taker = taker - sum(each < taker for each in own)
    for placed in now.routes:
        if placed.server == spot.server and as_text(placed.route.get("@id")) == identity:
            first_taker = min(first_taker, placed.index)
    return PlacedRoute(server=spot.server, listen=spot.listen, index=first_taker, route=spot.route)


def _warnings(overview: Overview, route: KeptRoute, settings: JsonObject) -> tuple[str, ...]:
    found = []
    wildcard = overview.covering_wildcard(frozenset(all_hosts(route)))
    if wildcard:
        found.append(
            f"Others serve {wildcard} in this Caddy; for {route.host} this route goes first."
        )
    if settings.get("disable") and _is_secure(route):
        found.append("Automatic HTTPS is turned off in this server: Caddy orders no certificate.")
    by_caddy = route.certificate is RouteCertificate.CADDY
    if by_caddy and any(name.startswith("*.") for name in all_hosts(route)):
        found.append(
            "Caddy can order a certificate for a wildcard only with a DNS module; use one that "
            "the agent keeps."
        )
    return tuple(found)
