"""Keeps a listener current with an agent, whatever happens to the connection."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .errors import AgentError, NotAnAgent, OtherAgent, Unauthenticated
from .kinds import KINDS, Resource
from .models import Hello, Resume, SnapshotMessage, Subscribe, WireChange, WireResource
from .parse import Reader, reader, understood
from .session import Message, StreamSession, TooSlow
from .transport import Transport

_LOGGER = logging.getLogger(__name__)

_READERS: dict[str, Reader[Resource]] = {kind.name: reader(kind.model) for kind in KINDS}
_ESSENTIAL = frozenset(kind.name for kind in KINDS if kind.essential)


@dataclass(frozen=True, slots=True)
class Change:
    """One resource set, or removed where `data` is None."""

    kind: str
    key: str
    data: Resource | None


class StreamListener(Protocol):
    """Who wants to stay current. The methods are called in the event loop and must not raise."""

    def on_snapshot(self, resources: Sequence[Change], *, continued: bool) -> None:
        """Everything there is; what is not in it no longer exists.

        `continued`: the agent has run on since the last call, so what differs has just happened.
        """

    def on_changes(self, changes: Sequence[Change]) -> None:
        """What changed since the last call, after a reconnect too."""

    def on_lost(self, error: AgentError) -> None:
        """The connection is gone, or an attempt to get it back failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before each attempt. A session of `settled_s` starts it anew."""

    first_s: float = 0.5
    factor: float = 2.0
    longest_s: float = 30.0
    settled_s: float = 10.0
    longest_asked_s: float = 60.0
    """A pause the agent asks for is kept, but a wrong one must not cost a day."""

    def wait_s(self, failures: int) -> float:
        """Return the wait after that many failures in a row; the first attempt is at once."""
        if failures <= 1:
            return 0.0
        # The exponent is bounded so that a night of failures cannot overflow the power.
        return min(self.longest_s, self.first_s * self.factor ** min(failures - 2, 32))


class StreamClient:
    """Subscribes to one agent and comes back after every loss."""

    def __init__(
        self,
        transport: Transport,
        listener: StreamListener,
        *,
        instance_id: str | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._transport = transport
        self._listener = listener
        self._instance_id = instance_id
        self._backoff = backoff or Backoff()
        self._kinds: frozenset[str] = frozenset(_READERS)
        self._known_kinds: frozenset[str] = frozenset()
        """Of which kinds everything was told up to `_resume`."""
        self._epoch: str | None = None
        self._resume: Resume | None = None
        self._conversation: asyncio.Timeout | None = None
        self._unreadable: set[tuple[str, str]] = set()
        """Resources of which it was said already that they make no sense."""

    def follow(self, kinds: Collection[str]) -> None:
        """Follow these kinds from now on. An open stream is opened anew, which is no loss."""
        if self._kinds == frozenset(kinds):
            return
        self._kinds = frozenset(kinds)
        if self._conversation is not None and not self._conversation.expired():
            self._conversation.reschedule(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Run until cancelled. Raises `Unauthenticated`: a refused token is not tried again."""
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            began = clock()
            try:
                await self._converse_until_asked_anew()
            except TooSlow as error:
                failures = self._count(failures, clock() - began)
                if failures > 1:
                    self._listener.on_lost(error)
            except Unauthenticated as error:
                self._listener.on_lost(error)
                raise
            except AgentError as error:
                failures = self._count(failures, clock() - began)
                self._listener.on_lost(error)
                await asyncio.sleep(min(error.retry_after_s or 0, self._backoff.longest_asked_s))
            else:
                failures = 0
            await asyncio.sleep(self._backoff.wait_s(failures))

    def _count(self, failures: int, lived_s: float) -> int:
        return 1 if lived_s >= self._backoff.settled_s else failures + 1

    async def _converse_until_asked_anew(self) -> None:
        try:
            async with asyncio.timeout(None) as self._conversation:
                await self._converse()
        except TimeoutError:
            _LOGGER.debug("The stream is opened anew: other kinds are followed now")
        finally:
            self._conversation = None

    async def _converse(self) -> None:
        async with self._transport.websocket("stream") as socket:
            session = StreamSession(socket, self._transport.loads)
            hello = await session.hello()
            self._check_identity(hello)
            kinds = self._kinds
            subscribe = Subscribe(kinds=tuple(sorted(kinds)), resume=self._resume_in(hello, kinds))
            # Until a message was understood there is nothing to resume from.
            self._resume = None
            message = await session.subscribe(subscribe)
            while True:
                self._deliver(message, continued=hello.epoch == self._epoch)
                self._epoch, self._known_kinds = hello.epoch, kinds
                self._resume = Resume(epoch=hello.epoch, seq=message.seq)
                message = await session.next()

    def _check_identity(self, hello: Hello) -> None:
        if self._instance_id is not None and hello.instance_id != self._instance_id:
            raise OtherAgent(
                "Another agent answers at this address",
                hint="Give this agent's address with Reconfigure.",
            )

    def _resume_in(self, hello: Hello, kinds: frozenset[str]) -> Resume | None:
        """Return where to go on; nowhere with a kind of which only changes would be told."""
        resume = self._resume
        if resume is None or resume.epoch != hello.epoch or not kinds <= self._known_kinds:
            return None
        return resume

    def _deliver(self, message: Message, *, continued: bool) -> None:
        if isinstance(message, SnapshotMessage):
            self._listener.on_snapshot(self._changes(message.resources), continued=continued)
        else:
            self._listener.on_changes(self._changes(message.changes))

    def _changes(self, entries: Sequence[WireResource | WireChange]) -> list[Change]:
        """Read the entries of kinds that are known here."""
        changes: list[Change] = []
        for entry in entries:
            read = _READERS.get(entry.kind)
            if read is None:
                continue
            data = None
            if entry.data is None:
                self._unreadable.discard((entry.kind, entry.key))
            else:
                data = self._read(read, entry, entry.data)
            changes.append(Change(entry.kind, entry.key, data))
        return changes

    def _read(
        self, read: Reader[Resource], entry: WireResource | WireChange, data: Mapping[str, object]
    ) -> Resource | None:
        """Read one resource; one that makes no sense does not cost the others."""
        try:
            resource = understood(read, data)
        except NotAnAgent as error:
            if entry.kind in _ESSENTIAL:
                raise
            if (entry.kind, entry.key) not in self._unreadable:
                self._unreadable.add((entry.kind, entry.key))
                _LOGGER.warning(
                    "The %s %s is passed over: %s", entry.kind, entry.key, error.message
                )
            return None
        self._unreadable.discard((entry.kind, entry.key))
        return resource
