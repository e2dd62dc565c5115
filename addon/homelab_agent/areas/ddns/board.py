"""Keeps and publishes names that follow an address, and tells what happens to them."""

from homelab_agent.areas.ddns.followed import Followed
from homelab_agent.areas.ddns.kept import NOTHING, KeptAddress, Pair
from homelab_agent.areas.ddns.models import (
    DYNAMIC_ADDRESS_EVENT_KIND,
    DYNAMIC_ADDRESS_KIND,
    DynamicAddressEvent,
    DynamicAddressEventType,
)
from homelab_agent.platform.clock import Clock, Steady
from homelab_agent.platform.newest_events import NewestEvents
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.records import Records


class Board:
    """What is kept is what is shown; it is kept first."""

    def __init__(
        self,
        records: Records[KeptAddress],
        resources: Resources,
        clock: Clock,
        steady: Steady,
    ) -> None:
        self._records = records
        self._resources = resources
        self._clock = clock
        self._steady = steady
        self._events = NewestEvents(resources, DYNAMIC_ADDRESS_EVENT_KIND, clock)

    async def load(self) -> dict[str, KeptAddress]:
        """Return all names as they were left."""
        return await self._records.all()

    async def keep(self, one: Followed) -> None:
        """Keep how it is with a name, publish it, and tell what happened to it.

        Raises:
            AgentError: it cannot be kept; it is published all the same, and nothing is told.
        """
        self.show(one)
        await self._records.put({one.key: (self._clock(), one.kept)})
        self.tell_again(one)

    async def forget(self, key: str) -> None:
        """Keep and publish nothing of a name any more; its last event stays a while."""
        await self._records.put({}, gone=(key,))
        self.hide(key)
        self._events.let_go(key)

    def hide(self, key: str) -> None:
        """Publish nothing of a name."""
        self._resources.remove(DYNAMIC_ADDRESS_KIND, key)

    def show(self, one: Followed) -> None:
        """Publish how it is with a name."""
        self._resources.publish(DYNAMIC_ADDRESS_KIND, one.key, one.shown(self._steady()))

    def tell_again(self, one: Followed) -> None:
        """Tell what happened to a name last; the same event is told only once."""
        event = one.kept.event
        if event is not None:
            self._events.show(one.key, event.number, event)

    def event(
        self,
        key: str,
        what: DynamicAddressEventType,
        *,
        old: Pair = NOTHING,
        new: Pair = NOTHING,
        reason: str | None = None,
    ) -> DynamicAddressEvent:
        """Return an event to be kept; it is told when that is done."""
        now = self._clock()
        return DynamicAddressEvent(
            key=key,
            type=what,
            number=self._events.next_number(now),
            at=now,
            old_ipv4=old.ipv4,
            new_ipv4=new.ipv4,
            old_ipv6=old.ipv6,
            new_ipv6=new.ipv6,
            reason=reason,
        )

    def remove_due_events(self) -> None:
        """Remove the events of names that are gone."""
        self._events.remove_due(self._clock())
