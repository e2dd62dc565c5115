"""A small Cloudflare: zones and DNS records of its API v4.

Built from the published API and from what clients of it and their users report. It was not tried
against the real service.
"""

import json
from dataclasses import replace
from typing import Any

from aiohttp import web

from tests.fakes.dns_providers.records import Record, bare, quoted
from tests.fakes.dns_providers.server import Fault, ProviderServer

TOKEN = "cloudflare-token-correct-horse"

RATE_LIMITED = Fault(
    status=429,
    headers={"Retry-After": "47", "Content-Type": "application/json"},
    body=json.dumps(
        {
            "success": False,
            "errors": [
                {"code": 971, "message": "Please wait and consider throttling your request speed"}
            ],
            "messages": [],
            "result": None,
        }
    ),
)

_AUTOMATIC = 1
_SMALLEST_TTL_S = 60
_MOST_A_PAGE = 100
_PROXYABLE = {"A", "AAAA", "CNAME"}


class CloudflareServer(ProviderServer):
    """`most_a_page`: it gives fewer than asked for, as it may."""

    def __init__(self, *zones: str) -> None:
        super().__init__(*zones)
        self.most_a_page = _MOST_A_PAGE

    def routes(self) -> list[web.RouteDef]:
        """Return what it serves."""
        records = "/zones/{zone}/dns_records"
        return [
            web.get("/zones", self._list_zones),
            web.get(records, self._list),
            web.post(records, self._create),
            web.patch(f"{records}/{{id}}", self._patch),
            web.delete(f"{records}/{{id}}", self._delete),
        ]

    async def _list_zones(self, request: web.Request) -> web.Response:
        self._authorise(request)
        name = request.query.get("name")
        found = [
            {"id": _zone_id(zone), "name": zone, "status": "active"}
            for zone in self.zones.records
            if name in {None, zone}
        ]
        return self._page(request, found)

    async def _list(self, request: web.Request) -> web.Response:
        zone = self._zone(request)
        query = request.query
        found = [
            _shown(each)
            for each in self.zones.records[zone]
            if query.get("name", query.get("name.exact", each.name)).lower() == each.name
            and query.get("type", each.type) == each.type
        ]
        return self._page(request, found)

    async def _create(self, request: web.Request) -> web.Response:
        zone = self._zone(request)
        made = self._checked(zone, await request.json(), None)
        self.zones.replace(zone, [*self.zones.records[zone], made])
        return _success(_shown(made))

    async def _patch(self, request: web.Request) -> web.Response:
        zone = self._zone(request)
        old = self._record(zone, request.match_info["id"])
        new = self._checked(zone, await request.json(), old)
        held = [new if each is old else each for each in self.zones.records[zone]]
        self.zones.replace(zone, held)
        return _success(_shown(new))

    async def _delete(self, request: web.Request) -> web.Response:
        zone = self._zone(request)
        old = self._record(zone, request.match_info["id"])
        self.zones.replace(zone, [each for each in self.zones.records[zone] if each is not old])
        return _success({"id": old.id})

    def _authorise(self, request: web.Request) -> None:
        shown = request.headers.get("Authorization", "")
        if shown == f"Bearer {TOKEN}":
            return
        if not shown.startswith("Bearer "):
            raise _error(400, 6003, "Invalid request headers")
        raise _error(403, 9109, "Invalid access token")

    def _zone(self, request: web.Request) -> str:
        self._authorise(request)
        for zone in self.zones.records:
            if _zone_id(zone) == request.match_info["zone"]:
                return zone
        raise _error(404, 7003, "Could not route, perhaps your object identifier is invalid?")

    def _record(self, zone: str, record_id: str) -> Record:
        for each in self.zones.records[zone]:
            if each.id == record_id:
                return each
        raise _error(404, 81044, "Record does not exist.")

    def _checked(self, zone: str, body: dict[str, Any], old: Record | None) -> Record:
        record_type = body.get("type", old.type if old else "")
        value = _value(record_type, body) or (old.value if old else "")
        ttl_s = body.get("ttl", old.ttl_s if old else _AUTOMATIC)
        made = Record(
            name=body.get("name", old.name if old else "").lower(),
            type=record_type,
            value=value,
            ttl_s=ttl_s,
            id=old.id if old else self.zones.new_id(),
            proxied=body.get("proxied", old.proxied if old else False),
            comment=body.get("comment", old.comment if old else None),
        )
        if ttl_s != _AUTOMATIC and ttl_s < _SMALLEST_TTL_S:
            raise _error(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1.")
        if made.proxied and made.type not in _PROXYABLE:
            raise _error(400, 9004, "This record type cannot be proxied.")
        self._refuse_beside(zone, made, old)
        return replace(made, ttl_s=_AUTOMATIC) if made.proxied else made

    def _refuse_beside(self, zone: str, made: Record, old: Record | None) -> None:
        others = [each for each in self.zones.records[zone] if each is not old]
        same = [each for each in others if each.name == made.name]
        if any((each.type, each.value) == (made.type, made.value) for each in same):
            raise _error(400, 81058, "An identical record already exists.")
        if made.type == "CNAME" and any(each.type in _PROXYABLE for each in same):
            raise _error(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
        if made.type in _PROXYABLE and any(each.type == "CNAME" for each in same):
            raise _error(400, 81054, "A CNAME record with that host already exists.")

    def _page(self, request: web.Request, found: list[dict[str, Any]]) -> web.Response:
        number = int(request.query.get("page", "1"))
        size = min(int(request.query.get("per_page", "20")), self.most_a_page)
        page = found[(number - 1) * size : number * size]
        pages = -(-len(found) // size)
        info = {
            "page": number,
            "per_page": size,
            "count": len(page),
            "total_count": len(found),
            "total_pages": pages,
        }
        return _success(page, info)


def _zone_id(zone: str) -> str:
    return zone.encode().hex().ljust(32, "0")[:32]


def _value(record_type: str, body: dict[str, Any]) -> str | None:
    """Return a record's value as in a zone file; what has parts is told in parts."""
    data, content = body.get("data"), body.get("content")
    if record_type in {"SRV", "CAA"} and content is not None and data is None:
        raise _error(400, 9101, f"{record_type} data is required.")
    if data is None and content is None:
        return None
    match record_type, str(content):
        case "SRV", _:
            return f"{data['priority']} {data['weight']} {data['port']} {data['target']}"
        case "CAA", _:
            return f'{data["flags"]} {data["tag"]} "{data["value"]}"'
        case "MX", host:
            return f"{body['priority']} {host}"
        case "TXT", text if text.startswith('"'):
            return bare(text)
    return str(content)


def _shown(record: Record) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "type": record.type,
        "ttl": record.ttl_s,
        "proxied": record.proxied,
        "proxiable": record.type in _PROXYABLE,
        "comment": record.comment,
        "content": record.value,
    }
    parts = record.value.split()
    match record.type:
        case "MX":
            shown |= {"priority": int(parts[0]), "content": parts[1]}
        case "SRV":
            priority, weight, port = map(int, parts[:3])
            shown |= {
                "priority": priority,
                "content": f"{weight}\t{port}\t{parts[3]}",
                "data": {
                    "priority": priority,
                    "weight": weight,
                    "port": port,
                    "target": parts[3],
                },
            }
        case "CAA":
            value = record.value.split(maxsplit=2)[2].strip('"')
            shown["data"] = {"flags": int(parts[0]), "tag": parts[1], "value": value}
        case "TXT":
            shown["content"] = quoted(record.value)
    return shown


def _success(result: object, info: dict[str, int] | None = None) -> web.Response:
    body = {"success": True, "errors": [], "messages": [], "result": result}
    return web.json_response(body | ({"result_info": info} if info else {}))


class _CloudflareError(web.HTTPException):
    empty_body = False


def _error(status: int, code: int, message: str) -> web.HTTPException:
    text = json.dumps(
        {
            "success": False,
            "errors": [{"code": code, "message": message}],
            "messages": [],
            "result": None,
        }
    )
    kind = type("CloudflareError", (_CloudflareError,), {"status_code": status})
    made: web.HTTPException = kind(text=text, content_type="application/json")
    return made
