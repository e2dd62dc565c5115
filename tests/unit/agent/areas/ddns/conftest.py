"""Providers that names are kept at."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import (
    CloudflareSettings,
    DuckDnsSettings,
    ProviderType,
    ZoneEditSettings,
)
from homelab_agent.areas.dns.providers.all_providers import Reach
from tests.clock import HandClock, HandTime
from tests.fakes.dns_providers import cloudflare, duckdns, zoneedit
from tests.fakes.dns_providers.reach import open_reach
from tests.unit.agent.areas.ddns.home import served

ZONE = "example.org"
NAME = f"home.{ZONE}"
DUCK = "photos.duckdns.org"


@pytest.fixture
def time() -> HandTime:
    return HandTime(HandClock())


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    async with open_reach() as reach:
        yield reach


@pytest.fixture
async def flare() -> AsyncIterator[cloudflare.CloudflareServer]:
    async with served(cloudflare.CloudflareServer(ZONE)) as (server, _):
        yield server


@pytest.fixture
async def edit() -> AsyncIterator[tuple[zoneedit.ZoneEditServer, str]]:
    async with served(zoneedit.ZoneEditServer(ZONE)) as (server, names):
        server.zones.put(NAME, "A", "192.0.2.1")
        yield server, names


@pytest.fixture
async def duck() -> AsyncIterator[tuple[duckdns.DuckDnsServer, str]]:
    async with served(duckdns.DuckDnsServer(DUCK)) as (server, names):
        yield server, names


def at_cloudflare(
    server: cloudflare.CloudflareServer, token: str = cloudflare.TOKEN
) -> CloudflareSettings:
    return CloudflareSettings(
        type=ProviderType.CLOUDFLARE, api_token=SecretStr(token), url=server.url
    )


def at_zoneedit(server: zoneedit.ZoneEditServer, token: str = zoneedit.TOKEN) -> ZoneEditSettings:
    return ZoneEditSettings(
        type=ProviderType.ZONEEDIT,
        user=zoneedit.USER,
        token=SecretStr(token),
        zones=(ZONE,),
        url=server.url,
    )


def at_duckdns(server: duckdns.DuckDnsServer) -> DuckDnsSettings:
    return DuckDnsSettings(
        type=ProviderType.DUCKDNS,
        token=SecretStr(duckdns.TOKEN),
        domains=(DUCK,),
        url=server.url,
    )
