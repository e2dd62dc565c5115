"""The sensors of domains, of names that follow an address, of kept certificates, of the proxy."""

from collections.abc import Collection
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory

from .client import (
    Domain,
    DomainStatus,
    DynamicAddress,
    DynamicState,
    ManagedState,
    ProviderState,
    ProxyReach,
    ProxyState,
    ServiceType,
)
from .client.kinds import (
    DNS_PROVIDER,
    DOMAIN,
    DYNAMIC_ADDRESS,
    MANAGED_CERTIFICATE,
    PROXY,
)
from .client.models import RecordType
from .sensor_description import (
    ResourceSensorDescription,
    choice,
    count,
    days_left,
    expiry,
    fact,
)

_LEADING: Final = frozenset({RecordType.A, RecordType.AAAA, RecordType.CNAME})
"""The records that lead to an address; the others only say something."""


def _has_certificate(domain: Domain) -> bool:
    return domain.service_type is ServiceType.WEB


def _leads_somewhere(domain: Domain) -> bool:
    wanted = {record.type for record in domain.records}
    return not wanted or bool(wanted & _LEADING)


def _is_behind_proxy(domain: Domain) -> bool:
    return domain.proxy_state is not ProxyState.NONE


def _follows_ipv4(address: DynamicAddress) -> bool:
    return address.follows_ipv4


def _follows_ipv6(address: DynamicAddress) -> bool:
    return address.follows_ipv6


def _listed(addresses: Collection[str]) -> str | None:
    """Return addresses as a person writes them, as many as there is room for."""
    text = ", ".join(addresses)
    if len(text) > MAX_LENGTH_STATE_STATE:
        text = text[: MAX_LENGTH_STATE_STATE - 2].rpartition(", ")[0] + " …"
    return text or None


DOMAIN_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    choice("domain_status", DOMAIN, lambda domain: domain.status, DomainStatus),
    expiry(
        "domain_certificate_expires_at",
        DOMAIN,
        lambda domain: domain.certificate_expires_at,
        applies_fn=_has_certificate,
    ),
    days_left(
        "domain_certificate_days_left",
        DOMAIN,
        lambda domain: domain.certificate_days_left,
        applies_fn=_has_certificate,
    ),
    fact(
        "domain_address",
        DOMAIN,
        lambda domain: _listed(domain.addresses),
        category=None,
        default_fn=_leads_somewhere,
    ),
    fact(
        "domain_changed_at",
        DOMAIN,
        lambda domain: domain.changed_at,
        device_class=SensorDeviceClass.TIMESTAMP,
    ),
    choice(
        "domain_proxy",
        DOMAIN,
        lambda domain: domain.proxy_state,
        ProxyState,
        default_fn=_is_behind_proxy,
        applies_fn=_has_certificate,
    ),
)

DYNAMIC_ADDRESS_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    fact(
        "dynamic_ipv4",
        DYNAMIC_ADDRESS,
        lambda address: address.ipv4,
        category=None,
        default_fn=_follows_ipv4,
    ),
    fact(
        "dynamic_ipv6",
        DYNAMIC_ADDRESS,
        lambda address: address.ipv6,
        category=None,
        default_fn=_follows_ipv6,
    ),
    choice("dynamic_state", DYNAMIC_ADDRESS, lambda address: address.state, DynamicState),
    fact(
        "dynamic_changed_at",
        DYNAMIC_ADDRESS,
        lambda address: address.changed_at,
        device_class=SensorDeviceClass.TIMESTAMP,
    ),
)

MANAGED_CERTIFICATE_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    expiry("managed_expires_at", MANAGED_CERTIFICATE, lambda found: found.expires_at),
    days_left("managed_days_left", MANAGED_CERTIFICATE, lambda found: found.days_left),
    choice("managed_state", MANAGED_CERTIFICATE, lambda found: found.state, ManagedState),
    fact(
        "managed_renew_at",
        MANAGED_CERTIFICATE,
        lambda found: found.renew_at,
        device_class=SensorDeviceClass.TIMESTAMP,
    ),
)

PROXY_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    choice("proxy_reach", PROXY, lambda proxy: proxy.reach, ProxyReach, enabled=True),
    count("proxy_routes", PROXY, lambda proxy: proxy.routes, enabled=True),
    count(
        "proxy_drifted",
        PROXY,
        lambda proxy: proxy.drifted_routes,
        enabled=True,
        category=EntityCategory.DIAGNOSTIC,
    ),
    count(
        "proxy_foreign",
        PROXY,
        lambda proxy: proxy.foreign_routes,
        category=EntityCategory.DIAGNOSTIC,
    ),
    fact("proxy_version", PROXY, lambda proxy: proxy.version),
)

PROVIDER_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    choice(
        "provider_state", DNS_PROVIDER, lambda provider: provider.state, ProviderState, enabled=True
    ),
)
"""On the page of the host, one for each provider."""
