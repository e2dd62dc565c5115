"""The loop of dynamic addresses: wakes when the network or a provider changes, and in time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from homelab_agent.areas.ddns.desk import Desk
from homelab_agent.areas.ddns.sources import SOURCE_KINDS
from homelab_agent.areas.dns.models import DNS_PROVIDER_KIND
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.platform.resources import Overflow, Resources

TICK_S = 30.0
"""Timers stand still while the machine sleeps: so long after it something is found to be due."""

_SOONEST_S = 0.2


class DynamicAddressWatch:
    """Runs the desk."""

    def __init__(
        self,
        desk: Desk,
        dns: DnsService,
        resources: Resources,
        *,
        begin: Callable[[], Awaitable[None]] | None = None,
        tick_s: float = TICK_S,
    ) -> None:
        self.ready = asyncio.Event()
        """Set as soon as the names are read from the store."""
        self._desk = desk
        self._dns = dns
        self._resources = resources
        self._begin = begin
        self._tick_s = tick_s

    async def run(self) -> None:
        """Watch until cancelled. `begin` comes first."""
        await self._dns.until_ready()
        if self._begin is not None:
            await self._begin()
        await self._desk.load()
        async with asyncio.TaskGroup() as group:
            self._desk.open(group)
            self.ready.set()
            group.create_task(self._listen())
            while True:
                self._desk.wake.clear()
                await self._pause(min(max(self._desk.look(), _SOONEST_S), self._tick_s))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._desk.wake.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        while True:
            with (
                suppress(Overflow),
                self._resources.subscribe(kinds=(*SOURCE_KINDS, DNS_PROVIDER_KIND)) as changes,
            ):
                async for _ in changes.batches():
                    self._desk.wake.set()
            self._desk.wake.set()
