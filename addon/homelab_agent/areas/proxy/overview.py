"""What Caddy's configuration holds, found in one pass: for many routes in a large one."""

from collections.abc import Container, Iterable

from pydantic import JsonValue

from homelab_agent.areas.proxy.json_tree import JsonObject, as_list, as_object, as_text, as_texts
from homelab_agent.areas.proxy.kept import PlacedRoute
from homelab_agent.areas.proxy.servers import (
    OWN_HTTP_ID,
    OWN_ID,
    OthersRoute,
    all_hosts_of,
    covers,
    host_of_id,
    is_ours,
    others_route,
    routes_of,
    servers_of,
)


class Overview:
    """Finds routes by their ids and by the hosts that they name."""

    def __init__(self, document: JsonValue) -> None:
        self._takers: dict[str, _Takers] = {}
        self._placed: dict[str, list[PlacedRoute]] = {}
        self._servers_of_others: dict[str, str] = {}
        others = []
        for name, server in servers_of(document).items():
            takers = self._takers[name] = _Takers(routes_of(server))
            for index, route in enumerate(takers.routes):
                identity = as_text(route.get("@id"))
                if identity.startswith((OWN_ID, OWN_HTTP_ID)):
                    listen = next(iter(as_texts(server.get("listen"))), "")
                    placed = PlacedRoute(server=name, listen=listen, index=index, route=route)
                    self._placed.setdefault(identity, []).append(placed)
                if not is_ours(route):
                    others.append(others_route(name, route))
                    for host in all_hosts_of(route):
                        self._servers_of_others.setdefault(host.lower(), name)
        self.others: tuple[OthersRoute, ...] = tuple(others)
        """The routes that others made, one for each at the top of a server."""
        self._wildcards = [each for route in others for each in route.hosts if "*" in each]

    def with_id(self, identity: str) -> tuple[PlacedRoute, ...]:
        """Return the routes with an id like those of the agent's, and where they are."""
        return tuple(self._placed.get(identity, ()))

    def left_over(self, kept: Container[str]) -> tuple[OthersRoute, ...]:
        """Return the routes with an id like those of the agent's for hosts that are not kept."""
        return tuple(
            others_route(each.server, each.route)
            for identity, placed in self._placed.items()
            if host_of_id(identity) not in kept
            for each in placed
            if is_ours(each.route)
        )

    def who_serves(self, hosts: Iterable[str]) -> tuple[str, str] | None:
        """Return the server of others and the very host that one of their routes names."""
        for host in sorted(hosts):
            if host in self._servers_of_others:
                return self._servers_of_others[host], host
        return None

    def covering_wildcard(self, hosts: frozenset[str]) -> str | None:
        """Return the wildcard under which others serve one of the hosts, None where nobody does."""
        return next((each for each in self._wildcards if covers([each], hosts)), None)

    def takers(self, server: str, hosts: frozenset[str]) -> list[int]:
        """Return at which places of a server routes are that may take requests for the hosts."""
        takers = self._takers.get(server)
        return takers.of(hosts) if takers else []

    def routes(self, server: str) -> list[JsonObject]:
        """Return the routes of a server."""
        takers = self._takers.get(server)
        return takers.routes if takers else []


class _Takers:
    """The routes of a server, by the requests that they may take."""

    def __init__(self, routes: list[JsonObject]) -> None:
        self.routes = routes
        self._by_name: dict[str, list[int]] = {}
        self._by_pattern: list[tuple[int, list[str]]] = []
        self._of_all: list[int] = []
        for index, route in enumerate(routes):
            self._note(index, [as_object(each) for each in as_list(route.get("match"))])

    def of(self, hosts: frozenset[str]) -> list[int]:
        """Return the places of those that may take requests for the hosts, in their order."""
        named = (index for host in hosts for index in self._by_name.get(host, ()))
        covering = (index for index, each in self._by_pattern if covers(each, hosts))
        return sorted({*self._of_all, *named, *covering})

    def _note(self, index: int, matchers: list[JsonObject]) -> None:
        if not matchers or any("host" not in each for each in matchers):
            self._of_all.append(index)
            return
        patterns = [each for matcher in matchers for each in as_texts(matcher["host"])]
        for name in patterns:
            self._by_name.setdefault(name.lower(), []).append(index)
        with_stars = [each for each in patterns if "*" in each]
        if with_stars:
            self._by_pattern.append((index, with_stars))
