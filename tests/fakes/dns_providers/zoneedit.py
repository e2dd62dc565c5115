"""A small ZoneEdit: dynamic addresses and TXT, with the words that its users have seen.

Built from the published protocol and from what ddclient, lego, acme.sh and their users report. It
was not tried against the real service.
"""

import asyncio
import base64

from aiohttp import web

from tests.fakes.dns_providers.records import Record
from tests.fakes.dns_providers.server import Fault, ProviderServer

USER = "home-user"
TOKEN = "zoneedit-token-correct-horse"

TOO_SOON = Fault(
    status=200,
    body='<ERROR CODE="702" PARAM="600" TEXT="Minimum 600 seconds between requests" ZONE="a">',
)


class ZoneEditServer(ProviderServer):
    """`zones` hold the records made in its panel; only those can be changed, but for TXT.

    `paces`: it insists on its pauses, of `address_pause_s` and `txt_pause_s`.
    `old_words`: it answers in the other family of wording. `extra_line`: with one line more.
    """

    gets_change = True

    def __init__(self, *zones: str) -> None:
        super().__init__(*zones)
        self.address_pause_s = 600.0
        self.txt_pause_s = 10.0
        self.paces = False
        self.old_words = False
        self.extra_line = False
        self.same_address_is_700 = False
        self.without_service: set[str] = set()
        self._last: dict[str, float] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return what it serves."""
        return [
            web.get("/auth/dynamic.html", self._address),
            web.get("/txt-create.php", self._txt_create),
            web.get("/txt-delete.php", self._txt_delete),
        ]

    def _refusal(self, request: web.Request, hosts: list[str]) -> web.Response | None:
        expected = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            if self.old_words:
                return _say('<ERROR CODE="NO_AUTH" TEXT="Authentication failed">')
            return _say(f'<ERROR CODE="708" TEXT="Failed Login: {USER}" ZONE="{hosts[0]}">')
        for host in hosts:
            if not host or host.endswith("."):
                return _say(f'<ERROR CODE="709" TEXT="invalid hostname: {host}" ZONE="{host}">')
            zone = self.zones.zone_of(host)
            if zone is None:
                return _say(
                    f'<ERROR CODE="701" TEXT="Zone is not set up in this account." ZONE="{host}">'
                )
            if zone in self.without_service:
                return _say('<ERROR CODE="NOSERVICE" TEXT="Dynamic DNS is not turned on">')
        return None

    def _too_soon(self, key: str, pause_s: float, zone: str) -> web.Response | None:
        now_s = asyncio.get_running_loop().time()
        last_s = self._last.get(key)
        if self.paces and last_s is not None and now_s - last_s < pause_s:
            if self.old_words:
                return _say("TOOSOON")
            return _say(
                f'<ERROR CODE="702" PARAM="{pause_s:g}" '
                f'TEXT="Minimum {pause_s:g} seconds between requests" ZONE="{zone}">'
            )
        self._last[key] = now_s
        return None

    async def _address(self, request: web.Request) -> web.Response:
        hosts = request.query.get("host", "").split(",")
        refusal = self._refusal(request, hosts)
        if refusal is not None:
            return refusal
        address = request.query.get("dnsto", request.remote or "")
        lines = []
        for host in hosts:
            zone = self.zones.zone_of(host) or ""
            held = self.zones.values(host, "A")
            if not held:
                lines.append(f'<ERROR CODE="709" TEXT="invalid hostname: {host}" ZONE="{zone}">')
                continue
            if held == (address,):
                lines.append(self._same(host, zone))
                continue
            soon = self._too_soon(f"A {host}", self.address_pause_s, zone)
            if soon is not None:
                return soon
            self.zones.put(host, "A", address)
            lines.append(self._updated(host, zone, address))
        if self.extra_line:
            lines.append(f'<SUCCESS CODE="200" TEXT="Update succeeded." ZONE="{zone}">')
        return _say("\n".join(lines))

    def _same(self, host: str, zone: str) -> str:
        if self.same_address_is_700:
            return f'<ERROR CODE="700" TEXT="no update required for {host}" ZONE="{zone}">'
        return f'<SUCCESS CODE="201" TEXT="No records need updating." ZONE="{zone}">'

    def _updated(self, host: str, zone: str, address: str) -> str:
        if self.old_words:
            return "NOERROR"
        return f'<SUCCESS CODE="200" TEXT="{host} updated to {address}" ZONE="{zone}">'

    def _txt(self, request: web.Request) -> tuple[str, str, str]:
        host = request.query.get("host", "")
        return host, request.query.get("rdata", ""), self.zones.zone_of(host) or ""

    def _txt_refusal(self, request: web.Request) -> web.Response | None:
        host, _, zone = self._txt(request)
        refusal = self._refusal(request, [host])
        return refusal or self._too_soon(f"TXT {zone}", self.txt_pause_s, host)

    async def _txt_create(self, request: web.Request) -> web.Response:
        refusal = self._txt_refusal(request)
        if refusal is not None:
            return refusal
        host, value, zone = self._txt(request)
        if value in self.zones.values(host, "TXT"):
            said = "Duplicate updates for the same host/ip"
            return _say(f'<ERROR CODE="707" TEXT="{said}" ZONE="{host}">')
        self.zones.replace(zone, [*self.zones.records[zone], Record(host, "TXT", value)])
        return _say(f'<SUCCESS CODE="200" TEXT="{host} TXT updated to {value}" ZONE="{zone}">')

    async def _txt_delete(self, request: web.Request) -> web.Response:
        refusal = self._txt_refusal(request)
        if refusal is not None:
            return refusal
        host, value, zone = self._txt(request)
        # As the real one is reported to: it says the same of a value that was never there.
        self.zones.replace(
            zone,
            [
                each
                for each in self.zones.records[zone]
                if (each.name, each.type, each.value) != (host, "TXT", value)
            ],
        )
        return _say(
            f'<SUCCESS CODE="200" TEXT="{host} TXT with rdata {value} deleted" ZONE="{zone}">'
        )


def _say(text: str) -> web.Response:
    """Answer as it does: HTML by its header, tags that nobody closes, always 200."""
    return web.Response(text=f"{text}\n", content_type="text/html")
