"""The binary sensors of the machine, its parts and of certificates: what is read from what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.binary_sensor import BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory

from .client import (
    Certificate,
    DiskHealth,
    DiskHealthState,
    Filesystem,
    FilesystemState,
    InterfaceState,
    Kind,
    NetworkInterface,
    Verdict,
)
from .client.kinds import CERTIFICATE, DISK_HEALTH, FILESYSTEM, HOST_INFO, NETWORK_INTERFACE

_PROBLEM: Final = BinarySensorDeviceClass.PROBLEM
_DIAGNOSTIC: Final = EntityCategory.DIAGNOSTIC


@dataclass(frozen=True, kw_only=True)
class ResourceBinarySensorDescription[T](BinarySensorEntityDescription):
    """A binary sensor that shows something of a resource, and `reason_fn` says why.

    `more_fn` says what else helps a person then. `default_fn` says whether it is on for a new one.
    """

    kind: Kind[T]
    value_fn: Callable[[T], bool | None]
    reason_fn: Callable[[T], str | None] | None = None
    more_fn: Callable[[T], Mapping[str, object]] | None = None
    default_fn: Callable[[T], bool] | None = None


def _is_lost(filesystem: Filesystem) -> bool | None:
    if filesystem.state is FilesystemState.UNKNOWN:
        return None
    return filesystem.state is not FilesystemState.OK


def _is_bad(health: DiskHealth) -> bool | None:
    if health.state is DiskHealthState.UNKNOWN:
        return None
    return health.state is not DiskHealthState.OK


def _tells(health: DiskHealth) -> bool:
    return health.state is not DiskHealthState.UNKNOWN


def _carries(interface: NetworkInterface) -> bool | None:
    if interface.state is InterfaceState.UNKNOWN:
        return None
    return interface.state is InterfaceState.UP


def _is_untrusted(certificate: Certificate) -> bool | None:
    if certificate.verdict is Verdict.UNKNOWN:
        return None
    return certificate.verdict is not Verdict.TRUSTED


REBOOT_REQUIRED: Final = ResourceBinarySensorDescription(
    key="reboot_required",
    translation_key="reboot_required",
    kind=HOST_INFO,
    entity_category=_DIAGNOSTIC,
    value_fn=lambda info: info.reboot_required,
    reason_fn=lambda info: info.reboot_reason,
    default_fn=lambda info: info.reboot_required is not None,
)

PART_BINARY_SENSORS: Final[tuple[ResourceBinarySensorDescription[Any], ...]] = (
    ResourceBinarySensorDescription(
        key="problem",
        translation_key="filesystem_problem",
        kind=FILESYSTEM,
        device_class=_PROBLEM,
        entity_category=_DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_is_lost,
        reason_fn=lambda filesystem: filesystem.reason,
    ),
    ResourceBinarySensorDescription(
        key="problem",
        translation_key="disk_problem",
        kind=DISK_HEALTH,
        device_class=_PROBLEM,
        entity_category=_DIAGNOSTIC,
        value_fn=_is_bad,
        reason_fn=lambda health: health.reason,
        default_fn=_tells,
    ),
    ResourceBinarySensorDescription(
        key="link",
        translation_key="link",
        kind=NETWORK_INTERFACE,
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=_DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_carries,
    ),
)

CERTIFICATE_PROBLEM: Final = ResourceBinarySensorDescription(
    key="problem",
    translation_key="certificate_problem",
    kind=CERTIFICATE,
    device_class=_PROBLEM,
    value_fn=_is_untrusted,
    reason_fn=lambda certificate: certificate.reason,
)
