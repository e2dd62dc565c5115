"""Power and energy: nothing is lost when a counter is full, the machine boots, a clock is set."""

import asyncio

import pytest

from homelab_agent.areas.host.models import HOST_KEY, HOST_POWER_KIND, HostPower
from homelab_agent.areas.host.power import PowerWatch
from homelab_agent.platform.counters import Counters
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.machine import FULL_AT_UJ, SetMachine
from tests.harness.waiting import wait_until

KWH_UJ = 3_600_000_000_000


@pytest.fixture
def machine(clock: HandClock) -> SetMachine:
    return SetMachine(clock)


def watch_of(
    machine: SetMachine, store: Store, resources: Resources, clock: HandClock
) -> PowerWatch:
    return PowerWatch(machine, Counters(store, clock), resources, interval_s=0.01)


def power(resources: Resources) -> HostPower:
    known = resources.get(HOST_POWER_KIND, HOST_KEY)
    assert isinstance(known, HostPower)
    return known


async def test_power_is_the_mean_since_the_last_look(
    machine: SetMachine, store: Store, resources: Resources, clock: HandClock
) -> None:
    watch = watch_of(machine, store, resources, clock)
    await watch.look()
    assert power(resources).power_w is None
    machine.energy_uj = 60 * 25_000_000
    await watch.look()
    assert power(resources).power_w == 25.0


async def test_after_a_start_nobody_waits_a_minute_for_the_power(
    machine: SetMachine, store: Store, resources: Resources, clock: HandClock
) -> None:
    machine.energy_uj = 100_000_000_000
    task = asyncio.create_task(watch_of(machine, store, resources, clock).run())

    async def known() -> bool:
        found = resources.get(HOST_POWER_KIND, HOST_KEY)
        return isinstance(found, HostPower) and found.power_w is not None

    try:
        await wait_until(known, what="the power to be known")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_full_counter_loses_nothing_and_makes_no_peak(
    machine: SetMachine, store: Store, resources: Resources, clock: HandClock
) -> None:
    watch = watch_of(machine, store, resources, clock)
    machine.energy_uj = FULL_AT_UJ - 600_000_000
    await watch.look()
    machine.energy_uj = 900_000_000
    await watch.look()
    assert power(resources).power_w == 25.0


async def test_a_reboot_counts_what_was_used_since(
    machine: SetMachine, store: Store, resources: Resources, clock: HandClock
) -> None:
    watch = watch_of(machine, store, resources, clock)
    machine.energy_uj = 100_000_000_000
    await watch.look()
    machine.boot, machine.energy_uj = "second", KWH_UJ // 100
    await watch.look()
    assert power(resources).energy_kwh == 0.01


async def test_the_total_survives_a_restart_of_the_agent(
    machine: SetMachine, store: Store, resources: Resources, clock: HandClock
) -> None:
    async def run_until(kwh: float) -> None:
        watch = watch_of(machine, store, resources, clock)
        task = asyncio.create_task(watch.run())

        async def counted() -> bool:
            known = resources.get(HOST_POWER_KIND, HOST_KEY)
            return isinstance(known, HostPower) and known.energy_kwh == kwh

        await wait_until(counted, what=f"{kwh} kWh")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        resources.remove(HOST_POWER_KIND, HOST_KEY)

    machine.energy_uj = 1_000_000
    await run_until(0)
    # Used while the agent was away.
    machine.energy_uj = 1_000_000 + KWH_UJ // 50
    await run_until(0.02)
    await run_until(0.02)


async def test_a_clock_that_is_set_changes_no_power(
    machine: SetMachine, store: Store, resources: Resources, clock: HandClock
) -> None:
    watch = watch_of(machine, store, resources, clock)
    await watch.look()
    since = power(resources).since
    for hours in (-1, 25):
        clock.advance(hours=hours)
        assert machine.energy_uj is not None
        machine.energy_uj += 60 * 10_000_000
        await watch.look()
        assert (power(resources).power_w, power(resources).since) == (10.0, since)


async def test_a_machine_without_the_counter_shows_no_power(
    machine: SetMachine, store: Store, resources: Resources, clock: HandClock
) -> None:
    watch = watch_of(machine, store, resources, clock)
    await watch.look()
    machine.energy_uj = None
    await watch.look()
    assert resources.keys(HOST_POWER_KIND) == ()
