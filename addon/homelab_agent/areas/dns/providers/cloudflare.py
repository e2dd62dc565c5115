"""Cloudflare, by its API v4.

Built from its published API, and not tried against the real service.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial
from http import HTTPStatus

from homelab_agent.areas.dns.models import Capabilities, Change, CloudflareSettings, RecordType
from homelab_agent.areas.dns.providers.cloudflare_records import (
    AUTOMATIC_TTL,
    CloudflareRecord,
    record_sets,
    written,
)
from homelab_agent.areas.dns.providers.differences import require_unchanged, zone_changed
from homelab_agent.areas.dns.providers.errors import (
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import ZoneContents
from homelab_agent.areas.dns.providers.one_by_one import Step, one_by_one
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.records_only import RecordsOnly
from homelab_agent.areas.dns.providers.web_api import (
    DEADLINE_S,
    USUAL_WAIT_S,
    ApiAnswer,
    Said,
    WebApi,
    shown_words,
)
from homelab_agent.platform.errors import AgentError, NotFound

SMALLEST_TTL_S = 60
_PAGE = 100
_MOST_PAGES = 300
_MOST_SINGLE_NAMES = 5
"""More names than these are cheaper to be had with the whole zone."""

_LIMITS = (
    "Cloudflare takes one change after the other. Whether a record is proxied stays as it is; a "
    "proxied name is answered with Cloudflare's own addresses and TTL."
)
_CREDENTIALS = {6003, 6103, 6111, 9103, 9106, 9107, 9109, 10000, 10001}
_RATE_LIMITED = {971, 10429}
_GONE_MEANWHILE = {81044}
_THERE_MEANWHILE = {81057, 81058}
_NO_SUCH_ZONE = {1001, 7000, 7003}


class _Problem(Said):
    code: int = 0
    message: str = ""


class _Paging(Said):
    page: int = 1
    total_pages: int = 1


class _Answer(Said):
    success: bool
    errors: tuple[_Problem, ...] = ()
    result_info: _Paging | None = None


class _Zone(Said):
    id: str
    name: str


class _ZonePage(_Answer):
    result: tuple[_Zone, ...]


class _RecordPage(_Answer):
    result: tuple[CloudflareRecord, ...]


class CloudflareProvider(RecordsOnly):
    """Cloudflare. It has no conditions, so what is there is compared before each change."""

    def __init__(
        self, settings: CloudflareSettings, reach: Reach, *, deadline_s: float = DEADLINE_S
    ) -> None:
        headers = {"Authorization": f"Bearer {settings.api_token.get_secret_value()}"}
        self._api = WebApi(settings.url, reach, headers=headers, deadline_s=deadline_s)
        self._ids: dict[str, str] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            lists=True,
            types=tuple(RecordType),
            smallest_ttl_s=SMALLEST_TTL_S,
            limits=_LIMITS,
        )

    async def zones(self) -> tuple[str, ...]:
        """Return the zones that the token may see."""
        self._ids = {
            zone.name.lower(): zone.id
            async for page in self._pages("/zones", {}, _ZonePage)
            for zone in page.result
        }
        return tuple(sorted(self._ids))

    async def read(self, zone: str, names: Collection[str] | None) -> ZoneContents:
        """Return what a zone holds at these names."""
        return ZoneContents(records=record_sets(await self._records(zone, names)))

    async def apply(self, zone: str, changes: Sequence[Change]) -> None:
        """Make the changes one after the other; each only where all is as it expects."""
        held = await self.read(zone, {change.name for change in changes})
        require_unchanged(held.records, changes)
        await one_by_one([partial(self._make, zone, change) for change in changes])

    async def _make(self, zone: str, change: Change) -> None:
        path = f"/zones/{await self._id(zone)}/dns_records"
        held = [
            record
            for record in await self._records(zone, {change.name})
            if record.type == change.type
        ]
        require_unchanged(record_sets(held), (change,))
        await one_by_one(self._steps(path, change, held))

    def _steps(self, path: str, change: Change, held: Sequence[CloudflareRecord]) -> list[Step]:
        """Return the requests. A record whose value changes stays the same one, with its flags."""
        after = change.after.values if change.after is not None else ()
        ttl_s = change.after.ttl_s if change.after is not None else None
        values = {record.value for record in held}
        new = [value for value in after if value not in values]
        gone = [record for record in held if record.value not in after]
        stay = [record for record in held if record.value in after]
        requests: list[tuple[str, str, dict[str, object] | None]] = [
            ("PATCH", f"{path}/{record.id}", written(change.type, value) | _ttl(record, ttl_s))
            for record, value in zip(gone, new, strict=False)
        ]
        requests += [
            ("PATCH", f"{path}/{record.id}", fields)
            for record in stay
            if (fields := _ttl(record, ttl_s))
        ]
        made = {"name": change.name, "type": change.type.value, "ttl": ttl_s or AUTOMATIC_TTL}
        requests += [
            ("POST", path, made | written(change.type, value)) for value in new[len(gone) :]
        ]
        requests += [("DELETE", f"{path}/{record.id}", None) for record in gone[len(new) :]]
        return [partial(self._change, *request) for request in requests]

    async def _change(self, method: str, path: str, fields: Mapping[str, object] | None) -> None:
        answer = await self._api.ask(method, path, changes=True, body=fields)
        self._read(answer, _Answer)

    async def _records(
        self, zone: str, names: Collection[str] | None
    ) -> tuple[CloudflareRecord, ...]:
        path = f"/zones/{await self._id(zone)}/dns_records"
        single = names is not None and len(names) <= _MOST_SINGLE_NAMES
        queries = [{"name": name} for name in names or ()] if single else [{}]
        found = {
            record.id: record
            for query in queries
            async for page in self._pages(path, query, _RecordPage)
            for record in page.result
        }
        return tuple(
            record for record in found.values() if names is None or record.name.lower() in names
        )

    async def _id(self, zone: str) -> str:
        if zone not in self._ids:
            async for page in self._pages("/zones", {"name": zone}, _ZonePage):
                self._ids |= {found.name.lower(): found.id for found in page.result}
        if zone not in self._ids:
            raise NotFound(
                f"Cloudflare shows no zone {zone} to this token.",
                field="zone",
                hint="The token needs Zone:Read and DNS:Edit for this zone.",
            )
        return self._ids[zone]

    async def _pages[Page: _Answer](
        self, path: str, query: Mapping[str, str], kind: type[Page]
    ) -> AsyncIterator[Page]:
        for number in range(1, _MOST_PAGES + 1):
            asked = {**query, "page": str(number), "per_page": str(_PAGE)}
            answer = await self._api.ask("GET", path, changes=False, query=asked)
            page = self._read(answer, kind)
            yield page
            if page.result_info is None or number >= page.result_info.total_pages:
                return
        # A part of a zone must not be taken for the whole.
        raise answer.trouble(f"goes on after {_MOST_PAGES} pages")

    def _read[Page: _Answer](self, answer: ApiAnswer, kind: type[Page]) -> Page:
        outline = answer.read(_Answer)
        if not outline.success or answer.status >= HTTPStatus.BAD_REQUEST:
            raise self._error(answer, outline.errors)
        return answer.read(kind)

    def _error(self, answer: ApiAnswer, problems: Sequence[_Problem]) -> AgentError:
        codes = {problem.code for problem in problems}
        said = shown_words("; ".join(f"{each.message} ({each.code})" for each in problems))
        if codes & _RATE_LIMITED:
            return ProviderBusy(
                f"Cloudflare wants to be asked less often: {said}", retry_after_s=USUAL_WAIT_S
            )
        if codes & _CREDENTIALS or answer.status in {
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
        }:
            return WrongCredentials(
                f"Cloudflare does not take the token: {said}",
                hint="It needs an API token with Zone:Read and DNS:Edit, for all zones meant.",
            )
        if codes & (_GONE_MEANWHILE | _THERE_MEANWHILE):
            return zone_changed(said)
        if codes & _NO_SUCH_ZONE:
            self._ids.clear()  # the zone may have been removed and added anew
            return NotFound(f"Cloudflare does not know what was asked for: {said}", field="zone")
        return ProviderRefused(f"Cloudflare refused: {said or answer.words}")


def _ttl(record: CloudflareRecord, ttl_s: int | None) -> dict[str, object]:
    """Return the field for a TTL that changes; what is proxied has no TTL of its own."""
    return {} if ttl_s is None or record.proxied or ttl_s == record.ttl_s else {"ttl": ttl_s}
