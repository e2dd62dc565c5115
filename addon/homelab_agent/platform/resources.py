"""Resources: what the agent knows, as frozen models under (kind, key), and every change of them.

A publish that changes nothing is dropped. Each change gets the next sequence number. All
changes made between two turns of the event loop reach a subscriber as one batch.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex

from homelab_agent.platform.model import Model

HISTORY_CHANGES = 4096
QUEUE_CHANGES = 4096


@dataclass(frozen=True, slots=True)
class Change:
    """One resource set (`data`) or removed (`data` is None)."""

    seq: int
    kind: str
    key: str
    data: Model | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every resource as of sequence number `seq`."""

    seq: int
    resources: tuple[Change, ...]


class Overflow(Exception):
    """The subscriber was too slow; it must attach again and take a snapshot."""


class Subscription:
    """The changes after the point of attaching, in batches."""

    def __init__(
        self,
        start: Snapshot | tuple[Change, ...],
        limit: int,
        kinds: frozenset[str] | None = None,
    ) -> None:
        self.start = start
        self._limit = limit
        self._kinds = kinds
        self._pending: deque[Change] = deque()
        self._wake = asyncio.Event()
        self._overflowed = False
        self._closed = False

    async def batches(self) -> AsyncIterator[tuple[Change, ...]]:
        """Yield all changes of one tick at a time; raise `Overflow` for a slow reader."""
        while True:
            await self._wake.wait()
            # One turn of the loop lets everything that is being published join this batch.
            await asyncio.sleep(0)
            self._wake.clear()
            if self._overflowed:
                raise Overflow
            batch = tuple(self._pending)
            self._pending.clear()
            if batch:
                yield batch
            if self._closed:
                return

    def close(self) -> None:
        """End `batches` after what is pending."""
        self._closed = True
        self._wake.set()

    def wants(self, kind: str) -> bool:
        """Return whether changes of this kind are asked for."""
        return self._kinds is None or kind in self._kinds

    def offer(self, change: Change) -> None:
        """Add a change that is wanted; one too many, and this subscriber is cut off."""
        if not self.wants(change.kind):
            return
        if len(self._pending) >= self._limit:
            self._overflowed = True
        else:
            self._pending.append(change)
        self._wake.set()


class Resources:
    """The single place where the agent's current state is kept."""

    def __init__(
        self, *, history_changes: int = HISTORY_CHANGES, queue_changes: int = QUEUE_CHANGES
    ) -> None:
        self.epoch = token_hex(8)
        """Changes when the agent restarts: sequence numbers compare only within one epoch."""
        self._seq = 0
        self._current: dict[tuple[str, str], Change] = {}
        self._history: deque[Change] = deque(maxlen=history_changes)
        self._subscriptions: set[Subscription] = set()
        self._attached = asyncio.Event()
        self._queue_changes = queue_changes

    @property
    def seq(self) -> int:
        """The sequence number of the newest change."""
        return self._seq

    def publish(self, kind: str, key: str, data: Model) -> bool:
        """Set a resource; return whether that changed anything."""
        known = self._current.get((kind, key))
        if known is not None and known.data == data:
            return False
        self._current[kind, key] = self._record(kind, key, data)
        return True

    def remove(self, kind: str, key: str) -> bool:
        """Remove a resource; return whether it was there."""
        if self._current.pop((kind, key), None) is None:
            return False
        self._record(kind, key, None)
        return True

    def get(self, kind: str, key: str) -> Model | None:
        """Return one resource, or None."""
        known = self._current.get((kind, key))
        return known.data if known else None

    def keys(self, kind: str) -> tuple[str, ...]:
        """Return the keys of all resources of a kind."""
        return tuple(key for known, key in self._current if known == kind)

    def every[Kind: Model](self, kind: str, model: type[Kind]) -> tuple[Kind, ...]:
        """Return all resources of a kind, by key; `model` is what they are."""
        found = (self.get(kind, key) for key in sorted(self.keys(kind)))
        return tuple(each for each in found if isinstance(each, model))

    @contextmanager
    def subscribe(
        self, *, kinds: Collection[str] | None = None, resume: tuple[str, int] | None = None
    ) -> Iterator[Subscription]:
        """Attach; `subscription.start` is the snapshot, or the changes missed since `resume`.

        `kinds` None means all. `resume` is (epoch, seq). A snapshot is given where those changes
        are no longer known.
        """
        wanted = None if kinds is None else frozenset(kinds)
        missed = self._since(*resume, wanted) if resume else None
        start = self._snapshot(wanted) if missed is None else missed
        subscription = Subscription(start, self._queue_changes, wanted)
        self._subscriptions.add(subscription)
        self._attached.set()
        self._attached.clear()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def has_listener(self, *kinds: str) -> bool:
        """Return whether anybody is attached who wants one of these kinds."""
        return any(each.wants(kind) for each in self._subscriptions for kind in kinds)

    async def listener(self, *kinds: str) -> None:
        """Return as soon as somebody is attached who wants one of these kinds."""
        while not self.has_listener(*kinds):
            await self._attached.wait()

    def _record(self, kind: str, key: str, data: Model | None) -> Change:
        self._seq += 1
        change = Change(self._seq, kind, key, data)
        self._history.append(change)
        for subscription in self._subscriptions:
            subscription.offer(change)
        return change

    def _snapshot(self, kinds: frozenset[str] | None) -> Snapshot:
        wanted = (each for each in self._current.values() if kinds is None or each.kind in kinds)
        return Snapshot(self._seq, tuple(wanted))

    def _since(
        self, epoch: str, seq: int, kinds: frozenset[str] | None
    ) -> tuple[Change, ...] | None:
        if epoch != self.epoch or seq > self._seq:
            return None
        oldest_known = self._history[0].seq if self._history else self._seq + 1
        if seq + 1 < oldest_known:
            return None
        return tuple(
            change
            for change in self._history
            if change.seq > seq and (kinds is None or change.kind in kinds)
        )
