"""deSEC, by its REST API. Built from its documentation, and not tried against the real service."""

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from http import HTTPStatus

from yarl import URL

from homelab_agent.areas.dns.models import (
    Capabilities,
    Change,
    DesecSettings,
    RecordSet,
    RecordType,
)
from homelab_agent.areas.dns.providers.differences import require_unchanged, ttl_to_write
from homelab_agent.areas.dns.providers.errors import (
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import ZoneContents
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.records_only import RecordsOnly
from homelab_agent.areas.dns.providers.web_api import DEADLINE_S, ApiAnswer, Said, WebApi
from homelab_agent.areas.dns.values import from_presented, presented
from homelab_agent.platform.errors import NotFound

USUAL_SMALLEST_TTL_S = 3600
_MOST_PAGES = 300
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="next"')
_LIMITS = (
    "deSEC takes TTLs from an hour up (less for domains below dedyn.io), and about 300 changes of "
    "a domain a day."
)


class _Domain(Said):
    name: str
    minimum_ttl: int = USUAL_SMALLEST_TTL_S


class _RrSet(Said):
    subname: str
    type: str
    records: tuple[str, ...]
    ttl: int


class DesecProvider(RecordsOnly):
    """deSEC. All changes of a domain go in one request, and all of them are made or none."""

    def __init__(
        self, settings: DesecSettings, reach: Reach, *, deadline_s: float = DEADLINE_S
    ) -> None:
        headers = {"Authorization": f"Token {settings.token.get_secret_value()}"}
        self._api = WebApi(settings.url, reach, headers=headers, deadline_s=deadline_s)
        self._smallest_ttl_s = USUAL_SMALLEST_TTL_S

    @property
    def capabilities(self) -> Capabilities:
        """What it can do. The smallest TTL is known better once its domains were asked for."""
        return Capabilities(
            lists=True,
            types=tuple(RecordType),
            smallest_ttl_s=self._smallest_ttl_s,
            limits=_LIMITS,
        )

    async def zones(self) -> tuple[str, ...]:
        """Return the domains of the account."""
        domains = [
            domain
            async for page in self._pages("/domains/", {})
            for domain in page.read_all(_Domain)
        ]
        if domains:
            self._smallest_ttl_s = max(domain.minimum_ttl for domain in domains)
        return tuple(sorted(domain.name.lower() for domain in domains))

    async def read(self, zone: str, names: Collection[str] | None) -> ZoneContents:
        """Return what a domain holds."""
        # One name can be asked for; more are cheaper with everything else than one by one.
        only = next(iter(names)) if names is not None and len(names) == 1 else None
        query = {} if only is None else {"subname": _subname(only, zone)}
        records = [
            found
            async for page in self._pages(f"/domains/{zone}/rrsets/", query)
            for each in page.read_all(_RrSet)
            if (found := _record_set(zone, each)) is not None
            and (names is None or found.name in names)
        ]
        return ZoneContents(records=tuple(records))

    async def apply(self, zone: str, changes: Sequence[Change]) -> None:
        """Make all changes or none, where everything is as they expect right before."""
        held = await self.read(zone, {change.name for change in changes})
        require_unchanged(held.records, changes)
        body = [self._wanted(zone, change) for change in changes]
        answer = await self._api.ask("PATCH", f"/domains/{zone}/rrsets/", changes=True, body=body)
        _require_success(answer, zone)
        answer.read_all(_RrSet)

    def _wanted(self, zone: str, change: Change) -> dict[str, object]:
        asked = {"subname": _subname(change.name, zone), "type": change.type.value}
        if change.after is None:
            return {**asked, "records": []}
        return {
            **asked,
            "ttl": max(ttl_to_write(change), self._smallest_ttl_s),
            "records": [presented(change.type, value) for value in change.after.values],
        }

    async def _pages(self, path: str, query: Mapping[str, str]) -> AsyncIterator[ApiAnswer]:
        """Give one answer after the other; most have room for everything in the first."""
        cursor = ""
        for _ in range(_MOST_PAGES):
            asked = {**query, "cursor": cursor}
            answer = await self._api.ask("GET", path, changes=False, query=asked)
            _require_success(answer, path)
            yield answer
            following = _next_cursor(answer)
            if following is None:
                return
            cursor = following
        # A part of a zone must not be taken for the whole.
        raise answer.trouble(f"goes on after {_MOST_PAGES} pages")


def _next_cursor(answer: ApiAnswer) -> str | None:
    """Return where the next page begins. Only the cursor: the address is ours to choose."""
    found = _NEXT.search(answer.headers.get("Link", ""))
    try:
        return URL(found.group(1)).query.get("cursor") if found else None
    except ValueError:
        raise answer.unreadable() from None


def _require_success(answer: ApiAnswer, what: str) -> None:
    match answer.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise WrongCredentials(
                f"deSEC does not take the token: {answer.words}",
                hint="Make a token in deSEC's token management that may manage DNS.",
            )
        case HTTPStatus.NOT_FOUND:
            raise NotFound(f"deSEC knows no {what}: {answer.words}")
        case status if status >= HTTPStatus.BAD_REQUEST:
            raise ProviderRefused(f"deSEC refused: {answer.words}")


def _record_set(zone: str, found: _RrSet) -> RecordSet | None:
    """Return a set as it is known here; None for a type that cannot be managed."""
    if found.type not in RecordType:
        return None
    record_type = RecordType(found.type)
    values = (from_presented(record_type, each) for each in found.records)
    name = f"{found.subname}.{zone}" if found.subname else zone
    return RecordSet(
        name=name.lower(), type=record_type, values=tuple(sorted(values)), ttl_s=found.ttl
    )


def _subname(name: str, zone: str) -> str:
    return "" if name == zone else name.removesuffix(f".{zone}")
