"""Dynamic DNS, as the API and the stream show it."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from homelab_agent.areas.dns.models import GivenName, Key, TtlS
from homelab_agent.platform.model import Model

DYNAMIC_ADDRESS_KIND = "dynamic_address"
DYNAMIC_ADDRESS_EVENT_KIND = "dynamic_address_event"


class AddressSource(StrEnum):
    """Where the address comes from: as the internet sees this network, or from an interface."""

    PUBLIC = "public"
    INTERFACE = "interface"


class DynamicState(StrEnum):
    """How it is with one name.

    WAITING: it is known what to write, and not yet time for it (`next_try_at`).
    REFUSED: the provider will not take it however often it is asked; a person has to look.
    """

    UNKNOWN = "unknown"
    CURRENT = "current"
    WAITING = "waiting"
    FAILED = "failed"
    REFUSED = "refused"
    PAUSED = "paused"


class DynamicAddress(Model):
    """A name that follows an address. `key` is the name.

    `ipv4` and `ipv6` are what was written last and confirmed; `wanted_*` what they are to be.
    """

    key: str
    provider: str | None = None
    source: AddressSource
    interface: str | None = None
    follows_ipv4: bool
    follows_ipv6: bool
    ttl_s: int | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    wanted_ipv4: str | None = None
    wanted_ipv6: str | None = None
    state: DynamicState
    reason: str | None = None
    changed_at: datetime | None = None
    checked_at: datetime | None = None
    next_try_at: datetime | None = None
    failures: int = 0


class DynamicAddressEventType(StrEnum):
    """What happened to a dynamic address."""

    CHANGED = "changed"
    FAILED = "failed"
    RECOVERED = "recovered"


class DynamicAddressEvent(Model):
    """The newest thing that happened to a dynamic address, told once: see `ContainerEvent`."""

    key: str
    type: DynamicAddressEventType
    number: int
    at: datetime
    old_ipv4: str | None = None
    new_ipv4: str | None = None
    old_ipv6: str | None = None
    new_ipv6: str | None = None
    reason: str | None = None


class DynamicAddressList(Model):
    """All names that follow an address."""

    addresses: tuple[DynamicAddress, ...]


class DynamicAddressBody(Model):
    """A name that is to follow an address from now on, or how it is to do so."""

    name: GivenName
    provider: Key | None = None
    source: AddressSource = AddressSource.PUBLIC
    interface: str | None = Field(default=None, min_length=1, max_length=64)
    ipv4: bool = True
    ipv6: bool = False
    ttl_s: TtlS | None = None
