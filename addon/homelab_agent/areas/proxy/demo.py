"""The demo's invented Caddy: it takes what it is told, and somebody else has a site there too."""

import hashlib
from typing import override

from pydantic import JsonValue
from pydantic_core import to_json

from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import CaddyAdmin, Configuration
from homelab_agent.areas.proxy.caddy_errors import ChangedMeanwhile
from homelab_agent.areas.proxy.json_tree import Change, Verb, with_value, without_value
from homelab_agent.areas.proxy.kept import KeptSetup
from homelab_agent.areas.proxy.models import (
    KeptRoute,
    ProxyMode,
    RouteCertificate,
    RouteOptions,
    UpstreamHealth,
    UpstreamState,
)
from homelab_agent.areas.proxy.serving import Prober
from homelab_agent.platform.clock import Clock

ADMIN = "http://127.0.0.1:2019"

_ROUTES = (
    ("photos.home.example.org", "192.168.1.10:2342", RouteOptions(hsts_s=31_536_000)),
    (
        "cloud.example.org",
        "cloud-nextcloud-1:80",
        RouteOptions(health=UpstreamHealth(path="/status.php")),
    ),
    ("home.example.org", "192.168.1.10:8123", RouteOptions(allow=("192.168.1.0/24",))),
)


class DemoCaddy(CaddyAdmin):
    """A configuration in memory."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._document: JsonValue = {
            "apps": {
                "http": {
                    "servers": {
                        "srv0": {
                            "listen": [":443"],
                            "routes": [
                                {
                                    "match": [{"host": ["blog.example.org"]}],
                                    "handle": [{"handler": "file_server"}],
                                    "terminal": True,
                                }
                            ],
                        }
                    }
                }
            }
        }

    @override
    async def read(self) -> Configuration:
        return Configuration(self._document, hashlib.sha256(to_json(self._document)).hexdigest())

    @override
    async def write(self, change: Change, etag: str) -> None:
        if (await self.read()).etag != etag:
            raise ChangedMeanwhile("Somebody changed Caddy's configuration meanwhile.")
        if not change.place:
            self._document = change.value
        elif change.verb is Verb.REMOVE:
            self._document = without_value(self._document, change.place)
        else:
            self._document = with_value(self._document, change.place, change.value)

    @override
    async def upstreams(self) -> tuple[UpstreamState, ...]:
        return tuple(
            UpstreamState(address=upstream, requests=index, fails=0)
            for index, (_, upstream, _) in enumerate(_ROUTES)
        )

    @override
    async def version(self) -> str | None:
        return "2.11.4"

    @override
    async def process_id(self) -> int | None:
        return None


class DemoProber(Prober):
    """Everything that the demo serves is served."""

    @override
    async def ask(self, host: str, address: tuple[str, int], *, secure: bool) -> str | None:
        return None


async def invent_routes(book: Book, clock: Clock) -> None:
    """Have a proxy with some routes, where the demo begins."""
    await book.load()
    if book.setup is not None:
        return
    for host, upstream, options in _ROUTES:
        route = KeptRoute(
            host=host,
            upstreams=(upstream,),
            certificate=RouteCertificate.CADDY,
            options=options,
            changed_at=clock(),
        )
        await book.keep_route(host, route)
    await book.keep_setup(KeptSetup(mode=ProxyMode.OWN, admin=ADMIN))
