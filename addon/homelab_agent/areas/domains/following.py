"""What happens elsewhere and is about domains: jobs that end, addresses and records that change."""

from collections.abc import Iterable, Sequence

from homelab_agent.areas.ddns.models import (
    DYNAMIC_ADDRESS_EVENT_KIND,
    DynamicAddressEvent,
    DynamicAddressEventType,
)
from homelab_agent.areas.dns.models import DnsPlan
from homelab_agent.areas.domains.around import FOLLOWED, Around
from homelab_agent.areas.domains.book import Book
from homelab_agent.areas.domains.models import DomainEventType
from homelab_agent.areas.domains.service import DomainService
from homelab_agent.platform.commands import SYSTEM, Outcome
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.jobs.models import JOB_KIND, Job, JobState
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Change, Overflow, Resources, Snapshot

_KINDS = (*FOLLOWED, JOB_KIND, DYNAMIC_ADDRESS_EVENT_KIND)

_log = get_logger(__name__)


class Following:
    """Follows the other areas, and takes over what is about domains."""

    def __init__(
        self, service: DomainService, book: Book, around: Around, resources: Resources
    ) -> None:
        self._service = service
        self._book = book
        self._around = around
        self._resources = resources

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            with self._resources.subscribe(kinds=_KINDS) as subscription:
                start = subscription.start
                self._around.forget()
                self._show(start.resources if isinstance(start, Snapshot) else start)
                try:
                    async for batch in subscription.batches():
                        await self.take(batch)
                except Overflow:
                    continue

    async def take(self, changes: Sequence[Change]) -> None:
        """Take over what changed elsewhere."""
        self._show(changes)
        await self._note(changes)

    async def applied(self, plan: DnsPlan, job_id: str) -> None:
        """Take over that a plan was applied that was not made for a domain."""
        job = self._resources.get(JOB_KIND, job_id)
        caller = job.caller if isinstance(job, Job) else SYSTEM.name
        try:
            await self._service.note_applied(plan, caller, job_id)
        except AgentError as error:
            # The records are changed: that a line is missing does not undo them.
            _log.warning("change_not_noted", zone=plan.zone, why=error.message)

    def _show(self, changes: Iterable[Change]) -> None:
        around = [each for each in changes if each.kind in FOLLOWED]
        self._book.show(self._around.note(around))
        for change in changes:
            if isinstance(change.data, Job) and change.data.state is JobState.FINISHED:
                self._book.job_ended(change.key)

    async def _note(self, changes: Iterable[Change]) -> None:
        for change in changes:
            event = change.data
            if (
                isinstance(event, DynamicAddressEvent)
                and event.type is DynamicAddressEventType.CHANGED
                and event.key in self._book.watched
            ):
                await self._note_address(event)

    async def _note_address(self, event: DynamicAddressEvent) -> None:
        try:
            await self._service.note(
                event.key,
                DomainEventType.DNS_APPLIED,
                caller=SYSTEM.name,
                outcome=Outcome.DONE,
                message="Its address follows this network's, and that has changed",
                before={"ipv4": event.old_ipv4, "ipv6": event.old_ipv6},
                after={"ipv4": event.new_ipv4, "ipv6": event.new_ipv6},
            )
        except AgentError as error:
            _log.warning("change_not_noted", domain=event.key, why=error.message)
