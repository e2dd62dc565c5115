"""The public addresses: nobody is believed alone, and nobody's misbehaviour costs much."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from homelab_agent.areas.network.address_memory import AddressMemory
from homelab_agent.areas.network.address_sources import AddressSources, Answer, IpVersion
from homelab_agent.areas.network.address_vote import Verdict, agree, clock_offset_s
from homelab_agent.areas.network.address_watch import AddressWatch
from homelab_agent.areas.network.models import NETWORK_KEY, NETWORK_STATUS_KIND, NetworkStatus
from homelab_agent.areas.network.status_board import StatusBoard
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.host.demo_network import DemoNetwork
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.address_source import (
    IPV4,
    IPV6,
    OTHER_IPV4,
    AddressSource,
    Trouble,
    address_source,
)
from tests.fakes.network_files import ANYWHERE
from tests.harness.waiting import wait_until

DEADLINE_S = 20.0
SHORT_S = 5.0
ENDLESS = (Trouble.HANG, Trouble.DRIP)
type Three = tuple[AddressSource, AddressSource, AddressSource]


@pytest.fixture
async def three() -> AsyncIterator[Three]:
    async with AsyncExitStack() as stack:
        first, second, third = [await stack.enter_async_context(address_source()) for _ in range(3)]
        yield first, second, third


def sources_of(*sources: AddressSource, deadline_s: float = DEADLINE_S) -> AddressSources:
    return AddressSources(tuple(each.url for each in sources), utc_now, deadline_s=deadline_s)


async def verdict_of(
    *sources: AddressSource,
    version: IpVersion = IpVersion.IPV4,
    deadline_s: float = DEADLINE_S,
) -> Verdict:
    return agree(await sources_of(*sources, deadline_s=deadline_s).ask(version), version)


async def test_each_ip_version_has_an_address_of_its_own(three: Three) -> None:
    ipv4 = await verdict_of(*three)
    ipv6 = await verdict_of(*three, version=IpVersion.IPV6)
    assert (str(ipv4.address), str(ipv6.address)) == (IPV4, IPV6)
    assert ipv4.agreed_by == tuple(sorted(each.name for each in three))


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_one_source_that_misbehaves_changes_nothing(three: Three, trouble: Trouble) -> None:
    three[0].trouble = trouble
    async with asyncio.timeout(DEADLINE_S):
        verdict = await verdict_of(*three, deadline_s=SHORT_S if trouble in ENDLESS else DEADLINE_S)
    assert str(verdict.address) == IPV4
    assert three[0].name not in verdict.agreed_by
    # Of a gigabyte no more comes than what was on its way already.
    assert three[0].sent_bytes < 64 << 20


async def test_a_gigabyte_is_refused_after_a_few_bytes_and_not_at_the_deadline(
    three: Three,
) -> None:
    three[0].trouble = Trouble.GIGABYTE
    answers = await sources_of(*three).ask(IpVersion.IPV4)
    (problem,) = [answer.problem for answer in answers if answer.problem]
    assert "more than an address" in problem


@pytest.mark.parametrize(
    "lie", [OTHER_IPV4, "192.168.1.10", "127.0.0.1", ANYWHERE, "100.64.0.7", "224.0.0.1", IPV6]
)
async def test_one_source_that_lies_is_outvoted(three: Three, lie: str) -> None:
    three[1].ipv4 = lie
    verdict = await verdict_of(*three)
    assert str(verdict.address) == IPV4
    assert three[1].name not in verdict.agreed_by


@pytest.mark.parametrize("trouble", [Trouble.LOGIN_PAGE, Trouble.REDIRECT])
async def test_behind_a_login_page_the_address_is_unknown_with_the_reason(
    three: Three, trouble: Trouble
) -> None:
    for each in three:
        each.trouble = trouble
    verdict = await verdict_of(*three)
    assert verdict.address is None
    assert "No source answered with an address" in (verdict.reason or "")


async def test_two_that_lie_alike_about_a_private_address_are_not_believed(three: Three) -> None:
    three[0].ipv4 = three[1].ipv4 = "10.0.0.1"
    verdict = await verdict_of(*three)
    assert verdict.address is None
    assert "Only one of 3 sources" in (verdict.reason or "")
    assert "10.0.0.1" in (verdict.reason or "")


async def test_sources_that_do_not_agree_give_no_address(three: Three) -> None:
    three[0].ipv4, three[1].ipv4 = OTHER_IPV4, "93.184.216.36"
    verdict = await verdict_of(*three)
    assert verdict.address is None
    assert "do not agree" in (verdict.reason or "")


async def test_a_draw_is_no_majority() -> None:
    async with AsyncExitStack() as stack:
        four = [await stack.enter_async_context(address_source()) for _ in range(4)]
        four[0].ipv4 = four[1].ipv4 = OTHER_IPV4
        assert (await verdict_of(*four)).address is None


async def test_the_same_source_named_twice_is_one_vote(three: Three) -> None:
    verdict = await verdict_of(three[0], three[0])
    assert verdict.address is None
    assert "At least two sources" in (verdict.reason or "")


async def test_a_network_without_ipv6_is_told_and_nobody_waits_for_it(three: Three) -> None:
    names = ("http://127.0.0.1:9/ip", "http://127.0.0.2:9/ip")
    only_ipv4 = AddressSources(names, utc_now, deadline_s=DEADLINE_S)
    verdict = agree(await only_ipv4.ask(IpVersion.IPV6), IpVersion.IPV6)
    assert verdict.reason == "No source could be reached over IPv6."
    assert str((await verdict_of(*three)).address) == IPV4


@pytest.mark.parametrize("said", [f"{IPV6}%eth0", "::ffff:93.184.216.34"])
async def test_an_address_that_nobody_is_reached_at_is_not_believed(
    three: Three, said: str
) -> None:
    for each in three:
        each.ipv6 = said
    assert (await verdict_of(*three, version=IpVersion.IPV6)).address is None


@pytest.mark.parametrize("ahead_s", [0, 3600, -86_400])
async def test_a_wrong_clock_is_seen_by_what_the_sources_say(three: Three, ahead_s: int) -> None:
    for each in three:
        each.ahead = timedelta(seconds=ahead_s)
    # One of them has a clock that nobody set.
    three[2].ahead = timedelta(days=-9999)
    offset_s = clock_offset_s(await sources_of(*three).ask(IpVersion.IPV4))
    assert offset_s is not None
    assert abs(offset_s + ahead_s) < 2


async def test_how_wrong_the_clock_is_needs_two_sources_too(three: Three) -> None:
    # Of two nobody knows which one is right.
    two = three[:2]
    two[0].ahead = timedelta(days=-9999)
    assert clock_offset_s(await sources_of(*two).ask(IpVersion.IPV4)) is None
    three[0].ahead = three[1].ahead = None
    assert clock_offset_s(await sources_of(*three).ask(IpVersion.IPV4)) is None


def test_certificates_that_are_out_of_date_everywhere_point_to_the_clock() -> None:
    answers = [
        Answer(source=name, problem="refused", certificate_out_of_date=True) for name in "ab"
    ]
    assert "clock" in (agree(answers, IpVersion.IPV4).reason or "")


class Watched:
    """A watch on some sources, and what it published."""

    def __init__(self, store: Store, clock: HandClock, sources: AddressSources) -> None:
        self.resources = Resources()
        self.board = StatusBoard(self.resources)
        self.watch = AddressWatch(
            sources,
            self.board,
            AddressMemory(store),
            clock,
            interval_s=900,
            first_after_s=0,
        )

    async def begin(self) -> None:
        self.board.put_view(await DemoNetwork().look(), neighbours=0)

    @property
    def status(self) -> NetworkStatus:
        found = self.resources.get(NETWORK_STATUS_KIND, NETWORK_KEY)
        assert isinstance(found, NetworkStatus)
        return found


async def test_since_is_when_the_address_changed_also_across_a_restart(
    three: Three, store: Store, clock: HandClock
) -> None:
    async def run_until(address: str) -> NetworkStatus:
        watched = Watched(store, clock, sources_of(*three))
        await watched.begin()
        task = asyncio.create_task(watched.watch.run())

        async def is_known() -> bool:
            return bool(
                watched.resources.keys(NETWORK_STATUS_KIND)
                and watched.status.public_ipv4.address == address
            )

        await wait_until(is_known, what="the public address")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return watched.status

    first = await run_until(IPV4)
    assert first.public_ipv4.since == clock.now
    began = clock.now
    clock.advance(days=3)
    again = await run_until(IPV4)
    assert (again.public_ipv4.since, again.public_ipv4.checked_at) == (began, clock.now)
    for each in three:
        each.ipv4 = OTHER_IPV4
    changed = await run_until(OTHER_IPV4)
    assert changed.public_ipv4.since == clock.now
    assert changed.public_ipv6.since == began


async def test_an_address_that_is_lost_is_unknown_at_once_and_asked_for_again_soon(
    three: Three, store: Store, clock: HandClock
) -> None:
    watched = Watched(store, clock, sources_of(*three))
    await watched.begin()
    assert await watched.watch.check()
    assert watched.status.public_ipv6.address == IPV6
    for each in three:
        each.ipv6 = None
    assert not await watched.watch.check()
    assert watched.status.public_ipv6.address is None
    assert watched.status.public_ipv6.reason
    # Without IPv6 this network is as it should be: nobody is asked more often for it.
    assert await watched.watch.check()


async def test_nobody_is_asked_when_that_was_switched_off(
    three: Three, store: Store, clock: HandClock
) -> None:
    resources = Resources()
    board = StatusBoard(resources)
    board.put_view(await DemoNetwork().look(), neighbours=0)
    memory = AddressMemory(store)
    await AddressWatch(sources_of(*three), board, memory, clock, interval_s=0).run()
    status = resources.get(NETWORK_STATUS_KIND, NETWORK_KEY)
    assert isinstance(status, NetworkStatus)
    assert "public_address_interval_s" in (status.public_ipv4.reason or "")
    assert all(each.asked == 0 for each in three)
