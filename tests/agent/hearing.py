"""What somebody hears who follows the events of one kind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Protocol

from custom_components.homelab.client import (
    AgentClient,
    AgentError,
    Backoff,
    Change,
    StreamClient,
)
from tests.harness.waiting import wait_until

CONNECTED_WITHIN_S = 60


class Numbered(Protocol):
    """An event that is told once."""

    @property
    def number(self) -> int: ...

    @property
    def type(self) -> StrEnum: ...


class Heard[Event: Numbered]:
    """The events; the same number is the same event."""

    def __init__(self, kind: type[Event]) -> None:
        self.events: dict[int, Event] = {}
        self.connected = asyncio.Event()
        self._kind = kind

    def on_snapshot(self, resources: Sequence[Change], *, continued: bool) -> None:
        del continued
        self.on_changes(resources)
        self.connected.set()

    def on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if isinstance(change.data, self._kind):
                self.events[change.data.number] = change.data

    def on_lost(self, error: AgentError) -> None:
        del error
        self.connected.clear()

    def types(self) -> list[str]:
        return [self.events[number].type.value for number in sorted(self.events)]

    async def until(self, types: list[str]) -> Event:
        """Wait until these were told, and no others; return the last one."""

        async def told() -> bool:
            return len(self.events) >= len(types)

        await wait_until(told, what=f"{types}; told was {self.types()}")
        assert self.types() == types
        return self.events[max(self.events)]


@asynccontextmanager
async def hearing[Event: Numbered](
    client: AgentClient, kind: type[Event]
) -> AsyncIterator[Heard[Event]]:
    """Hear events of a kind for as long as this is open, also of an agent that comes back."""
    heard = Heard(kind)
    stream = StreamClient(client.transport, heard, backoff=Backoff(first_s=0.05, longest_s=0.2))
    following = asyncio.create_task(stream.run())
    try:
        await asyncio.wait_for(heard.connected.wait(), CONNECTED_WITHIN_S)
        yield heard
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
