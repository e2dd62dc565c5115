"""All certificates of the agent: kept in the store, shown as resources."""

import asyncio
from collections.abc import Callable

from homelab_agent.areas.renewal.kept import KeptCertificate
from homelab_agent.areas.renewal.models import (
    MANAGED_CERTIFICATE_EVENT_KIND,
    MANAGED_CERTIFICATE_KIND,
    AcmeStep,
    ManagedCertificate,
    ManagedCertificateEvent,
    ManagedCertificateEventType,
)
from homelab_agent.areas.renewal.shown import days_left, shown
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import NotFound
from homelab_agent.platform.newest_events import NewestEvents
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import managed_certificate


class CertificateBook:
    """Knows every certificate. What is put here is in the store before it is shown."""

    def __init__(self, store: Store, resources: Resources, clock: Clock) -> None:
        self._records = Records(store, managed_certificate, KeptCertificate)
        self._resources = resources
        self._clock = clock
        self._events = NewestEvents(resources, MANAGED_CERTIFICATE_EVENT_KIND, clock)
        self._known: dict[str, KeptCertificate] = {}
        self._loaded = False
        self._loading = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._worked_on: set[str] = set()

    async def ready(self) -> None:
        """Read the store, the first time, and tell what a crash kept from being told."""
        async with self._loading:
            if not self._loaded:
                self._known = await self._records.all()
                self._loaded = True
                for record in self._known.values():
                    self._publish(record)
                    self._tell(record)

    def all(self) -> tuple[KeptCertificate, ...]:
        """Return all of them, by key."""
        return tuple(self._known[key] for key in sorted(self._known))

    def find(self, key: str) -> KeptCertificate | None:
        """Return one."""
        return self._known.get(key)

    def get(self, key: str) -> KeptCertificate:
        """Return one; `NotFound` names it."""
        found = self._known.get(key)
        if found is None:
            raise NotFound(
                f"The agent keeps no certificate {key[:200]!r}.",
                hint="GET /api/v1/managed-certificates lists them all.",
            )
        return found

    def shown(self, record: KeptCertificate) -> ManagedCertificate:
        """Return a certificate as everybody sees it."""
        return shown(record, self._clock(), is_worked_on=record.key in self._worked_on)

    async def put(self, record: KeptCertificate) -> None:
        """Keep a certificate in place of what was known of it."""
        async with self._writing:
            await self._keep(record)

    async def change(
        self, key: str, change: Callable[[KeptCertificate], KeptCertificate]
    ) -> KeptCertificate:
        """Keep what `change` makes of a certificate as it is then, and return it."""
        async with self._writing:
            record = change(self.get(key))
            await self._keep(record)
        return record

    async def forget(self, key: str) -> None:
        """Know nothing of a certificate any more."""
        async with self._writing:
            await self._records.put({}, gone=(key,))
            self._known.pop(key, None)
            self._resources.remove(MANAGED_CERTIFICATE_KIND, key)
            self._events.let_go(key)

    def refresh(self) -> None:
        """Show what changed by time alone."""
        for record in self._known.values():
            self._publish(record)
        self._events.remove_due(self._clock())

    def begin(self, key: str) -> None:
        """Show that somebody is at it."""
        self._worked_on.add(key)
        self._publish_known(key)

    def end(self, key: str) -> None:
        """Show that nobody is at it any more."""
        self._worked_on.discard(key)
        self._publish_known(key)

    def with_event(
        self,
        record: KeptCertificate,
        what: ManagedCertificateEventType,
        *,
        step: AcmeStep | None = None,
        reason: str | None = None,
        what_to_do: str | None = None,
    ) -> KeptCertificate:
        """Return a certificate with what happened to it; everybody is told when that is kept."""
        now = self._clock()
        expires_at = record.issued.expires_at if record.issued else None
        event = ManagedCertificateEvent(
            key=record.key,
            type=what,
            number=self._events.next_number(now),
            at=now,
            expires_at=expires_at,
            days_left=days_left(expires_at, now),
            step=step,
            reason=reason,
            what_to_do=what_to_do,
        )
        return record.model_copy(update={"event": event})

    async def _keep(self, record: KeptCertificate) -> None:
        await self._records.put({record.key: (self._clock(), record)})
        self._known[record.key] = record
        self._publish(record)
        self._tell(record)

    def _tell(self, record: KeptCertificate) -> None:
        """Tell what happened to a certificate last; the same event is told only once."""
        if record.event is not None:
            self._events.show(record.key, record.event.number, record.event)

    def _publish_known(self, key: str) -> None:
        record = self._known.get(key)
        if record is not None:
            self._publish(record)

    def _publish(self, record: KeptCertificate) -> None:
        self._resources.publish(MANAGED_CERTIFICATE_KIND, record.key, self.shown(record))
