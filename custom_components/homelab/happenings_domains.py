"""What happens to domains, to names that follow an address, and to kept certificates."""

from datetime import datetime
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .client.kinds import (
    DOMAIN,
    DOMAIN_EVENT,
    DYNAMIC_ADDRESS,
    DYNAMIC_ADDRESS_EVENT,
    MANAGED_CERTIFICATE,
    MANAGED_CERTIFICATE_EVENT,
)
from .client.models import (
    DomainEvent,
    DomainEventType,
    DomainStatus,
    DynamicAddressEvent,
    DynamicAddressEventType,
    ManagedCertificateEvent,
    ManagedCertificateEventType,
)
from .coordinator import HomelabCoordinator
from .happening import EventWatch, Happening, HappeningType
from .subjects import Subject, name_of

_TYPES: Final = {
    DomainEventType.UNHEALTHY: HappeningType.DOMAIN_UNHEALTHY,
    DomainEventType.RECOVERED: HappeningType.DOMAIN_RECOVERED,
    DomainEventType.PROVISIONED: HappeningType.DOMAIN_PROVISIONED,
}


class DomainWatch(EventWatch[DomainEvent]):
    """Watches domains."""

    event_kind = DOMAIN_EVENT

    def __init__(self, hass: HomeAssistant, coordinator: HomelabCoordinator) -> None:
        super().__init__(hass, coordinator)
        self._bad_since: dict[str, datetime] = {}

    @override
    @callback
    def begin(self) -> list[CALLBACK_TYPE]:
        """Listen to the events; the newest of before say since when a domain is unhealthy."""
        for event in self._coordinator.mirror.every(self.event_kind):
            self._duration_until(event)
        return super().begin()

    @override
    @callback
    def happened(self, event: DomainEvent) -> None:
        """Tell that a domain is unhealthy, or well again, or was provisioned."""
        if event.type not in _TYPES:
            return
        domain = self._coordinator.mirror.get(DOMAIN, event.key)
        duration = self._duration_until(event)
        bad = event.type is DomainEventType.UNHEALTHY

        def still_so(now: HomelabCoordinator) -> bool:
            known = now.mirror.get(DOMAIN, event.key)
            if known is None:
                return False
            # That it could not be looked at ends nothing: what goes on after it is not told again.
            return known.status is DomainStatus.UNKNOWN or (
                (known.status is DomainStatus.UNHEALTHY) is bad
            )

        self._tell(
            Happening(
                type=_TYPES[event.type],
                coordinator=self._coordinator,
                subject=Subject(DOMAIN.name, event.key),
                device=Subject(DOMAIN.name, event.key),
                name=event.name,
                at=event.at,
                details={
                    "status": event.status.value,
                    "reason": event.reason,
                    "addresses": list(domain.addresses) if domain else [],
                    "container": domain and domain.container,
                    "certificate_days_left": domain and domain.certificate_days_left,
                    "duration": duration,
                },
                lasts=still_so,
            )
        )

    def _duration_until(self, event: DomainEvent) -> float | None:
        """Note since when a domain is unhealthy; return for how many seconds it was."""
        if event.type is DomainEventType.UNHEALTHY:
            self._bad_since[event.key] = event.at
        elif event.type is DomainEventType.RECOVERED:
            since = self._bad_since.pop(event.key, None)
            return None if since is None else (event.at - since).total_seconds()
        return None


class AddressWatch(EventWatch[DynamicAddressEvent]):
    """Watches names that follow an address."""

    event_kind = DYNAMIC_ADDRESS_EVENT

    @override
    @callback
    def happened(self, event: DynamicAddressEvent) -> None:
        """Tell that a name leads to another address now."""
        if event.type is not DynamicAddressEventType.CHANGED:
            return
        known = self._coordinator.mirror.get(DYNAMIC_ADDRESS, event.key)
        self._tell(
            Happening(
                type=HappeningType.ADDRESS_CHANGED,
                coordinator=self._coordinator,
                subject=Subject(DYNAMIC_ADDRESS.name, event.key),
                device=self._coordinator.home_of(known) if known else None,
                name=event.key,
                at=event.at,
                details={
                    "old_ipv4": event.old_ipv4,
                    "new_ipv4": event.new_ipv4,
                    "old_ipv6": event.old_ipv6,
                    "new_ipv6": event.new_ipv6,
                },
            )
        )


class RenewalWatch(EventWatch[ManagedCertificateEvent]):
    """Watches certificates that the agent keeps valid."""

    event_kind = MANAGED_CERTIFICATE_EVENT

    @override
    @callback
    def happened(self, event: ManagedCertificateEvent) -> None:
        """Tell that a certificate could not be issued or renewed."""
        if event.type is not ManagedCertificateEventType.FAILED:
            return
        known = self._coordinator.mirror.get(MANAGED_CERTIFICATE, event.key)
        failure = known.failure if known else None
        self._tell(
            Happening(
                type=HappeningType.CERTIFICATE_RENEWAL_FAILED,
                coordinator=self._coordinator,
                subject=Subject(MANAGED_CERTIFICATE.name, event.key),
                device=self._coordinator.home_of(known) if known else None,
                name=name_of(known) if known else event.key,
                at=event.at,
                details={
                    "names": list(known.names) if known else [],
                    "days_left": event.days_left,
                    "expires_at": event.expires_at and event.expires_at.isoformat(),
                    "step": event.step and event.step.value,
                    "reason": event.reason,
                    "what_to_do": event.what_to_do,
                    "authority_says": failure and failure.authority_says,
                },
            )
        )
