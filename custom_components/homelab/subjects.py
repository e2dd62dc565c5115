"""What devices and entities are about: the things and the parts of one host."""

from dataclasses import dataclass
from typing import Any, Final, Self

from .client import (
    BlockDevice,
    Certificate,
    Container,
    DiskHealth,
    Filesystem,
    HostSensor,
    Kind,
    Monitor,
    NetworkInterface,
    Stack,
    SwarmService,
)
from .client.kinds import (
    BLOCK_DEVICE,
    CERTIFICATE,
    CONTAINER,
    DISK_HEALTH,
    FILESYSTEM,
    HOST_SENSOR,
    MONITOR,
    NETWORK_INTERFACE,
    STACK,
    SWARM_SERVICE,
)

type Service = Monitor | Certificate
"""What has a device of its own, or shares that of the container it belongs to."""

type Thing = Container | Stack | SwarmService | Service
"""What has a device."""

type Part = Filesystem | NetworkInterface | HostSensor | BlockDevice | DiskHealth
"""What comes and goes on the device of the host."""

THINGS: Final[tuple[Kind[Any], ...]] = (STACK, CONTAINER, SWARM_SERVICE, MONITOR, CERTIFICATE)
"""Parents come first: a container of a stack hangs below it, a monitor joins its container."""

PARTS: Final[tuple[Kind[Any], ...]] = (
    FILESYSTEM,
    NETWORK_INTERFACE,
    HOST_SENSOR,
    BLOCK_DEVICE,
    DISK_HEALTH,
)
"""The kinds of the parts of a host."""

_THING_PREFIXES: Final = {
    STACK.name: "stack",
    SWARM_SERVICE.name: "swarm_service",
    MONITOR.name: "monitor",
    CERTIFICATE.name: "certificate",
}
_PART_PREFIXES: Final = {
    FILESYSTEM.name: "fs",
    NETWORK_INTERFACE.name: "if",
    HOST_SENSOR.name: "sensor",
    BLOCK_DEVICE.name: "disk",
    DISK_HEALTH.name: "disk_health",
}
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
    match thing:
        case Container():
            return Subject(CONTAINER.name, thing.key)
        case Stack():
            return Subject(STACK.name, thing.key)
        case SwarmService():
            return Subject(SWARM_SERVICE.name, thing.key)
        case Monitor():
            return Subject(MONITOR.name, thing.key)
        case Certificate():
            return Subject(CERTIFICATE.name, thing.key)


def part_of(part: Part) -> Subject:
    """Return what the entities of a part of the host stand for."""
    match part:
        case Filesystem():
            return Subject(FILESYSTEM.name, part.key)
        case NetworkInterface():
            return Subject(NETWORK_INTERFACE.name, part.key)
        case HostSensor():
            return Subject(HOST_SENSOR.name, part.key)
        case BlockDevice():
            return Subject(BLOCK_DEVICE.name, part.key)
        case DiskHealth():
            return Subject(DISK_HEALTH.name, part.key)
