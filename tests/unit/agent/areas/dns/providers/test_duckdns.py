"""DuckDNS: addresses and one TXT for each of its names."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import DuckDnsSettings, ProviderType, RecordType
from homelab_agent.areas.dns.providers.duckdns import DuckDnsProvider
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    NotOffered,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import AddressOutcome
from homelab_agent.areas.dns.providers.reach import Reach
from tests.fakes.dns_providers.changes import change, records
from tests.fakes.dns_providers.duckdns import TOKEN, DuckDnsServer
from tests.fakes.dns_providers.server import HTML_PAGE, Applies, Fault, running

NAME = "photos.duckdns.org"


@pytest.fixture
async def server() -> AsyncIterator[DuckDnsServer]:
    async with running(DuckDnsServer(NAME, "other.duckdns.org")) as server:
        yield server


def opened(
    server: DuckDnsServer, reach: Reach, *, token: str = TOKEN, deadline_s: float = 20
) -> DuckDnsProvider:
    settings = DuckDnsSettings(
        type=ProviderType.DUCKDNS,
        token=SecretStr(token),
        domains=("Photos", "other.duckdns.org."),
        url=server.url,
    )
    return DuckDnsProvider(settings, reach, deadline_s=deadline_s)


async def test_a_name_follows_both_addresses_and_knows_what_is_new(
    server: DuckDnsServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    assert await provider.zones() == (NAME, "other.duckdns.org")
    changed = await provider.set_addresses(NAME, "192.0.2.1", "2001:db8::1")
    again = await provider.set_addresses(NAME, "192.0.2.1", "2001:db8::1")
    assert (changed, again) == (AddressOutcome.CHANGED, AddressOutcome.UNCHANGED)
    await provider.set_addresses(NAME, None, "2001:db8::2")
    assert server.zones.values(NAME, "A") == ("192.0.2.1",), "it did not take our own address"
    assert server.zones.values(NAME, "AAAA") == ("2001:db8::2",)


async def test_the_one_txt_is_set_at_the_name_that_a_challenge_is_below(
    server: DuckDnsServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    challenge = records(f"_acme-challenge.{NAME}", RecordType.TXT, "proof of all")
    await provider.apply(NAME, [change(None, challenge)])
    assert server.zones.values(NAME, "TXT") == ("proof of all",)
    await provider.apply(NAME, [change(challenge, None)])
    assert server.zones.values(NAME, "TXT") == ()


async def test_one_address_goes_and_the_other_stays(server: DuckDnsServer, reach: Reach) -> None:
    provider = opened(server, reach)
    await provider.set_addresses(NAME, "192.0.2.1", "2001:db8::1")
    await provider.apply(NAME, [change(records(NAME, RecordType.A, "192.0.2.1"), None)])
    assert server.zones.values(NAME, "A") == ()
    assert server.zones.values(NAME, "AAAA") == ("2001:db8::1",)
    await provider.apply(NAME, [change(records(NAME, RecordType.AAAA, "2001:db8::1"), None)])
    assert server.zones.values(NAME, "AAAA") == ()


async def test_half_of_clearing_is_told_as_that(server: DuckDnsServer, reach: Reach) -> None:
    provider = opened(server, reach)
    await provider.set_addresses(NAME, "192.0.2.1", "2001:db8::1")
    server.fail(Fault(status=429, only="ipv6=2001"))
    with pytest.raises(ApplyUncertain):
        await provider.apply(NAME, [change(records(NAME, RecordType.A, "192.0.2.1"), None)])


async def test_ko_says_what_it_may_mean_and_not_the_token(
    server: DuckDnsServer, reach: Reach
) -> None:
    with pytest.raises(WrongCredentials, match="KO") as caught:
        await opened(server, reach, token="mistyped-token").set_addresses(NAME, "192.0.2.1", None)
    assert "mistyped-token" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "fault",
    [HTML_PAGE, Fault(hang=True), Fault(cut=True, applies=Applies.ALL), Fault(status=502)],
)
async def test_no_answer_of_its_own_means_that_nobody_knows(
    server: DuckDnsServer, reach: Reach, fault: Fault
) -> None:
    server.fail(fault)
    provider = opened(server, reach, deadline_s=fault.patience_s)
    with pytest.raises(ApplyUncertain) as caught:
        await provider.set_addresses(NAME, "192.0.2.1", None)
    assert TOKEN not in f"{caught.value} {caught.value.__cause__!r}"


async def test_names_of_others_and_below_are_refused_before_anything_is_asked(
    server: DuckDnsServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    below = change(None, records(f"www.{NAME}", RecordType.A, "192.0.2.1"))
    with pytest.raises(NotOffered, match="addresses of photos"):
        await provider.apply(NAME, [below])
    foreign = change(None, records("strange.duckdns.org", RecordType.A, "192.0.2.1"))
    with pytest.raises(NotOffered):
        await provider.apply(NAME, [foreign])
    two = change(None, records(NAME, RecordType.TXT, "one", "two"))
    with pytest.raises(NotOffered, match="one TXT"):
        await provider.apply(NAME, [two])
    assert server.count() == 0
