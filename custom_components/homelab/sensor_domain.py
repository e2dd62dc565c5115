"""The sensors of domains, of names that follow an address, of kept certificates, of the proxy."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import EntityCategory, UnitOfTime

from .client import (
    Domain,
    DomainStatus,
    DynamicAddress,
    DynamicState,
    Kind,
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
from .sensor_description import ResourceSensorDescription, count, fact, known, options_of

_LONGEST: Final = 255
"""So long may a state be."""


def _has_certificate(domain: Domain) -> bool:
    return domain.service_type is ServiceType.WEB


def _is_behind_proxy(domain: Domain) -> bool:
    return domain.proxy_state is not ProxyState.NONE


def _follows_ipv4(address: DynamicAddress) -> bool:
    return address.follows_ipv4


def _follows_ipv6(address: DynamicAddress) -> bool:
    return address.follows_ipv6


def _listed(addresses: Collection[str]) -> str | None:
    """Return addresses as a person writes them, as many as there is room for."""
    text = ", ".join(addresses)
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 2].rpartition(", ")[0] + " …"
    return text or None


def _expiry[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], datetime | None],
    *,
    applies_fn: Callable[[Any], bool] | None = None,
) -> ResourceSensorDescription[T]:
    """Return a sensor of when a certificate ends."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=value_fn,
        applies_fn=applies_fn,
    )


def _days[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], int | None],
    *,
    applies_fn: Callable[[Any], bool] | None = None,
) -> ResourceSensorDescription[T]:
    """Return a sensor of how many days are left."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.DAYS,
        entity_registry_enabled_default=False,
        value_fn=value_fn,
        applies_fn=applies_fn,
    )


def _address[T](
    key: str,
    kind: Kind[T],
    value_fn: Callable[[T], str | None],
    *,
    default_fn: Callable[[Any], bool] | None = None,
) -> ResourceSensorDescription[T]:
    """Return a sensor of where a name leads to."""
    return ResourceSensorDescription(
        key=key,
        translation_key=key,
        kind=kind,
        value_fn=value_fn,
        default_fn=default_fn,
    )


DOMAIN_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    fact(
        "domain_status",
        DOMAIN,
        lambda domain: known(domain.status),
        device_class=SensorDeviceClass.ENUM,
        options=options_of(DomainStatus),
    ),
    _expiry(
        "domain_certificate_expires_at",
        DOMAIN,
        lambda domain: domain.certificate_expires_at,
        applies_fn=_has_certificate,
    ),
    _days(
        "domain_certificate_days_left",
        DOMAIN,
        lambda domain: domain.certificate_days_left,
        applies_fn=_has_certificate,
    ),
    _address("domain_address", DOMAIN, lambda domain: _listed(domain.addresses)),
    fact(
        "domain_changed_at",
        DOMAIN,
        lambda domain: domain.changed_at,
        device_class=SensorDeviceClass.TIMESTAMP,
    ),
    ResourceSensorDescription(
        key="domain_proxy",
        translation_key="domain_proxy",
        kind=DOMAIN,
        device_class=SensorDeviceClass.ENUM,
        options=options_of(ProxyState),
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda domain: known(domain.proxy_state),
        default_fn=_is_behind_proxy,
        applies_fn=_has_certificate,
    ),
)

DYNAMIC_ADDRESS_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    _address(
        "dynamic_ipv4", DYNAMIC_ADDRESS, lambda address: address.ipv4, default_fn=_follows_ipv4
    ),
    _address(
        "dynamic_ipv6", DYNAMIC_ADDRESS, lambda address: address.ipv6, default_fn=_follows_ipv6
    ),
    fact(
        "dynamic_state",
        DYNAMIC_ADDRESS,
        lambda address: known(address.state),
        device_class=SensorDeviceClass.ENUM,
        options=options_of(DynamicState),
    ),
    fact(
        "dynamic_changed_at",
        DYNAMIC_ADDRESS,
        lambda address: address.changed_at,
        device_class=SensorDeviceClass.TIMESTAMP,
    ),
)

MANAGED_CERTIFICATE_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    _expiry("managed_expires_at", MANAGED_CERTIFICATE, lambda found: found.expires_at),
    _days("managed_days_left", MANAGED_CERTIFICATE, lambda found: found.days_left),
    fact(
        "managed_state",
        MANAGED_CERTIFICATE,
        lambda found: known(found.state),
        device_class=SensorDeviceClass.ENUM,
        options=options_of(ManagedState),
    ),
    fact(
        "managed_renew_at",
        MANAGED_CERTIFICATE,
        lambda found: found.renew_at,
        device_class=SensorDeviceClass.TIMESTAMP,
    ),
)

PROXY_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    fact(
        "proxy_reach",
        PROXY,
        lambda proxy: known(proxy.reach),
        device_class=SensorDeviceClass.ENUM,
        options=options_of(ProxyReach),
        enabled=True,
    ),
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
    fact(
        "provider_state",
        DNS_PROVIDER,
        lambda provider: known(provider.state),
        device_class=SensorDeviceClass.ENUM,
        options=options_of(ProviderState),
        enabled=True,
    ),
)
"""On the page of the host, one for each provider."""
