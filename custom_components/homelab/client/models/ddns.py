"""Dynamic DNS, as the API and the stream show it."""

from dataclasses import dataclass, field
from datetime import datetime

from .base import EACH_BY_ITSELF, OpenEnum


class AddressSource(OpenEnum):
    """Where the address comes from: as the internet sees this network, or from an interface."""

    PUBLIC = "public"
    INTERFACE = "interface"
    UNKNOWN = "unknown"


class DynamicState(OpenEnum):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicAddress:
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


class DynamicAddressEventType(OpenEnum):
    """What happened to a dynamic address."""

    CHANGED = "changed"
    FAILED = "failed"
    RECOVERED = "recovered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicAddressEvent:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicAddressList:
    """All names that follow an address."""

    addresses: tuple[DynamicAddress, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicAddressBody:
    """A name that is to follow an address from now on, or how it is to do so."""

    name: str
    provider: str | None = None
    source: AddressSource = AddressSource.PUBLIC
    interface: str | None = None
    ipv4: bool = True
    ipv6: bool = False
    ttl_s: int | None = None
