"""Shows how it is with the proxy and each of the agent's routes."""

from dataclasses import dataclass, field

from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_errors import CaddyRefusesUs, CaddyUnsuitable
from homelab_agent.areas.proxy.chooser import Chooser
from homelab_agent.areas.proxy.choosing import shadowing
from homelab_agent.areas.proxy.difference import difference
from homelab_agent.areas.proxy.models import (
    PROXY_KEY,
    PROXY_KIND,
    PROXY_ROUTE_KIND,
    ForeignRoute,
    KeptRoute,
    ProxyMode,
    ProxyReach,
    ProxyRoute,
    ProxyStatus,
    RouteState,
    UpstreamState,
)
from homelab_agent.areas.proxy.placing import World, parts_of
from homelab_agent.areas.proxy.route_document import all_hosts, dial_of
from homelab_agent.areas.proxy.servers import OthersRoute
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import AgentError, Conflict
from homelab_agent.platform.resources import Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a Caddy besides its configuration."""

    version: str | None = None
    survives_restart: bool | None = None
    warning: str | None = None
    container: str | None = None
    addresses: tuple[str, ...] = ()
    upstreams: tuple[UpstreamState, ...] = field(default=())


NO_FACTS = Facts()

_WHY = {
    RouteState.MISSING: "Caddy does not have this route any more.",
    RouteState.DRIFTED: "Somebody changed this route in Caddy.",
}
_CLOSED = "It lets nobody in: a login is asked for, and no user has a password yet."
_SHADOWED = "A route of others stands before it and takes its requests."


class Board:
    """Publishes the proxy and its routes as resources."""

    def __init__(self, book: Book, chooser: Chooser, resources: Resources, clock: Clock) -> None:
        self._book = book
        self._chooser = chooser
        self._resources = resources
        self._clock = clock
        self._facts = NO_FACTS
        self._world: World | None = None
        self._trouble: AgentError | None = None

    def status(self) -> ProxyStatus:
        """Return the proxy as last seen."""
        known = self._resources.get(PROXY_KIND, PROXY_KEY)
        return known if isinstance(known, ProxyStatus) else self._status()

    def route(self, host: str) -> ProxyRoute | None:
        """Return a route as last seen, None where there is none."""
        known = self._resources.get(PROXY_ROUTE_KIND, host)
        return known if isinstance(known, ProxyRoute) else None

    def routes(self) -> tuple[ProxyRoute, ...]:
        """Return all routes as last seen, by host."""
        return self._resources.every(PROXY_ROUTE_KIND, ProxyRoute)

    def foreign(self) -> tuple[ForeignRoute, ...]:
        """Return the routes that the agent does not keep, as last seen."""
        if self._world is None:
            return ()
        overview = self._world.overview
        return (
            *(_foreign(each) for each in overview.others),
            *(_foreign(each, left_over=True) for each in overview.left_over(self._book.routes)),
        )

    def show(self, world: World, facts: Facts) -> None:
        """Publish what was seen."""
        self._world, self._facts, self._trouble = world, facts, None
        self._publish()

    def show_route(self, host: str, world: World) -> None:
        """Publish what became of one route, and of the world around it."""
        self._world, self._trouble = world, None
        self._publish_route(host, self._book.routes.get(host))
        self._resources.publish(PROXY_KIND, PROXY_KEY, self._status())

    def show_trouble(self, error: AgentError) -> None:
        """Publish that Caddy could not be looked at."""
        self._world, self._trouble = None, error
        self._publish()

    def show_kept(self) -> None:
        """Publish what the agent keeps, where nothing was looked at yet."""
        if self._resources.get(PROXY_KIND, PROXY_KEY) is None:
            self._publish()

    def show_nothing(self) -> None:
        """Publish that no proxy is set up."""
        self._world, self._facts, self._trouble = None, NO_FACTS, None
        self._publish()

    def _publish(self) -> None:
        for gone in set(self._resources.keys(PROXY_ROUTE_KIND)) - self._book.routes.keys():
            self._resources.remove(PROXY_ROUTE_KIND, gone)
        for host, route in self._book.routes.items():
            self._publish_route(host, route)
        self._resources.publish(PROXY_KIND, PROXY_KEY, self._status())

    def _publish_route(self, host: str, route: KeptRoute | None) -> None:
        if route is None:
            self._resources.remove(PROXY_ROUTE_KIND, host)
            return
        row, known = self._row(route), self.route(host)
        # That it was looked at again is told once, by the proxy, and not by each of its routes.
        if known is None or row != known.model_copy(update={"checked_at": row.checked_at}):
            self._resources.publish(PROXY_ROUTE_KIND, host, row)

    def _status(self) -> ProxyStatus:
        setup = self._book.setup
        if setup is None:
            return ProxyStatus(mode=ProxyMode.NONE, reach=ProxyReach.UNKNOWN)
        states = [each.state for each in self.routes()]
        drifted = sum(each in {RouteState.DRIFTED, RouteState.MISSING} for each in states)
        return ProxyStatus(
            mode=setup.mode,
            admin=setup.admin,
            address=setup.address,
            http_port=setup.http_port,
            https_port=setup.https_port,
            image=setup.image,
            reach=self._reach(),
            reason=self._trouble.message if self._trouble else None,
            version=self._facts.version,
            survives_restart=self._facts.survives_restart,
            warning=self._facts.warning,
            container=self._facts.container,
            addresses=self._facts.addresses,
            routes=len(self._book.routes),
            drifted_routes=drifted,
            foreign_routes=len(self.foreign()),
            changed_at=max((each.changed_at for each in self._book.routes.values()), default=None),
            checked_at=self._clock() if self._world or self._trouble else None,
        )

    def _reach(self) -> ProxyReach:
        if self._trouble is None:
            return ProxyReach.OK if self._world else ProxyReach.UNKNOWN
        if isinstance(self._trouble, CaddyRefusesUs):
            return ProxyReach.REFUSED
        if isinstance(self._trouble, CaddyUnsuitable):
            return ProxyReach.UNSUITABLE
        return ProxyReach.AWAY

    def _row(self, route: KeptRoute) -> ProxyRoute:
        state, reason, lines = self._judged(route)
        dials = {dial_of(each) for each in route.upstreams}
        return ProxyRoute(
            key=route.host,
            aliases=route.aliases,
            upstreams=route.upstreams,
            certificate=route.certificate,
            options=route.options,
            users=tuple(each.username for each in route.users),
            state=state,
            reason=reason,
            difference=lines,
            upstream_states=tuple(each for each in self._facts.upstreams if each.address in dials)
            if self._world
            else (),
            changed_at=route.changed_at,
            checked_at=self._clock() if self._world else None,
        )

    def _judged(self, route: KeptRoute) -> tuple[RouteState, str | None, tuple[str, ...]]:
        if self._world is None:
            return RouteState.UNKNOWN, self._trouble.message if self._trouble else None, ()
        now = parts_of(self._world, route.host)
        worst = RouteState.DRIFTED if now.routes else RouteState.MISSING
        try:
            wanted = self._chooser.choose(self._world, now, route).parts
        except Conflict as error:
            return worst, error.message, ()
        except AgentError as error:
            return RouteState.UNKNOWN, error.message, ()
        if not now.same_as(wanted):
            return worst, _WHY[worst], difference(now, wanted)
        hosts = frozenset(all_hosts(route))
        if any(shadowing(self._world.overview, each, hosts) for each in now.routes):
            return RouteState.DRIFTED, _SHADOWED, (_SHADOWED,)
        return (
            RouteState.OK,
            _CLOSED if route.options.login_required and not route.users else None,
            (),
        )


def _foreign(route: OthersRoute, *, left_over: bool = False) -> ForeignRoute:
    return ForeignRoute(
        server=route.server, hosts=route.hosts, handler=route.handler, left_over=left_over
    )
