"""The binary sensors of domains, dynamic addresses, kept certificates and the proxy."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass

from .binary_sensor_description import ResourceBinarySensorDescription
from .client import (
    DomainStatus,
    DynamicAddress,
    DynamicState,
    ManagedCertificate,
    ManagedState,
    ProxyReach,
    ProxyStatus,
)
from .client.kinds import DOMAIN, DYNAMIC_ADDRESS, MANAGED_CERTIFICATE, PROXY

_PROBLEM: Final = BinarySensorDeviceClass.PROBLEM

_OF_DOMAINS: Final[Mapping[DomainStatus, bool]] = {
    DomainStatus.HEALTHY: False,
    DomainStatus.DEGRADED: True,
    DomainStatus.UNHEALTHY: True,
}
_OF_ADDRESSES: Final[Mapping[DynamicState, bool]] = {
    DynamicState.CURRENT: False,
    DynamicState.WAITING: False,
    DynamicState.FAILED: True,
    DynamicState.REFUSED: True,
}
_OF_CERTIFICATES: Final[Mapping[ManagedState, bool]] = {
    ManagedState.VALID: False,
    ManagedState.RENEWING: False,
    ManagedState.FAILING: True,
    ManagedState.EXPIRED: True,
    ManagedState.REVOKED: True,
}
"""Of what is not in these tables it is not known."""


def _fails(certificate: ManagedCertificate) -> bool | None:
    return certificate.failure is not None or _OF_CERTIFICATES.get(certificate.state)


def _why(certificate: ManagedCertificate) -> str | None:
    failure = certificate.failure
    return certificate.reason if failure is None else failure.message


def _failure(certificate: ManagedCertificate) -> dict[str, Any]:
    """Return at which step it failed, and what to do."""
    failure = certificate.failure
    return {
        "step": failure and failure.step.value,
        "authority_says": failure and failure.authority_says,
        "what_to_do": failure and failure.what_to_do,
        "next_try_at": failure and failure.next_try_at,
    }


def _next_try(address: DynamicAddress) -> dict[str, Any]:
    return {"next_try_at": address.next_try_at}


def _has_trouble(proxy: ProxyStatus) -> bool | None:
    if proxy.reach is ProxyReach.UNKNOWN:
        return None
    return proxy.reach is not ProxyReach.OK or proxy.warning is not None


DOMAIN_PROBLEM: Final = ResourceBinarySensorDescription(
    key="problem",
    translation_key="domain_problem",
    kind=DOMAIN,
    device_class=_PROBLEM,
    value_fn=lambda domain: _OF_DOMAINS.get(domain.status),
    reason_fn=lambda domain: domain.reason,
)
DYNAMIC_PROBLEM: Final = ResourceBinarySensorDescription(
    key="problem",
    translation_key="dynamic_problem",
    kind=DYNAMIC_ADDRESS,
    device_class=_PROBLEM,
    value_fn=lambda address: _OF_ADDRESSES.get(address.state),
    reason_fn=lambda address: address.reason,
    more_fn=_next_try,
)
MANAGED_PROBLEM: Final = ResourceBinarySensorDescription(
    key="problem",
    translation_key="managed_problem",
    kind=MANAGED_CERTIFICATE,
    device_class=_PROBLEM,
    value_fn=_fails,
    reason_fn=_why,
    more_fn=_failure,
)
PROXY_PROBLEM: Final = ResourceBinarySensorDescription(
    key="problem",
    translation_key="proxy_problem",
    kind=PROXY,
    device_class=_PROBLEM,
    value_fn=_has_trouble,
    reason_fn=lambda proxy: proxy.reason or proxy.warning,
)

DOMAIN_BINARY_SENSORS: Final[tuple[ResourceBinarySensorDescription[Any], ...]] = (
    DOMAIN_PROBLEM,
    PROXY_PROBLEM,
    DYNAMIC_PROBLEM,
    MANAGED_PROBLEM,
)
