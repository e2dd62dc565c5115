"""A provider that wants a pause in the middle of a plan costs nobody half of a zone."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import (
    CloudflareSettings,
    DnsPlan,
    PlanBody,
    ProviderType,
    RecordType,
    WantedRecords,
)
from homelab_agent.areas.dns.providers.cloudflare import CloudflareProvider
from homelab_agent.areas.dns.providers.errors import ProviderBusy
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.store.database import Store
from tests.fakes.dns_providers import cloudflare
from tests.fakes.dns_providers.cloudflare import CloudflareServer
from tests.fakes.dns_providers.reach import open_reach
from tests.fakes.dns_providers.server import Fault, running
from tests.fakes.scripted_dns import ScriptedProvider
from tests.unit.agent.areas.dns.house import ZONE, House

HOSTS = tuple(f"h{number}.{ZONE}" for number in range(6))
PAUSE = Fault(
    status=429,
    headers={"Retry-After": "1", "Content-Type": "application/json"},
    body=cloudflare.RATE_LIMITED.body,
)
LONG_PAUSE = Fault(status=429, headers={"Retry-After": "7200"}, body=cloudflare.RATE_LIMITED.body)


@pytest.fixture
async def server() -> AsyncIterator[CloudflareServer]:
    async with running(CloudflareServer(ZONE)) as server:
        yield server


@pytest.fixture
async def house(store: Store, server: CloudflareServer) -> AsyncIterator[House]:
    settings = CloudflareSettings(
        type=ProviderType.CLOUDFLARE, api_token=SecretStr(cloudflare.TOKEN), url=server.url
    )
    async with open_reach() as reach:
        house = House(
            store, ScriptedProvider(ZONE), make=lambda _: CloudflareProvider(settings, reach)
        )
        yield await house.with_provider()
        await house.book.close()


async def _plan(house: House) -> DnsPlan:
    wanted = tuple(
        WantedRecords(name=name, type=RecordType.A, values=("192.0.2.1",)) for name in HOSTS
    )
    return await house.service.plan(PlanBody(wanted=wanted))


def _strike(server: CloudflareServer, pause: Fault, *, after: int, times: int | None) -> None:
    """Want a pause of whatever comes after so many changes."""
    server.fail(Fault(**{**vars(pause), "after": after, "times": times, "changing": True}))


def _served(server: CloudflareServer) -> list[str]:
    return sorted(record.name for record in server.zones.records[ZONE])


async def test_a_plan_goes_on_after_the_pause_where_it_was(
    house: House, server: CloudflareServer
) -> None:
    plan = await _plan(house)
    _strike(server, PAUSE, after=2, times=1)
    await house.service.write(plan)
    assert _served(server) == sorted(HOSTS)
    assert server.changes == len(HOSTS) + 1


async def test_what_was_begun_is_taken_back_with_the_pauses_that_are_wanted(
    house: House, server: CloudflareServer
) -> None:
    plan = await _plan(house)
    _strike(server, LONG_PAUSE, after=4, times=1)
    with pytest.raises(AgentError, match="Only a part"):
        await house.service.write(plan)
    assert len(_served(server)) == 4
    _strike(server, PAUSE, after=2, times=1)
    await house.service.take_back(plan)
    assert not _served(server)


async def test_a_long_plan_may_take_longer_than_a_short_one(store: Store) -> None:
    provider = ScriptedProvider(ZONE)
    house = await House(store, provider, answer_s=0.5).with_provider()
    wanted = tuple(
        WantedRecords(name=f"h{number}.{ZONE}", type=RecordType.A, values=("192.0.2.1",))
        for number in range(60)
    )
    plan = await house.service.plan(PlanBody(wanted=wanted))
    provider.slow_s = 0.015
    await house.service.write(plan)
    assert len(provider.held) == len(wanted)


async def test_a_provider_that_wants_a_pause_before_anything_is_done_is_left_alone(
    house: House, server: CloudflareServer
) -> None:
    plan = await _plan(house)
    _strike(server, PAUSE, after=0, times=1)
    with pytest.raises(ProviderBusy):
        await house.service.write(plan)
    assert server.changes == 1
