"""PowerDNS, by the HTTP API of its authoritative server."""

import re
from collections.abc import Collection, Iterable, Sequence
from http import HTTPStatus

from homelab_agent.areas.dns.models import (
    Capabilities,
    Change,
    PowerDnsSettings,
    RecordSet,
    RecordType,
)
from homelab_agent.areas.dns.providers.differences import require_unchanged, ttl_to_write
from homelab_agent.areas.dns.providers.errors import (
    NotOffered,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import ZoneContents
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.records_only import RecordsOnly
from homelab_agent.areas.dns.providers.web_api import (
    DEADLINE_S,
    ApiAnswer,
    Said,
    WebApi,
    shown_words,
)
from homelab_agent.areas.dns.values import from_presented, presented
from homelab_agent.platform.errors import AgentError, NotFound

_FOLLOWERS = frozenset({"slave", "secondary", "consumer"})
"""Zones that are copied from elsewhere: what is written here would be gone with the next copy."""

_LOSES_ESCAPES = (5, 1)
"""From this version on the API takes the backslashes out of a text that it is given (5.1.5)."""

_LIMITS = (
    "PowerDNS makes all changes of a plan or none, but its API knows no conditions: what somebody "
    "else changes in the same instant may be overwritten."
)


class _Record(Said):
    content: str
    disabled: bool = False


class _RrSet(Said):
    name: str
    type: str
    ttl: int
    records: tuple[_Record, ...]


class _Zone(Said):
    name: str
    kind: str = ""


class _Contents(Said):
    rrsets: tuple[_RrSet, ...]
    edited_serial: int | None = None
    serial: int | None = None


class _Server(Said):
    version: str = ""


class _Problem(Said):
    error: str = ""


class PowerDnsProvider(RecordsOnly):
    """See `Provider`. Records that are disabled there are left as they are."""

    capabilities = Capabilities(lists=True, types=tuple(RecordType), limits=_LIMITS)

    def __init__(
        self, settings: PowerDnsSettings, reach: Reach, *, deadline_s: float = DEADLINE_S
    ) -> None:
        self._base = f"/api/v1/servers/{settings.server_id}"
        self._api = WebApi(
            settings.url,
            reach,
            headers={"X-API-Key": settings.api_key.get_secret_value()},
            verify_tls=settings.verify_tls,
            deadline_s=deadline_s,
        )

    async def zones(self) -> tuple[str, ...]:
        """See `Provider.zones`."""
        answer = await self._ask("GET", "/zones")
        found = answer.read_all(_Zone)
        names = (_plain(zone.name) for zone in found if zone.kind.lower() not in _FOLLOWERS)
        return tuple(sorted(name for name in names if name))

    async def read(self, zone: str, names: Collection[str] | None) -> ZoneContents:
        """See `Provider.read`."""
        contents = await self._contents(zone, names)
        serial = contents.edited_serial or contents.serial
        return ZoneContents(
            records=_record_sets(contents.rrsets, names),
            version=None if serial is None else str(serial),
        )

    async def apply(self, zone: str, changes: Sequence[Change]) -> None:
        """See `Provider.apply`; it is looked once more whether all is as the plan saw it."""
        await self._refuse_spoiled(changes)
        names = {change.name for change in changes}
        contents = await self._contents(zone, names)
        require_unchanged(_record_sets(contents.rrsets, names), changes)
        disabled = {
            (_plain(found.name), found.type): [each for each in found.records if each.disabled]
            for found in contents.rrsets
        }
        wanted = [
            _wanted(change, disabled.get((change.name, change.type), [])) for change in changes
        ]
        await self._ask("PATCH", f"/zones/{zone}.", body={"rrsets": wanted}, zone=zone)

    async def _refuse_spoiled(self, changes: Sequence[Change]) -> None:
        """Refuse texts that would not be kept as they are."""
        odd = [change.name for change in changes if _has_escapes(change.after)]
        if not odd:
            return
        version = (await self._ask("GET", "")).read(_Server).version
        if _numbers(version) >= _LOSES_ESCAPES:
            raise NotOffered(
                f"The API of PowerDNS {version} spoils a TXT with a quote or a backslash in it, as "
                f"{odd[0]} would be",
                hint="Put that one in with pdnsutil, or by a signed update (RFC 2136).",
            )

    async def _contents(self, zone: str, names: Collection[str] | None) -> _Contents:
        # One name can be asked for; several are found in the whole zone.
        only = {"rrset_name": f"{next(iter(names))}."} if names and len(names) == 1 else None
        answer = await self._ask("GET", f"/zones/{zone}.", query=only, zone=zone)
        return answer.read(_Contents)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: object = None,
        zone: str | None = None,
    ) -> ApiAnswer:
        answer = await self._api.ask(
            method, f"{self._base}{path}", changes=body is not None, query=query, body=body
        )
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise _refusal(answer, zone)
        return answer


def _refusal(answer: ApiAnswer, zone: str | None) -> AgentError:
    match answer.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return WrongCredentials(
                f"{answer.place} does not take the API key.",
                hint="Copy api-key from its settings, and allow this machine in "
                "webserver-allow-from.",
            )
        case HTTPStatus.NOT_FOUND if zone is not None:
            return NotFound(f"{answer.place} has no zone {zone}.", field="zone")
        case HTTPStatus.NOT_FOUND:
            return NotFound(
                f"{answer.place} has no such API, or no server of that name.",
                field="settings.server_id",
                hint="Set api=yes there; the name of the server is nearly always localhost.",
            )
    return ProviderRefused(f"{answer.place} will not: {_words(answer)}")


def _words(answer: ApiAnswer) -> str:
    try:
        return shown_words(_Problem.model_validate_json(answer.body).error) or answer.words
    except ValueError:
        return answer.words


def _record_sets(found: Iterable[_RrSet], names: Collection[str] | None) -> tuple[RecordSet, ...]:
    records = []
    for rrset in found:
        name = _plain(rrset.name)
        values = [each.content for each in rrset.records if not each.disabled]
        if rrset.type not in RecordType or not values or (names is not None and name not in names):
            continue
        kind = RecordType(rrset.type)
        texts = tuple(sorted(from_presented(kind, value) for value in values))
        records.append(RecordSet(name=name, type=kind, values=texts, ttl_s=rrset.ttl))
    return tuple(sorted(records, key=lambda record: (record.name, record.type)))


def _wanted(change: Change, disabled: Iterable[_Record]) -> dict[str, object]:
    """Return what the API takes. Comments are not mentioned, and so are kept."""
    records = [each.model_dump() for each in disabled]
    values = change.after.values if change.after else ()
    records += [{"content": presented(change.type, value), "disabled": False} for value in values]
    return {
        "name": f"{change.name}.",
        "type": change.type.value,
        "ttl": ttl_to_write(change),
        "changetype": "REPLACE" if records else "DELETE",
        "records": records,
    }


def _has_escapes(record: RecordSet | None) -> bool:
    if record is None or record.type is not RecordType.TXT:
        return False
    return any(sign in value for value in record.values for sign in '"\\')


def _numbers(version: str) -> tuple[int, ...]:
    """Return what can be compared of "5.1.5" or "4.9.0-rc1"; of a strange one nothing."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")
