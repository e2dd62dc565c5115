"""Traffic and connections: published while somebody listens, counted always."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from homelab_agent.areas.network.figures import network_connections
from homelab_agent.areas.network.models import (
    NETWORK_CONNECTIONS_KIND,
    NETWORK_KEY,
    NETWORK_TRAFFIC_KIND,
    NetworkTraffic,
)
from homelab_agent.areas.network.traffic import TrafficMeter
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.host.network import MachineNetwork
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources

SAVED_EVERY_S = 60.0
"""Also how often traffic is counted while nobody listens."""

FIRST_PAUSE_S = 1.0
"""Whoever begins to listen does not wait a whole interval for rates of right now."""

_log = get_logger(__name__)


class TrafficWatch:
    """Counts what goes through the interfaces."""

    def __init__(
        self,
        meter: TrafficMeter,
        interfaces: Callable[[], Awaitable[Sequence[str]]],
        resources: Resources,
        *,
        interval_s: float,
    ) -> None:
        self._meter = meter
        self._interfaces = interfaces
        self._resources = resources
        self._interval_s = interval_s
        self._is_loaded = False
        self._saved_s = 0.0

    @property
    def is_fresh(self) -> bool:
        """Whether what is published has rates, and is not older than an interval."""
        published = self._resources.every(NETWORK_TRAFFIC_KIND, NetworkTraffic)
        return any(each.receive_bytes_per_s is not None for each in published)

    async def run(self) -> None:
        """Watch until cancelled; what was counted until then is written down."""
        try:
            while True:
                if self._is_wanted():
                    await self._count_while_wanted()
                else:
                    await self._count()
                    await self._pause_until_wanted()
        finally:
            if self._is_loaded:
                # The machine may be about to go down, and its counters with it.
                await self._count()
                await self._save()

    async def sample(self) -> tuple[NetworkTraffic, ...]:
        """Return what went through the interfaces until now, and the rates since the last time.

        Raises:
            Unavailable: the network, or what was counted before, cannot be read.
        """
        if not self._is_loaded:
            # Without the totals from before, everything would seem to begin now.
            await self._meter.load()
            self._is_loaded = True
        return await self._meter.sample(await self._interfaces())

    async def _count_while_wanted(self) -> None:
        pause_s = min(FIRST_PAUSE_S, self._interval_s)
        while self._is_wanted():
            self._publish(await self._count())
            await asyncio.sleep(pause_s)
            pause_s = self._interval_s
        self._publish(())

    async def _pause_until_wanted(self) -> None:
        try:
            async with asyncio.timeout(SAVED_EVERY_S):
                await self._resources.listener(NETWORK_TRAFFIC_KIND)
        except TimeoutError:
            return

    async def _count(self) -> tuple[NetworkTraffic, ...]:
        try:
            counted = await self.sample()
        except AgentError as error:
            # That the network cannot be read is told by the watch of its setup.
            _log.debug("traffic_not_read", why=error.message)
            return ()
        now_s = asyncio.get_running_loop().time()
        if now_s - self._saved_s >= SAVED_EVERY_S:
            self._saved_s = now_s
            await self._save()
        return counted

    async def _save(self) -> None:
        try:
            await self._meter.save()
        except AgentError as error:
            _log.warning("traffic_not_saved", why=error.message)

    def _is_wanted(self) -> bool:
        return self._resources.has_listener(NETWORK_TRAFFIC_KIND)

    def _publish(self, traffic: Sequence[NetworkTraffic]) -> None:
        shown = {each.key for each in traffic}
        for key in self._resources.keys(NETWORK_TRAFFIC_KIND):
            if key not in shown:
                self._resources.remove(NETWORK_TRAFFIC_KIND, key)
        for each in traffic:
            self._resources.publish(NETWORK_TRAFFIC_KIND, each.key, each)


class ConnectionsWatch:
    """Counts connections for as long as somebody listens."""

    def __init__(self, network: MachineNetwork, resources: Resources, *, interval_s: float) -> None:
        self._network = network
        self._resources = resources
        self._interval_s = interval_s

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._resources.listener(NETWORK_CONNECTIONS_KIND)
            while self._resources.has_listener(NETWORK_CONNECTIONS_KIND):
                await self._count()
                await asyncio.sleep(self._interval_s)
            self._resources.remove(NETWORK_CONNECTIONS_KIND, NETWORK_KEY)

    async def _count(self) -> None:
        try:
            counts = await self._network.count_sockets()
        except AgentError as error:
            _log.debug("connections_not_counted", why=error.message)
            self._resources.remove(NETWORK_CONNECTIONS_KIND, NETWORK_KEY)
            return
        published = network_connections(counts)
        self._resources.publish(NETWORK_CONNECTIONS_KIND, NETWORK_KEY, published)
