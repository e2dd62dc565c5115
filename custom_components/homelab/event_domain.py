"""What happens to domains, to names that follow an address, and to kept certificates."""

from collections.abc import Iterator, Mapping, Sequence
from typing import override

from homeassistant.components.event import EventEntityDescription
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import (
    Domain,
    DomainEvent,
    DomainEventType,
    DynamicAddress,
    DynamicAddressEvent,
    DynamicAddressEventType,
    ManagedCertificate,
    ManagedCertificateEvent,
    ManagedCertificateEventType,
)
from .client.kinds import (
    DOMAIN,
    DOMAIN_EVENT,
    DYNAMIC_ADDRESS,
    DYNAMIC_ADDRESS_EVENT,
    MANAGED_CERTIFICATE,
    MANAGED_CERTIFICATE_EVENT,
)
from .coordinator import HomelabCoordinator
from .entity import ServiceEntity
from .event_base import Events
from .sensor_description import options_of

DOMAIN_EVENTS = EventEntityDescription(
    key="event", translation_key="domain", event_types=options_of(DomainEventType)
)
ADDRESS_EVENTS = EventEntityDescription(
    key="event",
    translation_key="dynamic_address",
    event_types=options_of(DynamicAddressEventType),
)
RENEWAL_EVENTS = EventEntityDescription(
    key="event",
    translation_key="managed_certificate",
    event_types=options_of(ManagedCertificateEventType),
)


class DomainEvents(Events[DomainEvent], ServiceEntity[Domain]):
    """A domain was made, provisioned, changed, became unhealthy or well again."""

    event_kind = DOMAIN_EVENT

    def __init__(self, coordinator: HomelabCoordinator, domain: Domain) -> None:
        super().__init__(coordinator, DOMAIN_EVENTS, domain, DOMAIN)
        self.event_key = domain.id

    @override
    def details(self, event: DomainEvent) -> Mapping[str, object]:
        """Return how it is with the domain, and why."""
        return {"status": event.status, "reason": event.reason}


class AddressEvents(Events[DynamicAddressEvent], ServiceEntity[DynamicAddress]):
    """The address of a name changed, or could not be changed."""

    event_kind = DYNAMIC_ADDRESS_EVENT

    def __init__(self, coordinator: HomelabCoordinator, address: DynamicAddress) -> None:
        super().__init__(coordinator, ADDRESS_EVENTS, address, DYNAMIC_ADDRESS)
        self.event_key = address.key

    @override
    def details(self, event: DynamicAddressEvent) -> Mapping[str, object]:
        """Return the old and the new addresses, and why it failed."""
        return {
            "old_ipv4": event.old_ipv4,
            "new_ipv4": event.new_ipv4,
            "old_ipv6": event.old_ipv6,
            "new_ipv6": event.new_ipv6,
            "reason": event.reason,
        }


class RenewalEvents(Events[ManagedCertificateEvent], ServiceEntity[ManagedCertificate]):
    """A kept certificate was issued, renewed or revoked, or that failed."""

    event_kind = MANAGED_CERTIFICATE_EVENT

    def __init__(self, coordinator: HomelabCoordinator, certificate: ManagedCertificate) -> None:
        super().__init__(coordinator, RENEWAL_EVENTS, certificate, MANAGED_CERTIFICATE)
        self.event_key = certificate.key

    @override
    def details(self, event: ManagedCertificateEvent) -> Mapping[str, object]:
        """Return how long it is good for; at which step it failed, why, and what to do."""
        return {
            "days_left": event.days_left,
            "step": event.step,
            "reason": event.reason,
            "what_to_do": event.what_to_do,
        }


def follow_domains(
    coordinator: HomelabCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> Iterator[CALLBACK_TYPE]:
    """Add an entity for each as it comes; yield what ends that."""

    @callback
    def add_domains(domains: Sequence[Domain]) -> None:
        async_add_entities(DomainEvents(coordinator, one) for one in domains)

    @callback
    def add_addresses(addresses: Sequence[DynamicAddress]) -> None:
        async_add_entities(AddressEvents(coordinator, one) for one in addresses)

    @callback
    def add_certificates(certificates: Sequence[ManagedCertificate]) -> None:
        async_add_entities(RenewalEvents(coordinator, one) for one in certificates)

    yield coordinator.async_on_new(DOMAIN, add_domains)
    yield coordinator.async_on_new(DYNAMIC_ADDRESS, add_addresses)
    yield coordinator.async_on_new(MANAGED_CERTIFICATE, add_certificates)
