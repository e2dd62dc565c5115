"""A provider that was away is known to be back without anybody asking for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from homelab_agent.areas.dns.models import ProviderState
from homelab_agent.areas.dns.providers.errors import ProviderBusy
from homelab_agent.areas.dns.watch import ProviderWatch, Rhythm
from homelab_agent.platform.store.database import Store
from tests.fakes.scripted_dns import ScriptedProvider
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.dns.house import ZONE, House

OFTEN = Rhythm(usually_s=3600, failed_s=0.01, refused_s=3600, look_s=0.01)
NEVER_CONTENT = Rhythm(usually_s=0.01, failed_s=0.01, look_s=0.01)


@pytest.fixture
async def house(store: Store) -> House:
    return await House(store, ScriptedProvider(ZONE)).with_provider()


@pytest.fixture
async def watching(house: House) -> AsyncIterator[None]:
    running = asyncio.create_task(ProviderWatch(house.book, OFTEN).run())
    yield
    running.cancel()
    await asyncio.wait((running,))


@pytest.mark.usefixtures("watching")
async def test_one_that_was_away_is_seen_to_be_back(house: House) -> None:
    async def is_back() -> bool:
        return house.service.provider("knot").state is ProviderState.OK

    house.provider.go_away()
    await house.service.test_provider("knot")
    assert house.service.provider("knot").state is ProviderState.UNREACHABLE
    house.provider.trouble = None
    await wait_until(is_back, what="the provider to be back")


async def test_one_that_cannot_be_reached_at_the_start_is_asked_again(store: Store) -> None:
    provider = ScriptedProvider(ZONE)
    provider.go_away()
    house = await House(store, provider).with_provider(verify=False)
    assert house.service.provider("knot").zones == ()

    async def is_back() -> bool:
        return house.service.provider("knot").zones == (ZONE,)

    running = asyncio.create_task(ProviderWatch(house.book, OFTEN).run())
    await asyncio.sleep(0)
    provider.trouble = None
    await wait_until(is_back, what="the provider to be asked again")
    running.cancel()
    await asyncio.wait((running,))


@pytest.mark.usefixtures("watching")
async def test_a_provider_that_says_how_long_to_leave_it_alone_is_left_alone(house: House) -> None:
    house.provider.trouble = ProviderBusy("Too many requests.", retry_after_s=3600)
    await house.service.test_provider("knot")
    asked = house.provider.asked
    await wait_until(_turns(10), what="the watch to have looked")
    assert house.provider.asked == asked


async def test_neither_a_store_that_is_away_nor_an_odd_answer_ends_the_watch(
    house: House, store: Store
) -> None:
    await house.service.test_provider("knot")
    async with store.write() as connection:
        await connection.execute(text("ALTER TABLE dns_provider RENAME TO away"))
    asked = house.provider.asked
    running = asyncio.create_task(ProviderWatch(house.book, NEVER_CONTENT).run())

    async def was_asked() -> bool:
        assert not running.done()
        return house.provider.asked > asked + 1

    await wait_until(was_asked, what="it to be asked while nothing can be kept")
    async with store.write() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO dns_provider"))
    house.provider.oddity = RuntimeError("This is no answer of anybody")
    asked = house.provider.asked
    await wait_until(was_asked, what="it to be asked after an odd answer")
    running.cancel()
    await asyncio.wait((running,))


def _turns(count: int) -> Callable[[], Awaitable[bool]]:
    """Return what is true after so many looks, each after the watch's own pause."""
    left = iter(range(count))

    async def done() -> bool:
        await asyncio.sleep(OFTEN.look_s)
        return next(left, None) is None

    return done
