"""A small DuckDNS, built from duckdns.org/spec.jsp. It was not tried against the real service."""

from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

from aiohttp import web

from tests.fakes.dns_providers.server import ProviderServer

TOKEN = "duck-token-0b1c2d3e-correct-horse"


class DuckDnsServer(ProviderServer):
    """`zones` are whole names: "photos.duckdns.org"."""

    gets_change = True
    same_below = True

    def routes(self) -> list[web.RouteDef]:
        """Return what it serves."""
        return [web.get("/update", self._update)]

    async def _update(self, request: web.Request) -> web.Response:
        query = request.query
        names = [_full(each) for each in query.get("domains", "").split(",")]
        if query.get("token") != TOKEN or any(each not in self.zones.records for each in names):
            return web.Response(text="KO")
        clear = query.get("clear") == "true"
        before = self.zones.copy()
        for name in names:
            if "txt" in query:
                self.zones.put(name, "TXT", *(() if clear else (query["txt"],)))
            elif clear:
                self.zones.put(name, "A")
                self.zones.put(name, "AAAA")
            elif not self._set(name, query.get("ip", ""), query.get("ipv6", ""), request.remote):
                return web.Response(text="KO")
        if query.get("verbose") != "true":
            return web.Response(text="OK")
        types = ("TXT",) if "txt" in query else ("A", "AAAA")
        told = ("".join(self.zones.values(names[0], each)) for each in types)
        changed = "NOCHANGE" if before.records == self.zones.records else "UPDATED"
        return web.Response(text="\n".join(("OK", *told, changed)))

    def _set(self, name: str, ip: str, ipv6: str, remote: str | None) -> bool:
        try:
            given = ip_address(ip) if ip else None
            sixth = IPv6Address(ipv6) if ipv6 else None
        except AddressValueError, ValueError:
            return False
        if given is None and sixth is None:
            given = IPv4Address(remote or "")
        if isinstance(given, IPv6Address):
            given, sixth = None, given
        if given is not None:
            self.zones.put(name, "A", str(given), ttl_s=60)
        if sixth is not None:
            self.zones.put(name, "AAAA", str(sixth), ttl_s=60)
        return True


def _full(name: str) -> str:
    return name if name.endswith(".duckdns.org") else f"{name}.duckdns.org"
