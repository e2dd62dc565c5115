"""ZoneEdit does what it offers, is asked as it wants to be, and the rest is refused in words."""

from collections.abc import AsyncIterator, Sequence

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import ProviderType, RecordType, ZoneEditSettings
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    NotOffered,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import AddressOutcome
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.zoneedit import ZoneEditProvider
from homelab_agent.platform.errors import AgentError
from tests.fakes.dns_providers.changes import change, records
from tests.fakes.dns_providers.server import HTML_PAGE, Applies, Fault, running
from tests.fakes.dns_providers.zoneedit import TOKEN, USER, ZoneEditServer

HOST = "home.example.com"
CHALLENGE = "_acme-challenge.example.com"


@pytest.fixture
async def server() -> AsyncIterator[ZoneEditServer]:
    async with running(ZoneEditServer("example.com")) as server:
        server.zones.put(HOST, "A", "192.0.2.1")
        yield server


def opened(
    server: ZoneEditServer,
    reach: Reach,
    *,
    token: str = TOKEN,
    zone: str = "Example.COM.",
    deadline_s: float = 20,
) -> ZoneEditProvider:
    settings = ZoneEditSettings(
        type=ProviderType.ZONEEDIT,
        user=USER,
        token=SecretStr(token),
        zones=(zone,),
        url=server.url,
    )
    return ZoneEditProvider(settings, reach, txt_pause_s=0.02, deadline_s=deadline_s)


