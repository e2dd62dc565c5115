"""What the suite needs of every provider: a place where its server runs, and can be troubled.

A provider is put to the suite by a `Subject` in `real_servers.py` or `small_servers.py`.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from homelab_agent.areas.dns.models import ProviderSettings, RecordSet, RecordType
from homelab_agent.areas.dns.providers.all_providers import make_provider
from homelab_agent.areas.dns.providers.interface import Provider
from homelab_agent.areas.dns.providers.reach import Reach
from tests.contract.dns_providers.cases import Case


class Trouble(Enum):
    """What happens to the next request that changes something."""

    BUSY = "it is refused, as there were too many"
    CUT_BEFORE = "the connection ends, and nothing was done"
    CUT_AFTER = "it is done, and then the connection ends without an answer"
    HALF = "a half of it is done, and then it fails"
    LIES = "nothing is done, and success is answered"


class Place(Protocol):
    """A server that runs. `name_servers`: who serves its zone, for providers that do not list."""

    settings: ProviderSettings
    wrong_key: ProviderSettings
    secrets: tuple[str, ...]
    name_servers: tuple[str, ...]

    def changes_asked(self) -> int:
        """Return how many requests to change something came."""
        ...

    async def held(self) -> tuple[RecordSet, ...]:
        """Return what the server really holds of the types that can be managed."""
        ...

    async def put(self, record: RecordSet) -> None:
        """Have a record set, as somebody else makes it."""
        ...

    def trouble(self, trouble: Trouble) -> None:
        """Have this happen."""
        ...

    async def go_away(self) -> None:
        """Be reached by nobody any more."""
        ...


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A provider to be tried. `server`: what it is tried against, as "Knot 3.5".

    `not_offered`: cases that it cannot have, and why. `fixed_name`: all records are at this name;
    None: at any name in the zone. `whole_plans`: a plan is made as a whole or not at all.
    `odd_texts` False: a TXT with quotes and backslashes is refused. `ttl_alone` False: so is a new
    TTL of values that were there already.
    """

    name: str
    real: bool
    server: str
    zone: str
    running: Callable[[], AbstractAsyncContextManager[Place]]
    make: Callable[[ProviderSettings, Reach], Provider] = make_provider
    not_offered: Mapping[Case, str] = field(default_factory=dict)
    fixed_name: str | None = None
    whole_plans: bool = False
    odd_texts: bool = True
    ttl_alone: bool = True

    def at(self, label: str) -> str:
        """Return a name to be used."""
        return self.fixed_name or f"{label}.{self.zone}"

    def values(self, kind: RecordType) -> tuple[str, str]:
        """Return two values of a type."""
        return {
            RecordType.A: ("192.0.2.1", "192.0.2.2"),
            RecordType.AAAA: ("2001:db8::1", "2001:db8::2"),
            RecordType.CNAME: (f"one.{self.zone}", f"two.{self.zone}"),
            RecordType.TXT: ("hello world", "v=spf1 -all"),
            RecordType.MX: (f"10 mail.{self.zone}", f"20 post.{self.zone}"),
            RecordType.SRV: (f"10 5 5060 sip.{self.zone}", f"0 0 443 web.{self.zone}"),
            RecordType.CAA: ('0 issue "ca.example.net"', '128 iodef "mailto:me@example.net"'),
            RecordType.NS: ("ns1.example.net", "ns2.example.net"),
        }[kind]
