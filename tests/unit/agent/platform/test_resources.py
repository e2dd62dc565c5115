import asyncio

import pytest

from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Change, Overflow, Resources, Snapshot, Subscription


class Light(Model):
    """A resource."""

    on: bool


ON, OFF = Light(on=True), Light(on=False)


async def _next(subscription: Subscription) -> tuple[Change, ...]:
    async with asyncio.timeout(30):
        return await anext(subscription.batches())


async def test_who_attaches_sees_what_is_there_and_then_every_change_once(
    resources: Resources,
) -> None:
    resources.publish("light", "hall", ON)
    with resources.subscribe() as subscription:
        resources.publish("light", "kitchen", ON)
        resources.remove("light", "hall")

        assert subscription.start == Snapshot(1, (Change(1, "light", "hall", ON),))
        assert await _next(subscription) == (
            Change(2, "light", "kitchen", ON),
            Change(3, "light", "hall", None),
        )


async def test_a_publish_that_changes_nothing_reaches_nobody(resources: Resources) -> None:
    assert resources.publish("light", "hall", ON) is True
    with resources.subscribe() as subscription:
        assert resources.publish("light", "hall", Light(on=True)) is False
        assert resources.remove("light", "attic") is False
        resources.publish("light", "hall", OFF)

        assert await _next(subscription) == (Change(2, "light", "hall", OFF),)
    assert resources.seq == 2


async def test_what_changes_in_one_tick_travels_together(resources: Resources) -> None:
    with resources.subscribe() as subscription:
        reading = asyncio.create_task(_next(subscription))
        await asyncio.sleep(0)
        for number in range(50):
            resources.publish("light", str(number), ON)

        assert len(await reading) == 50


async def test_what_is_published_later_comes_in_a_later_batch(resources: Resources) -> None:
    with resources.subscribe() as subscription:
        batches = subscription.batches()
        resources.publish("light", "hall", ON)
        assert [change.seq for change in await anext(batches)] == [1]
        resources.publish("light", "hall", OFF)
        assert [change.seq for change in await anext(batches)] == [2]


async def test_a_client_that_was_away_shortly_gets_what_it_missed(resources: Resources) -> None:
    for number in range(5):
        resources.publish("light", str(number), ON)

    with resources.subscribe(resume=(resources.epoch, 3)) as subscription:
        missed = subscription.start
    with resources.subscribe(resume=(resources.epoch, 5)) as subscription:
        nothing = subscription.start

    assert isinstance(missed, tuple)
    assert [change.seq for change in missed] == [4, 5]
    assert nothing == ()


@pytest.mark.parametrize(("epoch", "seq"), [("another life", 10), (None, 3), (None, 99)], ids=str)
async def test_a_client_that_cannot_be_helped_with_changes_gets_everything(
    epoch: str | None, seq: int
) -> None:
    resources = Resources(history_changes=5)
    for number in range(10):
        resources.publish("light", str(number), ON)

    with resources.subscribe(resume=(epoch or resources.epoch, seq)) as subscription:
        assert isinstance(subscription.start, Snapshot)
        assert subscription.start.seq == 10
        assert len(subscription.start.resources) == 10


async def test_the_oldest_change_still_known_is_enough_to_go_on() -> None:
    resources = Resources(history_changes=5)
    for number in range(10):
        resources.publish("light", str(number), ON)

    with resources.subscribe(resume=(resources.epoch, 5)) as subscription:
        assert isinstance(subscription.start, tuple)
        assert [change.seq for change in subscription.start] == [6, 7, 8, 9, 10]


async def test_a_client_of_an_empty_agent_can_resume_too(resources: Resources) -> None:
    with resources.subscribe(resume=(resources.epoch, 0)) as subscription:
        assert subscription.start == ()


async def test_a_slow_client_is_cut_off_and_the_others_go_on() -> None:
    resources = Resources(queue_changes=3)
    with resources.subscribe() as slow, resources.subscribe() as quick:
        for number in range(4):
            resources.publish("light", str(number), ON)
            assert [change.seq for change in await _next(quick)] == [number + 1]

        with pytest.raises(Overflow):
            await _next(slow)


async def test_what_is_pending_is_delivered_before_the_stream_closes(resources: Resources) -> None:
    with resources.subscribe() as subscription:
        resources.publish("light", "hall", ON)
        subscription.close()

        seen = [change.key async for batch in subscription.batches() for change in batch]
    assert seen == ["hall"]


async def test_a_client_that_left_costs_nothing_any_more() -> None:
    resources = Resources(queue_changes=1)
    with resources.subscribe() as gone:
        pass
    for number in range(5):
        resources.publish("light", str(number), ON)
    gone.close()

    assert [batch async for batch in gone.batches()] == []


async def test_one_resource_or_a_kind_can_be_looked_up(resources: Resources) -> None:
    resources.publish("light", "hall", ON)
    resources.publish("door", "front", OFF)

    assert resources.get("light", "hall") == ON
    assert resources.get("light", "front") is None
    assert resources.keys("door") == ("front",)


async def test_every_life_of_an_agent_has_its_own_numbers() -> None:
    assert Resources().epoch != Resources().epoch


async def test_who_wants_one_kind_hears_of_no_other(resources: Resources) -> None:
    resources.publish("light", "hall", ON)
    resources.publish("door", "hall", ON)
    with resources.subscribe(kinds=("door",)) as subscription:
        resources.publish("light", "hall", OFF)
        resources.publish("door", "hall", OFF)

        assert subscription.start == Snapshot(2, (Change(2, "door", "hall", ON),))
        assert await _next(subscription) == (Change(4, "door", "hall", OFF),)
    with resources.subscribe(kinds=("door",), resume=(resources.epoch, 2)) as subscription:
        assert subscription.start == (Change(4, "door", "hall", OFF),)


async def test_what_nobody_wants_fills_nobodys_queue() -> None:
    resources = Resources(queue_changes=1)
    with resources.subscribe(kinds=("door",)) as subscription:
        for number in range(5):
            resources.publish("light", str(number), ON)
        resources.publish("door", "hall", ON)

        assert len(await _next(subscription)) == 1


async def test_an_area_is_woken_when_somebody_comes_who_wants_what_it_makes(
    resources: Resources,
) -> None:
    waiting = asyncio.create_task(resources.listener("light"))
    with resources.subscribe(kinds=("door",)):
        await asyncio.sleep(0)
        assert not resources.has_listener("light")
        assert not waiting.done()
        with resources.subscribe():
            async with asyncio.timeout(30):
                await waiting
            assert resources.has_listener("light")
        assert not resources.has_listener("light")
        assert resources.has_listener("light", "door")
