"""Traffic: totals that no reboot, wrap or restart makes wrong, rates that are of right now."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from homelab_agent.areas.network.figures_watch import ConnectionsWatch, TrafficWatch
from homelab_agent.areas.network.models import (
    NETWORK_CONNECTIONS_KIND,
    NETWORK_KEY,
    NETWORK_TRAFFIC_KIND,
    NetworkConnections,
    NetworkTraffic,
)
from homelab_agent.areas.network.traffic import SHORTEST_S, TrafficMeter
from homelab_agent.platform.counters import Counters
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.host.linux_network import LinuxNetwork
from homelab_agent.platform.host.network import MachineNetwork
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.network_files import Link, NetworkFiles
from tests.harness.waiting import wait_until

INTERVAL_S = 0.1
FULL_32 = 2**32


@pytest.fixture
def files(tmp_path: Path) -> NetworkFiles:
    return NetworkFiles(tmp_path / "machine")


@pytest.fixture
def network(files: NetworkFiles) -> MachineNetwork:
    return LinuxNetwork(files.paths)


@pytest.fixture
def meter(network: MachineNetwork, store: Store, clock: HandClock) -> TrafficMeter:
    return TrafficMeter(network, Counters(store, clock))


async def received(meter: TrafficMeter) -> int:
    (traffic,) = await meter.sample(("eth0",))
    return traffic.receive_bytes


async def test_totals_begin_with_the_first_look(
    files: NetworkFiles, meter: TrafficMeter, clock: HandClock
) -> None:
    files.write_links(Link("eth0", 2, received=10**12, receive_errors=9))
    (first,) = await meter.sample(("eth0",))
    assert (first.receive_bytes, first.receive_errors, first.since) == (0, 0, clock.now)
    assert (first.receive_bytes_per_s, first.transmit_bytes_per_s) == (None, None)
    files.write_links(Link("eth0", 2, received=10**12 + 5, sent=7, receive_errors=11))
    (second,) = await meter.sample(("eth0",))
    assert (second.receive_bytes, second.transmit_bytes, second.receive_errors) == (5, 7, 2)


async def test_a_driver_with_32_bits_loses_nothing_when_they_are_full(
    files: NetworkFiles, meter: TrafficMeter
) -> None:
    files.write_links(Link("eth0", 2, received=FULL_32 - 1000))
    await received(meter)
    files.write_links(Link("eth0", 2, received=500))
    assert await received(meter) == 1500


async def test_a_reboot_goes_on_with_the_total(files: NetworkFiles, meter: TrafficMeter) -> None:
    files.write_links(Link("eth0", 2, received=1000))
    await received(meter)
    files.write_links(Link("eth0", 2, received=5000))
    await received(meter)
    files.boot("11111111-2222-4333-8444-555566667777")
    files.write_links(Link("eth0", 2, received=300))
    assert await received(meter) == 4300


async def test_an_interface_that_is_made_anew_is_no_wrap(
    files: NetworkFiles, meter: TrafficMeter
) -> None:
    files.write_links(Link("wg0", 5, received=FULL_32 - 5))
    await meter.sample(("wg0",))
    # Without its number it would look like a counter that was full.
    files.write_links(Link("wg0", 6, received=100))
    (traffic,) = await meter.sample(("wg0",))
    assert traffic.receive_bytes == 100


async def test_rates_are_of_the_time_since_the_last_sample_also_over_a_wrap(
    files: NetworkFiles, meter: TrafficMeter
) -> None:
    files.write_links(Link("eth0", 2, received=FULL_32 - 1000))
    now = asyncio.get_running_loop().time
    before_first = now()
    await meter.sample(("eth0",))
    after_first = now()
    await asyncio.sleep(SHORTEST_S + 0.1)
    files.write_links(Link("eth0", 2, received=1000, sent=500))
    before_second = now()
    (traffic,) = await meter.sample(("eth0",))
    shortest_s, longest_s = before_second - after_first, now() - before_first
    assert traffic.receive_bytes_per_s is not None
    assert traffic.transmit_bytes_per_s is not None
    assert 2000 / longest_s - 0.1 < traffic.receive_bytes_per_s < 2000 / shortest_s + 0.1
    assert 500 / longest_s - 0.1 < traffic.transmit_bytes_per_s < 500 / shortest_s + 0.1


async def test_two_samples_at_once_give_no_absurd_rate(
    files: NetworkFiles, meter: TrafficMeter
) -> None:
    files.write_links(Link("eth0", 2, received=0))
    await meter.sample(("eth0",))
    files.write_links(Link("eth0", 2, received=10**9))
    (traffic,) = await meter.sample(("eth0",))
    assert (traffic.receive_bytes, traffic.receive_bytes_per_s) == (10**9, None)


class Agent:
    """The watches over a fake machine, and what they publish."""

    def __init__(self, network: MachineNetwork, store: Store, clock: HandClock) -> None:
        self.resources = Resources()
        self.traffic = TrafficWatch(
            TrafficMeter(network, Counters(store, clock)),
            self._names,
            self.resources,
            interval_s=INTERVAL_S,
        )
        self.connections = ConnectionsWatch(network, self.resources, interval_s=INTERVAL_S)

    async def _names(self) -> tuple[str, ...]:
        return ("eth0",)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(run()) for run in (self.traffic.run, self.connections.run)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def published(self, key: str = "eth0") -> NetworkTraffic | None:
        found = self.resources.get(NETWORK_TRAFFIC_KIND, key)
        return found if isinstance(found, NetworkTraffic) else None

    async def nothing_published(self) -> bool:
        kinds = (NETWORK_TRAFFIC_KIND, NETWORK_CONNECTIONS_KIND)
        return not any(self.resources.keys(kind) for kind in kinds)


async def test_figures_are_published_only_while_somebody_listens(
    files: NetworkFiles, network: MachineNetwork, store: Store, clock: HandClock
) -> None:
    files.write_links(Link("eth0", 2))
    files.write_sockets("tcp", ("10.0.0.1", 80, "10.0.0.2", 5, 1, 2))
    agent = Agent(network, store, clock)
    async with agent.running():
        with agent.resources.subscribe():
            await wait_until(agent.published, what="traffic")

            async def counted() -> bool:
                known = agent.resources.get(NETWORK_CONNECTIONS_KIND, NETWORK_KEY)
                return isinstance(known, NetworkConnections) and known.established == 1

            await wait_until(counted, what="connections")
        await wait_until(agent.nothing_published, what="the end of what nobody follows")


async def test_what_was_counted_is_kept_when_the_agent_ends(
    files: NetworkFiles, network: MachineNetwork, store: Store, clock: HandClock
) -> None:
    files.write_links(Link("eth0", 2, received=100))
    agent = Agent(network, store, clock)
    async with agent.running():
        with agent.resources.subscribe(kinds={NETWORK_TRAFFIC_KIND}):
            await wait_until(agent.published, what="the first sample")
            files.write_links(Link("eth0", 2, received=400))

            async def grown() -> bool:
                known = await agent.published()
                return known is not None and known.receive_bytes == 300

            await wait_until(grown, what="the second sample")
    began = clock.now
    clock.advance(hours=1)
    files.write_links(Link("eth0", 2, received=1000))
    (after,) = await Agent(network, store, clock).traffic.sample()
    assert (after.receive_bytes, after.since) == (900, began)


async def test_traffic_is_counted_also_while_nobody_listens(
    files: NetworkFiles, network: MachineNetwork, store: Store, clock: HandClock
) -> None:
    files.write_links(Link("eth0", 2, received=100))
    agent = Agent(network, store, clock)

    async def is_saved() -> bool:
        other = Counters(store, clock)
        await other.load()
        return other.count("network/eth0/receive_bytes", 500, epoch=epoch).amount == 400

    epoch = (await network.traffic(("eth0",))).counts["eth0"].epoch
    async with agent.running():
        await wait_until(is_saved, what="the first sample in the store")


async def test_what_went_through_until_the_machine_goes_down_is_kept(
    files: NetworkFiles, network: MachineNetwork, store: Store, clock: HandClock
) -> None:
    files.write_links(Link("eth0", 2, received=100))
    agent = Agent(network, store, clock)

    async def is_counted() -> bool:
        later = Counters(store, lambda: clock.now + timedelta(hours=1))
        await later.load()
        return later.count("network/eth0/receive_bytes", 0, epoch="other").since == clock.now

    async with agent.running():
        await wait_until(is_counted, what="the first sample")
        # Nobody listens, so that the next sample is a minute away.
        files.write_links(Link("eth0", 2, received=700))
    files.boot("99999999-2222-4333-8444-555566667777")
    files.write_links(Link("eth0", 2, received=5))
    (after,) = await Agent(network, store, clock).traffic.sample()
    assert after.receive_bytes == 605


async def test_a_network_that_cannot_be_read_shows_nothing_old_and_comes_back(
    files: NetworkFiles, network: MachineNetwork, store: Store, clock: HandClock
) -> None:
    files.write_links(Link("eth0", 2))
    agent = Agent(network, store, clock)
    async with agent.running():
        with agent.resources.subscribe(kinds={NETWORK_TRAFFIC_KIND}):
            await wait_until(agent.published, what="traffic")
            (files.net / "dev").unlink()
            await wait_until(agent.nothing_published, what="the end of old figures")
            with pytest.raises(Unavailable):
                await agent.traffic.sample()
            files.write_links(Link("eth0", 2))
            await wait_until(agent.published, what="traffic again")
