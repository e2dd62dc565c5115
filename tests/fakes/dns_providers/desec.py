"""A small deSEC: domains and RRsets, with its paging, its limits and its atomic bulk requests.

Built from its public documentation. It was not tried against the real service.
"""

import json
from typing import Any

from aiohttp import web

from tests.fakes.dns_providers.records import Record, bare
from tests.fakes.dns_providers.server import Fault, ProviderServer

TOKEN = "desec-token-correct-horse"

THROTTLED = Fault(
    status=429,
    headers={"Retry-After": "41", "Content-Type": "application/json"},
    body=json.dumps({"detail": "Request was throttled. Expected available in 41 seconds."}),
)

_MOST_TTL_S = 604_800
_MANAGED = {"SOA", "DNSKEY", "RRSIG", "NSEC3PARAM"}
_NAME_TYPES = {"CNAME", "NS", "MX", "SRV"}


class DesecServer(ProviderServer):
    """`most_a_page`: with more it wants a cursor. `smallest_ttl_s`: of each of its domains."""

    def __init__(self, *zones: str) -> None:
        super().__init__(*zones)
        self.most_a_page = 500
        self.smallest_ttl_s = 3600

    def routes(self) -> list[web.RouteDef]:
        """Return what it serves."""
        rrsets = "/domains/{zone}/rrsets/"
        return [
            web.get("/domains/", self._domains),
            web.get(rrsets, self._list),
            web.patch(rrsets, self._bulk),
        ]

    async def _domains(self, request: web.Request) -> web.Response:
        self._authorise(request)
        listed = [
            {"name": zone, "minimum_ttl": self.smallest_ttl_s, "touched": f"{self.zones.serial}"}
            for zone in self.zones.records
        ]
        return self._page(request, listed)

    async def _list(self, request: web.Request) -> web.Response:
        zone = self._zone(request)
        sets: dict[tuple[str, str], list[Record]] = {}
        for each in self.zones.records[zone]:
            sets.setdefault((each.name, each.type), []).append(each)
        subname = request.query.get("subname")
        listed = [
            _shown(zone, held)
            for (name, _), held in sets.items()
            if subname in {None, _subname(name, zone)}
        ]
        return self._page(request, listed)

    async def _bulk(self, request: web.Request) -> web.Response:
        zone = self._zone(request)
        asked: list[dict[str, Any]] = await request.json()
        problems = [self._problem(each) for each in asked]
        if any(problems):
            raise _error(400, problems)
        records = list(self.zones.records[zone])
        answered = []
        for each in asked:
            name = f"{each['subname']}.{zone}" if each.get("subname") else zone
            records = [one for one in records if (one.name, one.type) != (name, each["type"])]
            made = [
                Record(name, each["type"], _bare(each["type"], value), each["ttl"])
                for value in each["records"]
            ]
            records += made
            if made:
                answered.append(_shown(zone, made))
        self._refuse_alias_beside_others(records)
        self.zones.replace(zone, records)
        return web.json_response(answered)

    def _authorise(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Token {TOKEN}":
            raise _error(401, {"detail": "Invalid token."})

    def _zone(self, request: web.Request) -> str:
        self._authorise(request)
        zone = request.match_info["zone"]
        if zone not in self.zones.records:
            raise _error(404, {"detail": "Not found."})
        return zone

    def _problem(self, asked: dict[str, Any]) -> dict[str, list[str]]:
        if asked["type"] in _MANAGED:
            return {"type": ["You cannot tinker with the RRset."]}
        if asked["records"] and asked["ttl"] < self.smallest_ttl_s:
            least = self.smallest_ttl_s
            return {"ttl": [f"Ensure this value is greater than or equal to {least}."]}
        if asked["records"] and asked["ttl"] > _MOST_TTL_S:
            return {"ttl": [f"Ensure this value is less than or equal to {_MOST_TTL_S}."]}
        if asked["type"] in _NAME_TYPES and not all(
            each.endswith(".") for each in asked["records"]
        ):
            return {"non_field_errors": ["Record content malformed: Hostname not fully qualified."]}
        if asked["type"] == "TXT" and not all(each.startswith('"') for each in asked["records"]):
            return {"non_field_errors": ["Record content malformed: Data must be quoted."]}
        return {}

    def _refuse_alias_beside_others(self, records: list[Record]) -> None:
        for alias in (each for each in records if each.type == "CNAME"):
            if any(each.name == alias.name and each is not alias for each in records):
                said = "RRset with conflicting type present: database (A). (No other RRsets are "
                raise _error(400, {"non_field_errors": [f"{said}allowed alongside CNAME.)"]})

    def _page(self, request: web.Request, listed: list[dict[str, Any]]) -> web.Response:
        if len(listed) <= self.most_a_page:
            return web.json_response(listed)
        cursor = request.query.get("cursor")
        if cursor is None:
            raise _error(400, {"detail": "Pagination required. Use the cursor parameter."})
        begin = int(cursor.removeprefix("p") or 0)
        end = begin + self.most_a_page
        headers = {}
        if end < len(listed):
            path = request.url.with_query({**request.query, "cursor": f"p{end}"})
            headers["Link"] = (
                f'<{path.with_query({"cursor": ""})}>; rel="first", <{path}>; rel="next"'
            )
        return web.json_response(listed[begin:end], headers=headers)


def _subname(name: str, zone: str) -> str:
    return "" if name == zone else name.removesuffix(f".{zone}")


def _shown(zone: str, held: list[Record]) -> dict[str, Any]:
    first = held[0]
    return {
        "created": "2026-03-01T12:00:00.000000Z",
        "domain": zone,
        "subname": _subname(first.name, zone),
        "name": f"{first.name}.",
        "type": first.type,
        "records": [each.presented for each in held],
        "ttl": first.ttl_s,
        "touched": "2026-03-01T12:00:00.000000Z",
    }


def _bare(record_type: str, value: str) -> str:
    if record_type == "TXT":
        return bare(value)
    return value.removesuffix(".") if record_type in _NAME_TYPES else value


class _DesecError(web.HTTPException):
    empty_body = False


def _error(status: int, said: object) -> web.HTTPException:
    kind = type("DesecError", (_DesecError,), {"status_code": status})
    made: web.HTTPException = kind(text=json.dumps(said), content_type="application/json")
    return made
