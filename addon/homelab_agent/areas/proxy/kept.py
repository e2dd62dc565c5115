"""What the agent keeps of its proxy, and what of Caddy's configuration is its own."""

from datetime import datetime

from pydantic import JsonValue

from homelab_agent.areas.proxy.models import KeptRoute, ProxyMode
from homelab_agent.platform.model import Model


class PlacedRoute(Model):
    """A route of ours in a server of Caddy, at its place among all routes there.

    `listen`: where the server listens, should it have to be made.
    """

    server: str
    listen: str
    index: int
    route: dict[str, JsonValue]


class MadeSkip(Model):
    """A name for which the agent told a server not to order certificates; `host` is its route."""

    server: str
    name: str
    host: str


class Parts(Model):
    """Everything in Caddy's configuration that is of one route of ours."""

    routes: tuple[PlacedRoute, ...] = ()
    skips: tuple[MadeSkip, ...] = ()

    def same_as(self, other: Parts) -> bool:
        """Return whether these are the same parts; where others stand between does not matter."""
        return self._shape() == other._shape()

    def _shape(self) -> object:
        routes = sorted(
            ((each.server, str(each.route.get("@id")), each.route) for each in self.routes),
            key=lambda each: each[:2],
        )
        return routes, {(each.server, each.name) for each in self.skips}


class MadeThing(Model):
    """Something that was not there before the agent needed it: where, and what it was at first."""

    place: tuple[str, ...]
    empty: JsonValue


class Made(Model):
    """What the agent made in Caddy's configuration around its routes and certificates."""

    things: tuple[MadeThing, ...] = ()
    skips: tuple[MadeSkip, ...] = ()

    def joined(self, older: Made) -> Made:
        """Return what was made in all; of two things at one place this one's counts."""
        places = {each.place for each in self.things}
        return Made(
            things=(*(each for each in older.things if each.place not in places), *self.things),
            skips=tuple(dict.fromkeys((*older.skips, *self.skips))),
        )


class KeptSetup(Model):
    """Which Caddy is used; see `ProxySetupBody`. `stack`: the name of the one the agent runs."""

    mode: ProxyMode
    admin: str
    address: str | None = None
    http_port: int | None = None
    https_port: int | None = None
    stack: str | None = None
    image: str | None = None


class KeptCertificate(Model):
    """A certificate that Caddy was given, by the files that it is read from."""

    key: str
    certificate_file: str
    key_file: str
    names: tuple[str, ...]


class Withdrawn(Model):
    """A route that was taken back: its write may have hung, and be done all the same later.

    `made`: what had been made for it.
    """

    route: KeptRoute
    made: Made
    at: datetime


class ProxyRecord(Model):
    """One record of the proxy's table; it holds one of these."""

    setup: KeptSetup | None = None
    route: KeptRoute | None = None
    certificate: KeptCertificate | None = None
    made: Made | None = None
    pending: str | None = None
    withdrawn: Withdrawn | None = None
