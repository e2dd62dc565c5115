"""What devices and entities are about: the things and the parts of one host."""

from dataclasses import dataclass
from typing import Any, Final, Self

from .client import (
    BlockDevice,
    Certificate,
    Container,
    DiskHealth,
    DnsProvider,
    Domain,
    DynamicAddress,
    Filesystem,
    HostSensor,
    Kind,
    ManagedCertificate,
    Monitor,
    NetworkInterface,
    ProxyMode,
    ProxyStatus,
    Stack,
    SwarmService,
)
from .client.kinds import (
    BLOCK_DEVICE,
    CERTIFICATE,
    CONTAINER,
    DISK_HEALTH,
    DNS_PROVIDER,
    DOMAIN,
    DYNAMIC_ADDRESS,
    FILESYSTEM,
    HOST_SENSOR,
    MANAGED_CERTIFICATE,
    MONITOR,
    NETWORK_INTERFACE,
    PROXY,
    STACK,
    SWARM_SERVICE,
)

type Service = Monitor | Certificate | DynamicAddress | ManagedCertificate
"""What has a device of its own, or shares that of the container or domain it belongs to."""

type Thing = Container | Stack | SwarmService | Domain | ProxyStatus | Service
"""What has a device."""

type Part = Filesystem | NetworkInterface | HostSensor | BlockDevice | DiskHealth | DnsProvider
"""What comes and goes on the device of the host."""

THINGS: Final[tuple[Kind[Any], ...]] = (
    STACK,
    CONTAINER,
    SWARM_SERVICE,
    DOMAIN,
    PROXY,
    MONITOR,
    CERTIFICATE,
    DYNAMIC_ADDRESS,
    MANAGED_CERTIFICATE,
)
"""Parents come first: a container of a stack hangs below it, a monitor joins its container."""

PARTS: Final[tuple[Kind[Any], ...]] = (
    FILESYSTEM,
    NETWORK_INTERFACE,
    HOST_SENSOR,
    BLOCK_DEVICE,
    DISK_HEALTH,
    DNS_PROVIDER,
)
"""The kinds of the parts of a host."""

OF_THE_AGENT: Final = frozenset(
    kind.name for kind in (DOMAIN, PROXY, DYNAMIC_ADDRESS, MANAGED_CERTIFICATE, DNS_PROVIDER)
)
"""What is in the agent's own books: it knows of all of them from the beginning, without Docker."""

_THING_PREFIXES: Final = {
    STACK.name: "stack",
    SWARM_SERVICE.name: "swarm_service",
    MONITOR.name: "monitor",
    CERTIFICATE.name: "certificate",
    DOMAIN.name: "domain",
    PROXY.name: "proxy",
    DYNAMIC_ADDRESS.name: "dynamic_address",
    MANAGED_CERTIFICATE.name: "managed_certificate",
}
_PART_PREFIXES: Final = {
    FILESYSTEM.name: "fs",
    NETWORK_INTERFACE.name: "if",
    HOST_SENSOR.name: "sensor",
    BLOCK_DEVICE.name: "disk",
    DISK_HEALTH.name: "disk_health",
    DNS_PROVIDER.name: "dns_provider",
}
_KINDS: Final = {kind.model: kind.name for kind in (*THINGS, *PARTS)}
_PREFIXES: Final = _THING_PREFIXES | _PART_PREFIXES
_KINDS_OF_THINGS: Final = {prefix: kind for kind, prefix in _THING_PREFIXES.items()}
_KINDS_OF_PARTS: Final = {prefix: kind for kind, prefix in _PART_PREFIXES.items()}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a device or an entity stands for: a resource by kind and key."""

    kind: str
    key: str

    @property
    def id(self) -> str:
        """The name it is known by within its host. A container's has no colon or two of them."""
        prefix = _PREFIXES.get(self.kind)
        return self.key if prefix is None else f"{prefix}:{self.key}"

    @property
    def is_part(self) -> bool:
        """Whether it is a part of the host."""
        return self.kind in _PART_PREFIXES

    @classmethod
    def from_id(cls, text: str) -> Self:
        """Return what the id of a device stands for."""
        prefix, _, key = text.partition(":")
        if prefix in _KINDS_OF_THINGS and ":" not in key:
            return cls(_KINDS_OF_THINGS[prefix], key)
        return cls(CONTAINER.name, text)

    @classmethod
    def part_of_id(cls, text: str) -> Self | None:
        """Return the part of a host that an id stands for; a mount point may have colons."""
        prefix, _, key = text.partition(":")
        kind = _KINDS_OF_PARTS.get(prefix)
        return cls(kind, key) if kind and key else None


def subject_of(thing: Thing) -> Subject:
    """Return what the device of a resource stands for."""
    key = thing.id if isinstance(thing, Domain) else thing.key
    return Subject(_KINDS[type(thing)], key)


def name_of(thing: Thing) -> str:
    """Return what people know something by."""
    match thing:
        case ManagedCertificate():
            return next(iter(thing.names), thing.key)
        case DynamicAddress() | ProxyStatus():
            return thing.key
    return thing.name


def is_there(resource: object) -> bool:
    """Return whether something is there to be shown: a proxy that nobody set up is not."""
    if isinstance(resource, ProxyStatus):
        return resource.mode is not ProxyMode.NONE
    return resource is not None


def part_of(part: Part) -> Subject:
    """Return what the entities of a part of the host stand for."""
    return Subject(_KINDS[type(part)], part.key)