async def test_the_address_of_a_dynamic_host_is_changed(
    server: ZoneEditServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    assert await provider.set_addresses(HOST, "192.0.2.7", None) is AddressOutcome.CHANGED
    assert server.zones.values(HOST, "A") == ("192.0.2.7",)
    assert await provider.zones() == ("example.com",)


@pytest.mark.parametrize("by_700", [True, False])
async def test_an_address_that_is_there_already_is_no_error(
    server: ZoneEditServer, reach: Reach, *, by_700: bool
) -> None:
    server.same_address_is_700 = by_700
    done = await opened(server, reach).set_addresses(HOST, "192.0.2.1", None)
    assert done is AddressOutcome.UNCHANGED


async def test_old_words_and_lines_too_many_are_understood(
    server: ZoneEditServer, reach: Reach
) -> None:
    server.extra_line = True
    assert (
        await opened(server, reach).set_addresses(HOST, "192.0.2.8", None) is AddressOutcome.CHANGED
    )
    server.extra_line, server.old_words = False, True
    assert (
        await opened(server, reach).set_addresses(HOST, "192.0.2.9", None) is AddressOutcome.CHANGED
    )


async def test_within_ten_minutes_a_host_is_not_asked_for_again(
    server: ZoneEditServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    await provider.set_addresses(HOST, "192.0.2.7", None)
    with pytest.raises(ProviderBusy) as caught:
        await provider.set_addresses(HOST, "192.0.2.8", None)
    assert 590 < (caught.value.retry_after_s or 0) <= 600
    assert server.count() == 1


async def test_a_pause_that_only_zoneedit_knows_of_is_kept_as_it_says(
    server: ZoneEditServer, reach: Reach
) -> None:
    server.paces = True
    await opened(server, reach).set_addresses(HOST, "192.0.2.7", None)
    restarted = opened(server, reach)
    for _ in range(2):
        with pytest.raises(ProviderBusy) as caught:
            await restarted.set_addresses(HOST, "192.0.2.8", None)
        assert 590 < (caught.value.retry_after_s or 0) <= 600
    assert server.count() == 2, "the second time it knows by itself"


async def test_txt_values_stand_side_by_side_and_go_one_by_one(
    server: ZoneEditServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    server.paces, server.txt_pause_s = True, 0.015
    both = records(CHALLENGE, RecordType.TXT, "one", "two")
    await provider.apply("example.com", [change(None, both)])
    assert server.zones.values(CHALLENGE, "TXT") == ("one", "two")
    left = records(CHALLENGE, RecordType.TXT, "two")
    await provider.apply("example.com", [change(both, left)])
    assert server.zones.values(CHALLENGE, "TXT") == ("two",)


async def test_a_pause_between_txt_that_is_longer_than_thought_is_told(
    server: ZoneEditServer, reach: Reach
) -> None:
    server.fail(
        Fault(status=200, body='<ERROR CODE="702" TEXT="Minimum 60 seconds between requests">')
    )
    with pytest.raises(ProviderBusy) as caught:
        await opened(server, reach).apply(
            "example.com", [change(None, records(CHALLENGE, RecordType.TXT, "one"))]
        )
    assert caught.value.retry_after_s == 60


@pytest.mark.parametrize("old_words", [True, False])
async def test_a_wrong_token_is_told_as_one_and_where_to_find_the_right_one(
    server: ZoneEditServer, reach: Reach, *, old_words: bool
) -> None:
    server.old_words = old_words
    with pytest.raises(WrongCredentials) as caught:
        await opened(server, reach, token="mistyped").set_addresses(HOST, "192.0.2.7", None)
    assert "dynamic DNS token" in (caught.value.hint or "")
    server.fail(Fault(status=401, body="<html>Authorization Required</html>"))
    with pytest.raises(WrongCredentials):
        await opened(server, reach).set_addresses(HOST, "192.0.2.7", None)


async def test_a_host_or_zone_that_is_not_set_up_there_is_a_refusal_with_its_remedy(
    server: ZoneEditServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    with pytest.raises(ProviderRefused, match="709") as caught:
        await provider.set_addresses("new.example.com", "192.0.2.7", None)
    assert "panel" in (caught.value.hint or "")
    with pytest.raises(ProviderRefused, match="701"):
        await provider.set_addresses("home.example.net", "192.0.2.7", None)
    server.without_service.add("example.com")
    with pytest.raises(ProviderRefused, match="NOSERVICE") as caught:
        await provider.set_addresses(HOST, "192.0.2.7", None)
    assert "Turn dynamic DNS on" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (HTML_PAGE, ApplyUncertain),
        (Fault(hang=True, applies=Applies.ALL), ApplyUncertain),
        (Fault(cut=True, applies=Applies.ALL), ApplyUncertain),
        (Fault(status=500), ApplyUncertain),
        (Fault(status=200, body='<ERROR CODE="700" TEXT="what?">'), ApplyUncertain),
        (Fault(status=200, body='<ERROR CODE="702" TEXT="Update failed.">'), ProviderAway),
        (Fault(status=429, body="slow down"), ProviderBusy),
    ],
)
async def test_what_nobody_knows_is_told_as_not_known(
    server: ZoneEditServer, reach: Reach, fault: Fault, error: type[AgentError]
) -> None:
    server.fail(fault)
    provider = opened(server, reach, deadline_s=fault.patience_s)
    with pytest.raises(error) as caught:
        await provider.set_addresses(HOST, "192.0.2.7", None)
    assert TOKEN not in str(caught.value)


async def test_nobody_there_means_that_nothing_was_changed(
    server: ZoneEditServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    await server.stop()
    with pytest.raises(ProviderAway):
        await provider.set_addresses(HOST, "192.0.2.7", None)


async def test_a_value_that_follows_one_that_was_written_is_not_told_as_nothing_changed(
    server: ZoneEditServer, reach: Reach
) -> None:
    server.fail(Fault(status=429, after=1))
    both = records(CHALLENGE, RecordType.TXT, "one", "two")
    with pytest.raises(ApplyUncertain, match="1 of 2"):
        await opened(server, reach).apply("example.com", [change(None, both)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), ("192.0.2.7",)),
        (("192.0.2.1",), ()),
        (("192.0.2.1",), ("192.0.2.7", "192.0.2.8")),
    ],
)
async def test_what_is_not_offered_is_refused_in_words_before_anything_is_asked(
    server: ZoneEditServer, reach: Reach, before: Sequence[str], after: Sequence[str]
) -> None:
    wanted = change(records(HOST, RecordType.A, *before), records(HOST, RecordType.A, *after))
    with pytest.raises(NotOffered):
        await opened(server, reach).apply("example.com", [wanted])
    with pytest.raises(NotOffered, match="IPv6"):
        await opened(server, reach).set_addresses(HOST, "192.0.2.7", "2001:db8::7")
    assert server.count() == 0
