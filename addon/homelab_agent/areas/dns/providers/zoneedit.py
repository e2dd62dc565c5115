"""ZoneEdit: addresses of hosts that are dynamic records there, and TXT. No more is offered.

Built from what its users' programs know of it, and not tried against the real service.
"""

import asyncio
import base64
from collections.abc import Collection, Sequence
from functools import partial
from http import HTTPStatus

from homelab_agent.areas.dns.models import Capabilities, Change, RecordType, ZoneEditSettings
from homelab_agent.areas.dns.providers.errors import (
    NotOffered,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import AddressOutcome, ZoneContents
from homelab_agent.areas.dns.providers.one_by_one import Step, one_by_one
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.web_api import DEADLINE_S, WebApi
from homelab_agent.areas.dns.providers.zoneedit_answers import (
    ADDRESS_PAUSE_S,
    HINTS,
    Line,
    Meaning,
    read_answer,
    verdict,
)
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import AgentError

TXT_PAUSE_S = 10.0
"""Between two changes of TXT: so short that it is waited out."""

_MOST_TXT_TRIES = 3
_LIMITS = (
    "ZoneEdit offers two things: the IPv4 address of a host that was made as a dynamic record in "
    "its panel can be changed, once in ten minutes; and TXT records can be made and removed. "
    "Everything else, such as new names, CNAME, MX or IPv6, is done in its panel. It cannot be "
    "asked what a zone holds, so the zone's name servers are."
)
_CREDENTIALS_HINT = (
    "It takes the user and the dynamic DNS token (in the panel under DYN settings), not the "
    "password of the login."
)


class ZoneEditProvider:
    """ZoneEdit, with its pauses kept: `txt_pause_s` is waited out, that of addresses is told."""

    def __init__(
        self,
        settings: ZoneEditSettings,
        reach: Reach,
        *,
        txt_pause_s: float = TXT_PAUSE_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        login = f"{settings.user}:{settings.token.get_secret_value()}"
        headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
        self._api = WebApi(settings.url, reach, headers=headers, deadline_s=deadline_s)
        self._zones = tuple(
            uniform_name(zone, field="settings.zones", underscore=False) for zone in settings.zones
        )
        self._txt_pause_s = txt_pause_s
        self._txt_line = asyncio.Lock()
        self._txt_free_s = 0.0
        self._address_free_s: dict[str, float] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            lists=False,
            types=(RecordType.A, RecordType.TXT),
            creates_addresses=False,
            sets_ttl=False,
            address_interval_s=int(ADDRESS_PAUSE_S),
            txt_interval_s=int(TXT_PAUSE_S),
            limits=_LIMITS,
        )

    @property
    def sets_addresses(self) -> bool:
        """It is a service of dynamic DNS."""
        return True

    async def zones(self) -> tuple[str, ...]:
        """Return the zones of the settings: there is no call that only asks."""
        return self._zones

    async def read(self, _zone: str, _names: Collection[str] | None) -> ZoneContents:
        """Refuse: it tells nobody."""
        raise NotOffered(_LIMITS)

    async def apply(self, _zone: str, changes: Sequence[Change]) -> None:
        """Make the changes, a request for each value: new ones first, so that none is missing."""
        for change in changes:
            _require_offered(change)
        await one_by_one([step for change in changes for step in self._steps(change)])

    async def set_addresses(self, name: str, ipv4: str | None, ipv6: str | None) -> AddressOutcome:
        """Give a host this IPv4 address, at most every ten minutes."""
        if ipv6 is not None:
            raise NotOffered(
                f"It is not known that ZoneEdit can change IPv6 addresses, so {name} follows IPv4 "
                "only",
                hint="Turn IPv6 off for this name, and set its AAAA record in ZoneEdit's panel.",
            )
        if ipv4 is None:
            return AddressOutcome.UNCHANGED
        self._require_pause(name)
        line = await self._ask("/auth/dynamic.html", {"host": name, "dnsto": ipv4})
        if line.meaning is Meaning.CHANGED:
            self._pause(name, ADDRESS_PAUSE_S)
            return AddressOutcome.CHANGED
        if line.meaning is Meaning.UNCHANGED:
            return AddressOutcome.UNCHANGED
        wait_s = line.wait_s or ADDRESS_PAUSE_S
        self._pause(name, wait_s)
        raise _busy(line, wait_s)

    async def close(self) -> None:
        """Have nothing open."""

    def _steps(self, change: Change) -> list[Step]:
        before = change.before.values if change.before is not None else ()
        after = change.after.values if change.after is not None else ()
        name = change.name
        if change.type is RecordType.A:
            return [partial(self.set_addresses, name, address, None) for address in after]
        new = [value for value in after if value not in before]
        gone = [value for value in before if value not in after]
        steps: list[Step] = [
            partial(self._change_txt, "/txt-create.php", name, value) for value in new
        ]
        steps += [partial(self._change_txt, "/txt-delete.php", name, value) for value in gone]
        return steps

    async def _change_txt(self, path: str, name: str, value: str) -> None:
        async with self._txt_line:
            for _ in range(_MOST_TXT_TRIES):
                loop = asyncio.get_running_loop()
                await asyncio.sleep(self._txt_free_s - loop.time())
                try:
                    line = await self._ask(path, {"host": name, "rdata": value})
                finally:
                    self._txt_free_s = loop.time() + self._txt_pause_s
                if line.meaning is not Meaning.WAIT:
                    return
                wait_s = line.wait_s or TXT_PAUSE_S
                if wait_s > TXT_PAUSE_S:
                    raise _busy(line, wait_s)
        raise _busy(line, wait_s)

    async def _ask(self, path: str, query: dict[str, str]) -> Line:
        """Return the line that decides; raise for what asking again does not change."""
        answer = await self._api.ask("GET", path, changes=True, query=query)
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise WrongCredentials(
                f"ZoneEdit does not take the user or the token ({answer.status}).",
                hint=_CREDENTIALS_HINT,
            )
        lines = read_answer(answer.text)
        if not lines:
            raise answer.unreadable()
        line = verdict(lines)
        match line.meaning:
            case Meaning.CREDENTIALS:
                raise WrongCredentials(
                    f"ZoneEdit does not take the user or the token: {line.words}",
                    hint=_CREDENTIALS_HINT,
                )
            case Meaning.REFUSED:
                raise _refused(line, query["host"])
            case Meaning.FAILED:
                raise ProviderAway(f"ZoneEdit could not do it: {line.words}")
            case Meaning.UNKNOWN:
                raise answer.trouble(f"answered with what nobody knows: {line.words}")
        return line

    def _require_pause(self, name: str) -> None:
        left_s = self._address_free_s.get(name, 0.0) - asyncio.get_running_loop().time()
        if left_s > 0:
            raise ProviderBusy(
                f"ZoneEdit takes a new address of {name} once in ten minutes",
                retry_after_s=left_s,
            )

    def _pause(self, name: str, pause_s: float) -> None:
        self._address_free_s[name] = asyncio.get_running_loop().time() + pause_s


def _require_offered(change: Change) -> None:
    if change.type is RecordType.TXT:
        return
    if change.type is not RecordType.A or change.before is None or change.after is None:
        raise NotOffered(
            f"ZoneEdit lets nobody {change.action} {change.type} records from outside. {_LIMITS}",
            hint=f"Do it in ZoneEdit's panel: {change.name} {change.type}.",
        )
    if len(change.after.values) != 1:
        raise NotOffered(
            f"ZoneEdit gives a dynamic host one address, and not {len(change.after.values)}",
            hint="Give one address.",
        )


def _busy(line: Line, wait_s: float) -> AgentError:
    return ProviderBusy(
        f"ZoneEdit wants to be asked less often: {line.words}", retry_after_s=wait_s
    )


def _refused(line: Line, host: str) -> AgentError:
    return ProviderRefused(
        f"ZoneEdit refused {host}: {line.words}",
        hint=HINTS.get(line.code, "ZoneEdit's panel shows what is set up for this name."),
    )
