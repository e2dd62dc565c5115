"""Keeps the listening ports as resources, and tells of those that open and close."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from homelab_agent.areas.network.models import (
    LISTENING_PORT_KIND,
    PORT_EVENT_KIND,
    ListeningPort,
    PortEvent,
    PortEventType,
    Reach,
)
from homelab_agent.areas.network.port_store import KnownPorts, PortRecord
from homelab_agent.areas.network.reach import reach_of
from homelab_agent.areas.network.seen_ports import SeenPort
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.host.network import Address
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.newest_events import NewestEvents
from homelab_agent.platform.resources import Resources

MOST_PORTS = 2000
"""So many ports are shown; of more only the number."""

MOST_TOLD = 64
"""Of so many that open in one moment each is told; a range of a thousand is not."""

COMES_BACK_WITHIN_S = 60.0
"""A port that is gone no longer than that was never gone: a restart of whose it is."""

SETTLES_WITHIN_S = 60.0
"""Of a machine that is looked at for the first time everything within this was there before."""

BOOTS_WITHIN_S = 300.0
"""After the agent's start others may still be starting: what was there before may come back."""

_log = get_logger(__name__)


@dataclass(slots=True)
class _Known:
    record: PortRecord
    closed_at: datetime | None = None
    told_after_s: float = 0.0


class PortBook:
    """What is listened on. `now_s` is the monotonic clock's, `Clock` only for what is shown.

    `is_worked_on`: whether containers are being made anew right now, whose ports come back.
    """

    def __init__(
        self,
        resources: Resources,
        store: KnownPorts,
        clock: Clock,
        is_worked_on: Callable[[], bool],
        *,
        view: str,
    ) -> None:
        self._resources = resources
        self._store = store
        self._clock = clock
        self._is_worked_on = is_worked_on
        self._view = view
        self._events = NewestEvents(resources, PORT_EVENT_KIND, clock)
        self._known: dict[str, _Known] = {}
        self._shown: set[str] = set()
        self._unsaved: set[str] = set()
        self._tells_from_s = 0.0
        self.total = 0
        """How many ports are listened on, shown or not."""
        self.exposed = 0
        """How many of them others can get to."""

    async def load(self, now_s: float) -> tuple[str, ...]:
        """Read what was known before the agent's restart; return the keys.

        A machine seen for the first time, or from somewhere else than before, has no news yet.
        """
        known = await self._store.load()
        of_this_view = {key: each for key, each in known.items() if each.view == self._view}
        self._unsaved = set(known) - set(of_this_view)
        if not of_this_view:
            self._tells_from_s = now_s + SETTLES_WITHIN_S
        closed_at = self._clock()
        self._known = {
            key: _Known(record, closed_at, now_s + BOOTS_WITHIN_S)
            for key, record in of_this_view.items()
        }
        return tuple(of_this_view)

    async def take(
        self, seen: Mapping[str, SeenPort], own: Iterable[Address], now_s: float
    ) -> None:
        """Publish what is listened on now, and tell what is new; `own` are our addresses."""
        own = tuple(own)
        reaches = {key: reach_of(port.address, own) for key, port in seen.items()}
        self.total = len(seen)
        self.exposed = sum(reach is not Reach.MACHINE for reach in reaches.values())
        shown = self._chosen(seen)
        opened = [key for key in shown if self._open(key, seen[key], reaches[key])]
        closed = self._close_others(shown, now_s)
        try:
            # First of all: what was shown once is known after a power cut, too.
            await self._save()
        finally:
            self._publish({key: seen[key].pid for key in shown})
            self._tell(opened, closed, is_news=now_s >= self._tells_from_s)

    def _chosen(self, seen: Mapping[str, SeenPort]) -> list[str]:
        """Return which ports to show: those that were shown first, then the lowest numbers."""
        if len(seen) <= MOST_PORTS:
            return list(seen)
        order = sorted(seen, key=lambda key: (key not in self._known, seen[key].port, key))
        return order[:MOST_PORTS]

    def _open(self, key: str, port: SeenPort, reach: Reach) -> bool:
        """Take a port that is listened on; return whether it is news."""
        known = self._known.get(key)
        before = known.record if known else None
        is_news = before is None or _changed_hands(before, port)
        # Whose a port was stays known when it cannot be seen for a moment.
        owner = before if before and not (port.process or port.container) else port
        record = PortRecord(
            transport=port.transport,
            address=str(port.address),
            port=port.port,
            reach=reach,
            process=owner.process,
            container=owner.container,
            since=self._clock() if before is None or is_news else before.since,
            view=self._view,
        )
        if record != before:
            self._unsaved.add(key)
        self._known[key] = _Known(record)
        return is_news

    def _close_others(self, shown: Iterable[str], now_s: float) -> dict[str, _Known]:
        """Take that all others are closed; return those that stay away."""
        closed: dict[str, _Known] = {}
        is_worked_on = self._is_worked_on()
        for key in self._known.keys() - set(shown):
            known = self._known[key]
            if known.closed_at is None:
                known.closed_at = self._clock()
                known.told_after_s = now_s + COMES_BACK_WITHIN_S
            comes_back = is_worked_on and known.record.container is not None
            if now_s >= known.told_after_s and not comes_back:
                closed[key] = self._known.pop(key)
                self._unsaved.add(key)
        return closed

    async def _save(self) -> None:
        changed = {key: self._known[key].record for key in self._unsaved if key in self._known}
        await self._store.save(changed, self._unsaved - changed.keys())
        self._unsaved = set()

    def _publish(self, shown: Mapping[str, int | None]) -> None:
        for key in self._shown - shown.keys():
            self._resources.remove(LISTENING_PORT_KIND, key)
        for key, pid in shown.items():
            record = self._known[key].record.model_dump(exclude={"view"})
            self._resources.publish(
                LISTENING_PORT_KIND, key, ListeningPort(key=key, pid=pid, **record)
            )
        self._shown = set(shown)

    def _tell(self, opened: list[str], closed: Mapping[str, _Known], *, is_news: bool) -> None:
        if is_news and len(opened) > MOST_TOLD:
            _log.info("ports_opened_untold", untold=len(opened) - MOST_TOLD)
        for key in opened[:MOST_TOLD] if is_news else ():
            record = self._known[key].record
            self._tell_one(key, PortEventType.OPENED, record, record.since)
        for key, known in closed.items():
            if is_news:
                at = known.closed_at or self._clock()
                self._tell_one(key, PortEventType.CLOSED, known.record, at)
            self._events.let_go(key)
        self._events.remove_due(self._clock())

    def _tell_one(self, key: str, what: PortEventType, record: PortRecord, at: datetime) -> None:
        def make(number: int) -> PortEvent:
            told = record.model_dump(exclude={"view", "since"})
            return PortEvent(key=key, type=what, number=number, at=at, **told)

        self._events.tell(key, at, make)


def _changed_hands(before: PortRecord, now: SeenPort) -> bool:
    """Return whether somebody else listens now. Whose it is may be unknown for a moment."""
    if before.container or now.container:
        return None not in {before.container, now.container} and before.container != now.container
    return None not in {before.process, now.process} and before.process != now.process
