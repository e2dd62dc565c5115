"""Totals: what was counted is counted once, across wraps, reboots, restarts and power cuts."""

from pathlib import Path

import pytest
from sqlalchemy import text

from homelab_agent.platform.counters import MOST_KNOWN, Counters
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.retention import Retention, counter_rule
from tests.clock import HandClock

BOOT, NEXT_BOOT = "boot-1", "boot-2"
FULL = 2**32


@pytest.fixture
def counters(store: Store, clock: HandClock) -> Counters:
    return Counters(store, clock)


async def restarted(store: Store, clock: HandClock) -> Counters:
    counters = Counters(store, clock)
    await counters.load()
    return counters


def test_what_was_counted_before_the_first_look_is_not_ours(
    counters: Counters, clock: HandClock
) -> None:
    first = counters.count("eth0", 5000, epoch=BOOT)
    assert (first.amount, first.since) == (0, clock.now)
    begun = clock.now
    clock.advance(minutes=1)
    later = counters.count("eth0", 5700, epoch=BOOT)
    assert (later.amount, later.since) == (700, begun)


def test_a_reboot_loses_nothing_of_the_total(counters: Counters) -> None:
    counters.count("eth0", 1000, epoch=BOOT)
    counters.count("eth0", 4000, epoch=BOOT)
    # The counter began at 0 again; what it shows now has all been counted since.
    assert counters.count("eth0", 250, epoch=NEXT_BOOT).amount == 3250


def test_a_reboot_that_counted_past_the_old_value_is_a_reboot_all_the_same(
    counters: Counters,
) -> None:
    counters.count("eth0", 1000, epoch=BOOT)
    assert counters.count("eth0", 9000, epoch=NEXT_BOOT).amount == 9000


def test_a_counter_of_32_bits_that_is_full_goes_on(counters: Counters) -> None:
    counters.count("eth0", FULL - 100, epoch=BOOT)
    assert counters.count("eth0", 50, epoch=BOOT).amount == 150


def test_a_counter_that_wraps_at_a_known_value_goes_on(counters: Counters) -> None:
    counters.count("energy", 900, epoch=BOOT, full_at=1000)
    assert counters.count("energy", 30, epoch=BOOT, full_at=1000).amount == 130


def test_a_counter_that_fell_without_being_full_began_anew(counters: Counters) -> None:
    counters.count("eth0", 5000, epoch=BOOT)
    assert counters.count("eth0", 200, epoch=BOOT).amount == 200
    assert counters.count("eth0", 300, epoch=BOOT).amount == 300


def test_a_large_counter_of_64_bits_that_fell_did_not_wrap(counters: Counters) -> None:
    counters.count("eth0", FULL * 3, epoch=BOOT)
    assert counters.count("eth0", 10, epoch=BOOT).amount == 10


@pytest.mark.parametrize("step", [1, 0, 7, 123_456])
def test_the_total_never_falls(counters: Counters, step: int) -> None:
    raws = [(n * step * 977) % FULL for n in range(50)]
    totals = [counters.count("eth0", raw, epoch=BOOT).amount for raw in raws]
    assert totals == sorted(totals)


async def test_a_restart_of_the_agent_goes_on_where_it_was(store: Store, clock: HandClock) -> None:
    before = await restarted(store, clock)
    before.count("eth0", 100, epoch=BOOT)
    since = before.count("eth0", 600, epoch=BOOT).since
    await before.save()
    clock.advance(hours=1)
    after = await restarted(store, clock)
    total = after.count("eth0", 1600, epoch=BOOT)
    # Also what went through while the agent was away.
    assert (total.amount, total.since) == (1500, since)


async def test_an_agent_that_is_killed_between_two_saves_counts_nothing_twice(
    store: Store, clock: HandClock
) -> None:
    killed = await restarted(store, clock)
    killed.count("eth0", 0, epoch=BOOT)
    killed.count("eth0", 500, epoch=BOOT)
    await killed.save()
    killed.count("eth0", 800, epoch=BOOT)
    after = await restarted(store, clock)
    assert after.count("eth0", 900, epoch=BOOT).amount == 900


async def test_a_power_cut_loses_only_what_was_not_saved(store: Store, clock: HandClock) -> None:
    killed = await restarted(store, clock)
    killed.count("eth0", 0, epoch=BOOT)
    killed.count("eth0", 500, epoch=BOOT)
    await killed.save()
    killed.count("eth0", 800, epoch=BOOT)
    after = await restarted(store, clock)
    assert after.count("eth0", 40, epoch=NEXT_BOOT).amount == 540


async def test_each_counter_is_saved_under_its_own_name_also_a_strange_one(
    store: Store, clock: HandClock
) -> None:
    before = await restarted(store, clock)
    names = ("network/eth0/receive_bytes", "network/eth0:1/receive_bytes", "energie/ü", "x" * 300)
    for number, name in enumerate(names, start=1):
        before.count(name, 0, epoch=BOOT)
        before.count(name, number, epoch=BOOT)
    await before.save()
    after = await restarted(store, clock)
    totals = [after.count(name, n, epoch=BOOT).amount for n, name in enumerate(names, start=1)]
    assert totals == [1, 2, 3, 4]


async def test_a_store_that_was_away_gets_it_with_the_next_save(
    store: Store, store_url: str, tmp_path: Path, clock: HandClock
) -> None:
    counters = await restarted(store, clock)
    counters.count("eth0", 0, epoch=BOOT)
    counters.count("eth0", 70, epoch=BOOT)
    async with store.write() as connection:
        await connection.execute(text("ALTER TABLE counter RENAME TO counter_away"))
    with pytest.raises(Unavailable):
        await counters.save()
    async with store.write() as connection:
        await connection.execute(text("ALTER TABLE counter_away RENAME TO counter"))
    await counters.save()
    other = await Store.open(store_url, tmp_path)
    try:
        assert (await restarted(other, clock)).count("eth0", 70, epoch=BOOT).amount == 70
    finally:
        await other.close()


async def test_a_counter_that_stands_still_is_not_forgotten_like_one_that_is_gone(
    store: Store, clock: HandClock
) -> None:
    counters = await restarted(store, clock)
    counters.count("gone", 0, epoch=BOOT)
    counters.count("gone", 40, epoch=BOOT)
    counters.count("errors", 0, epoch=BOOT)
    counters.count("errors", 3, epoch=BOOT)
    await counters.save()
    retention = Retention(store, clock, (counter_rule(),))
    for _ in range(370):
        clock.advance(days=1)
        counters.count("errors", 3, epoch=BOOT)
        await counters.save()
    assert await retention.sweep() == 1
    after = await restarted(store, clock)
    assert after.count("errors", 3, epoch=BOOT).amount == 3
    assert after.count("gone", 40, epoch=BOOT).amount == 0


async def test_networks_with_ever_new_names_do_not_fill_the_memory(
    store: Store, clock: HandClock
) -> None:
    """The counters that are still read are those that stay."""
    counters = Counters(store, clock)
    counters.count("eth0", 0, epoch=BOOT)
    for number in range(MOST_KNOWN + 500):
        counters.count(f"br-{number}", 7, epoch=BOOT)
        counters.count("eth0", 700, epoch=BOOT)
        if number % 1000 == 0:
            await counters.save()
    await counters.save()
    assert counters.count("eth0", 700, epoch=BOOT).amount == 700
    # One of the first is known no more: it begins anew.
    assert counters.count("br-1", 9, epoch=BOOT).amount == 0
    assert counters.count(f"br-{MOST_KNOWN}", 9, epoch=BOOT).amount == 2
