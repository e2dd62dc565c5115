"""What can be asked about names that follow an address, and which are to."""

import asyncio
from functools import partial

from homelab_agent.areas.ddns.desk import Desk
from homelab_agent.areas.ddns.followed import Followed
from homelab_agent.areas.ddns.kept import KeptAddress, Pair
from homelab_agent.areas.ddns.models import (
    AddressSource,
    DynamicAddress,
    DynamicAddressBody,
    DynamicAddressList,
    DynamicState,
)
from homelab_agent.areas.ddns.sources import Sources
from homelab_agent.areas.ddns.watch import DynamicAddressWatch
from homelab_agent.areas.dns.models import RecordType, ZoneHome
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.platform.clock import Steady
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import Invalid, NotFound
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.taking_up import until_taken_up

FIRST_ANSWER_S = 10.0
UPDATE_S = 45.0

_log = get_logger(__name__)


class DynamicAddressService:
    """Names that follow this network's address, or that of an interface."""

    def __init__(
        self,
        desk: Desk,
        watch: DynamicAddressWatch,
        dns: DnsService,
        sources: Sources,
        steady: Steady,
    ) -> None:
        self._desk = desk
        self._watch = watch
        self._dns = dns
        self._sources = sources
        self._steady = steady

    def public_addresses(self) -> tuple[str | None, str | None]:
        """Return this network's addresses as the internet sees them, IPv4 and IPv6."""
        pair = self._sources.public()
        return pair.ipv4, pair.ipv6

    def find(self, name: str) -> DynamicAddress | None:
        """Return how it is with a uniform name; None: it follows no address."""
        one = self._desk.names.get(name)
        return one.shown(self._steady()) if one is not None else None

    async def list(self) -> DynamicAddressList:
        """Return all names, in order."""
        await self.until_ready()
        names = self._desk.names
        now_s = self._steady()
        return DynamicAddressList(addresses=tuple(names[key].shown(now_s) for key in sorted(names)))

    async def add(self, body: DynamicAddressBody, caller: str, *, admin: bool) -> DynamicAddress:
        """Have a name follow from now on, or in another way than before.

        Returns as soon as it is known how that went, at the latest after ten seconds. `admin`: an
        admin asked; others may only change so much of a zone within a day.

        Raises:
            Invalid: something of it is wrong, or its provider does not offer it.
            NotFound: nobody manages the name, or there is no such provider.
            Conflict: there are too many.
        """
        await self.until_ready()
        await self._dns.until_ready()
        name = uniform_name(body.name, field="name", wildcard=True, underscore=False)
        _check_source(body)
        home = self._dns.home_of(name, body.provider)
        _check_offered(body, home)
        to_count = () if admin else _types(body)
        one = await self._desk.put(name, partial(_kept, body, home, to_count))
        _log.info("dynamic_address_added", name=name, caller=caller)
        return await self._worked_at(one, FIRST_ANSWER_S)

    async def remove(self, name: str) -> None:
        """Have a name follow no more; its records stay as they are.

        Raises:
            NotFound: it does not follow an address.
        """
        await self.until_ready()
        await self._desk.remove(self._get(name).key)

    async def update(self, name: str) -> DynamicAddress:
        """Look at a name now and write it where it has to be; the provider's pauses still count.

        Raises:
            NotFound: it does not follow an address.
        """
        await self.until_ready()
        one = self._get(name)
        return await self._worked_at(one, UPDATE_S)

    async def pause(self, name: str) -> bool:
        """Leave a name alone until it is resumed; return whether that is new.

        Raises:
            NotFound: it does not follow an address.
        """
        return await self._set_paused(name, paused=True)

    async def resume(self, name: str) -> bool:
        """Let a name follow again; return whether that is new.

        Raises:
            NotFound: it does not follow an address.
        """
        return await self._set_paused(name, paused=False)

    async def _set_paused(self, name: str, *, paused: bool) -> bool:
        await self.until_ready()
        one = self._get(name)
        if one.kept.paused is paused:
            return False
        await self._desk.pause(one.key, paused=paused)
        return True

    async def _worked_at(self, one: Followed, most_s: float) -> DynamicAddress:
        task = self._desk.now(one)
        if task is not None:
            await asyncio.wait((task,), timeout=most_s)
        return one.shown(self._steady())

    def _get(self, name: str) -> Followed:
        one = self._desk.names.get(uniform_name(name, field="name", wildcard=True))
        if one is None:
            raise NotFound(
                f"{name} does not follow an address.",
                field="name",
                hint="GET /api/v1/dynamic-addresses lists the names that do.",
            )
        return one

    async def until_ready(self) -> None:
        """Return when it is known which names there are; `Unavailable`: that takes long."""
        await until_taken_up(self._watch.ready, "dynamic addresses")


def _check_source(body: DynamicAddressBody) -> None:
    if not (body.ipv4 or body.ipv6):
        raise Invalid(
            "A name that follows neither IPv4 nor IPv6 follows nothing",
            field="ipv4",
            hint="Turn on at least one of both",
        )
    if body.source is AddressSource.INTERFACE and body.interface is None:
        raise Invalid(
            "Which interface's address is to be followed?",
            field="interface",
            hint="Name it, as in eth0",
        )
    if body.source is AddressSource.PUBLIC and body.interface is not None:
        raise Invalid(
            "The public address is not that of an interface",
            field="interface",
            hint="Leave it out, or say source: interface",
        )


def _types(body: DynamicAddressBody) -> tuple[RecordType, ...]:
    wanted = ((RecordType.A, body.ipv4), (RecordType.AAAA, body.ipv6))
    return tuple(record_type for record_type, is_wanted in wanted if is_wanted)


def _check_offered(body: DynamicAddressBody, home: ZoneHome) -> None:
    capabilities = home.capabilities
    families = (("ipv4", body.ipv4, RecordType.A), ("ipv6", body.ipv6, RecordType.AAAA))
    for field, wanted, record_type in families:
        if wanted and record_type not in capabilities.types:
            raise Invalid(
                f"The provider of {home.zone} does not offer {record_type} records",
                field=field,
                hint=capabilities.limits,
            )
    smallest = capabilities.smallest_ttl_s
    if body.ttl_s is not None and smallest is not None and body.ttl_s < smallest:
        raise Invalid(
            f"The smallest TTL at this provider is {smallest} s",
            field="ttl_s",
            hint=f"Give {smallest} or more, or none at all",
        )


def _kept(
    body: DynamicAddressBody,
    home: ZoneHome,
    to_count: tuple[RecordType, ...],
    known: KeptAddress | None,
) -> KeptAddress:
    """Return what is kept: what is known of the name already stays known."""
    before = known or KeptAddress(ipv4=body.ipv4, ipv6=body.ipv6)
    return before.model_copy(
        update={
            "provider": body.provider,
            "source": body.source,
            "interface": body.interface,
            "ipv4": body.ipv4,
            "ipv6": body.ipv6,
            # Where the provider decides it, nobody's wish is shown as if it counted.
            "ttl_s": body.ttl_s if home.capabilities.sets_ttl else None,
            "paused": False,
            "wanted": Pair(),
            "written": Pair(
                ipv4=before.written.ipv4 if body.ipv4 else None,
                ipv6=before.written.ipv6 if body.ipv6 else None,
            ),
            "rewritten_at": None,
            "state": DynamicState.UNKNOWN,
            "reason": None,
            "next_try_at": None,
            "failures": 0,
            "refused_by": None,
            "to_count": to_count,
        }
    )
