"""A clock that is wrong is told; a correction, a sleep and one odd answer are not."""

import pytest

from homelab_agent.areas.host.models import HOST_INFO_KIND, HOST_KEY, HostInfo, HostView
from homelab_agent.areas.insight.models import FindingSeverity
from homelab_agent.areas.network.models import (
    NETWORK_KEY,
    NETWORK_STATUS_KIND,
    NetworkStatus,
    PublicAddress,
)
from homelab_agent.platform.host.paths import View
from tests.unit.agent.areas.insight.conftest import Homelab

KEY = "clock_wrong:host"


def ask_the_internet(homelab: Homelab, offset_s: float | None) -> None:
    """Have an answer on how far the clock is ahead."""
    asked = PublicAddress(address="203.0.113.7", checked_at=homelab.time.wall())
    status = NetworkStatus(
        public_ipv4=asked,
        public_ipv6=PublicAddress(),
        listening_ports=1,
        exposed_ports=0,
        clock_offset_s=offset_s,
    )
    homelab.resources.publish(NETWORK_STATUS_KIND, NETWORK_KEY, status)


async def test_a_clock_that_is_wrong_twice_is_told_until_it_is_right(homelab: Homelab) -> None:
    ask_the_internet(homelab, 45.0)
    await homelab.look(3)
    assert homelab.findings == {}, "one answer, however often it is looked at"
    ask_the_internet(homelab, 47.0)
    await homelab.look()
    assert homelab.findings[KEY].message == "The clock of this machine is 47 seconds ahead."
    assert homelab.findings[KEY].severity is FindingSeverity.WARNING
    ask_the_internet(homelab, -3600.0)
    await homelab.look()
    assert homelab.findings[KEY].severity is FindingSeverity.CRITICAL
    assert homelab.findings[KEY].message == "The clock of this machine is 1 hour behind."
    ask_the_internet(homelab, 0.4)
    await homelab.look()
    assert homelab.findings == {}


@pytest.mark.parametrize(
    ("step_s", "words"),
    [(-3600, "set back by 1 hour"), (86_400, "set forward by 1 day")],
)
async def test_a_clock_that_was_set_is_told_with_how_much(
    homelab: Homelab, step_s: float, words: str
) -> None:
    await homelab.look()
    homelab.time.wall.advance(seconds=step_s)
    await homelab.look(2)
    assert words in homelab.findings[KEY].message
    await homelab.look(40)
    assert homelab.findings == {}


async def test_a_clock_that_was_put_right_is_no_longer_told_of(homelab: Homelab) -> None:
    ask_the_internet(homelab, None)
    await homelab.look()
    homelab.time.wall.advance(hours=8)
    await homelab.look(2)
    assert KEY in homelab.findings
    ask_the_internet(homelab, 0.1)
    await homelab.look()
    assert homelab.findings == {}


async def test_a_machine_that_sets_its_clock_after_each_boot_is_not_told_of(
    homelab: Homelab,
) -> None:
    """As a Raspberry Pi, which has no clock of its own."""
    await homelab.look()
    homelab.time.wall.advance(hours=8)
    await homelab.look(every_s=60)
    assert homelab.findings == {}
    facts = HostInfo(
        clock_synchronized=True,
        view=HostView(processes=View.HOST, network=View.HOST, filesystems=View.HOST),
    )
    homelab.resources.publish(HOST_INFO_KIND, HOST_KEY, facts)
    await homelab.look(3)
    assert homelab.findings == {}


async def test_a_machine_that_slept_has_no_wrong_clock(homelab: Homelab) -> None:
    await homelab.look()
    homelab.time.pass_by(8 * 3600)
    await homelab.look()
    assert homelab.findings == {}


async def test_nobody_who_answers_is_no_wrong_clock(homelab: Homelab) -> None:
    for _ in range(3):
        ask_the_internet(homelab, None)
        await homelab.look()
    assert homelab.findings == {}
