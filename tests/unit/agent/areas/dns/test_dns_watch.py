"""A provider that was away is known to be back without anybody asking for it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from homelab_agent.areas.dns.models import ProviderState
from homelab_agent.areas.dns.watch import ProviderWatch, Rhythm
from homelab_agent.platform.store.database import Store
from tests.fakes.scripted_dns import ScriptedProvider
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.dns.house import ZONE, House

OFTEN = Rhythm(usually_s=3600, failed_s=0.01, refused_s=3600, look_s=0.01)


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
    house = await House(store, provider).with_provider()
    assert house.service.provider("knot").zones == ()

    async def is_back() -> bool:
        return house.service.provider("knot").zones == (ZONE,)

    running = asyncio.create_task(ProviderWatch(house.book, OFTEN).run())
    await asyncio.sleep(0)
    provider.trouble = None
    await wait_until(is_back, what="the provider to be asked again")
    running.cancel()
    await asyncio.wait((running,))
