"""What of domains is published."""

from homelab_agent.areas.dns.models import RecordSet
from homelab_agent.areas.domains.around import Around
from homelab_agent.areas.domains.history import Line
from homelab_agent.areas.domains.models import (
    DOMAIN_EVENT_KIND,
    DOMAIN_KIND,
    Domain,
    DomainEvent,
    DomainStatus,
)
from homelab_agent.areas.domains.watched import Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.dns_names import shown_name
from homelab_agent.platform.newest_events import NewestEvents
from homelab_agent.platform.resources import Resources


class Board:
    """Publishes domains when something about them changes, and what happens to them."""

    def __init__(self, around: Around, resources: Resources, clock: Clock) -> None:
        self._around = around
        self._resources = resources
        self._events = NewestEvents(resources, DOMAIN_EVENT_KIND, clock)
        self._clock = clock

    def domain(self, watched: Watched) -> Domain:
        """Return a domain as the wire has it."""
        kept, health = watched.kept, watched.health
        settings, home = kept.settings, self._around.home(kept)
        return Domain(
            id=kept.id,
            name=shown_name(kept.id),
            service_type=settings.service_type,
            records=tuple(
                RecordSet(name=kept.id, type=each.type, values=each.values, ttl_s=each.ttl_s)
                for each in settings.records
            ),
            container=settings.container,
            note=settings.note,
            provider=home.provider if home else settings.provider,
            zone=home.zone if home else None,
            dynamic=self._around.dynamic(kept.id) is not None,
            provisioned=kept.provisioned,
            status=watched.status,
            reason=watched.reason,
            addresses=health.addresses if health else (),
            certificate_expires_at=health.certificate_expires_at if health else None,
            certificate_days_left=health.certificate_days_left if health else None,
            proxy_state=self._around.proxy_state(kept),
            job_id=watched.job_id,
            checked_at=health.checked_at if health else None,
            changed_at=kept.changed_at,
            created_at=kept.created_at,
        )

    def show(self, watched: Watched) -> None:
        """Publish a domain, unless only the time of the last look is another."""
        shown = self.domain(watched)
        known = self._resources.get(DOMAIN_KIND, shown.id)
        if isinstance(known, Domain) and known.model_copy(
            update={"checked_at": shown.checked_at}
        ) == (shown):
            return
        self._resources.publish(DOMAIN_KIND, shown.id, shown)

    def take_away(self, domain_id: str) -> None:
        """Publish nothing of a domain any more; its last event stays a while."""
        self._resources.remove(DOMAIN_KIND, domain_id)
        self._events.let_go(domain_id)

    def tell(self, line: Line, watched: Watched | None) -> None:
        """Publish what happened to a domain."""

        def make(number: int) -> DomainEvent:
            return DomainEvent(
                key=line.domain,
                name=shown_name(line.domain),
                type=line.type,
                number=number,
                at=line.at,
                status=watched.status if watched else DomainStatus.UNKNOWN,
                reason=line.message,
            )

        self._events.tell(line.domain, line.at, make)
        if watched is None:
            self._events.let_go(line.domain)

    def remove_due_events(self) -> None:
        """Remove the events whose time has come."""
        self._events.remove_due(self._clock())
