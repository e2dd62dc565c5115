"""What a provider of DNS is to the agent. Each is one file beside this one.

Names and values are those of `areas.dns.models`; `areas.dns.values` reads and writes them as in a
zone file. A provider is made of its settings and what it reaches the world through: see
`all_providers`. It keeps no secret but those settings and puts none into errors.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Protocol

from homelab_agent.areas.dns.models import Capabilities, Change, RecordSet
from homelab_agent.platform.model import Model


class ZoneContents(Model):
    """What a zone holds of the types that can be managed.

    `records`: one set per name and type. `version` changes with every change of the zone.
    """

    records: tuple[RecordSet, ...]
    version: str | None = None


class AddressOutcome(StrEnum):
    """How setting addresses went."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Provider(Protocol):
    """A provider. It never repeats by itself what may have been applied.

    All methods raise:
        ProviderAway, WrongCredentials, ProviderRefused, ProviderBusy: nothing was changed.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, with these settings. Whatever is not in it is never asked for."""
        ...

    @property
    def sets_addresses(self) -> bool:
        """Whether addresses are changed by `set_addresses` (dynamic DNS), and not by `apply`."""
        ...

    async def zones(self) -> tuple[str, ...]:
        """Return the zones that it manages: asked for, or those of the settings.

        It is also how a provider is tested: where there is a cheap call that needs the
        credentials and changes nothing, it makes that.
        """
        ...

    async def read(self, zone: str, names: Collection[str] | None) -> ZoneContents:
        """Return what a zone holds at these names; None: everything. SOA is left out.

        Only called where `capabilities.lists`.

        Raises:
            NotFound: it has no such zone.
        """
        ...

    async def apply(self, zone: str, changes: Sequence[Change]) -> None:
        """Make these changes, all in one where `capabilities.atomic`.

        A change whose `after` has no TTL keeps that of `before`, or takes the provider's own.

        Raises:
            ZoneChanged: it is not as `before` says; only told by providers that can.
            NotOffered: it cannot do that after all.
            ApplyUncertain: it may have been applied, or a part of it.
        """
        ...

    async def set_addresses(self, name: str, ipv4: str | None, ipv6: str | None) -> AddressOutcome:
        """Give a name these addresses; None leaves that family as it is.

        Raises:
            NotOffered: `sets_addresses` is False.
            ApplyUncertain: it may have been set.
        """
        ...

    async def close(self) -> None:
        """End what is open."""
        ...
