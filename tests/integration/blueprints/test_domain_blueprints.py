"""The blueprints of domains, addresses and kept certificates, run with an agent."""

from datetime import timedelta
from typing import Any

import pytest
from homeassistant.util import dt as dt_util

from tests.fakes import wire_domains
from tests.fakes.wire_domains import PHOTOS
from tests.integration.blueprints.runs import PHONE, Told, heard, passes, target, use
from tests.integration.home import Home

DOMAIN = f"domain:{PHOTOS}"
HOME_NAME = "home.example.org"
REASON = "Nothing answers on port 443."


@pytest.fixture
async def home(home: Home) -> Home:
    """A home in which all is well."""
    agent = home.agent
    agent.put("domain", PHOTOS, wire_domains.domain())
    agent.put("dynamic_address", HOME_NAME, wire_domains.dynamic_address(HOME_NAME))
    agent.put("managed_certificate", PHOTOS, wire_domains.managed_certificate())
    await home.settled()
    return home


class Website:
    """What is behind the domain photos.example.org."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._number = 0
        self._at = dt_util.utcnow()

    async def goes(self, kind: str, *, after: timedelta = timedelta(), **changes: Any) -> None:
        """Let it be unhealthy or recover."""
        self._number += 1
        self._at += after
        status = "unhealthy" if kind == "unhealthy" else "healthy"
        agent = self._home.agent
        agent.put("domain", PHOTOS, wire_domains.domain(status=status))
        agent.put(
            "domain_event",
            PHOTOS,
            wire_domains.domain_event(
                kind=kind, number=self._number, at=self._at.isoformat(), **changes
            ),
        )
        await self._home.settled()


@pytest.mark.parametrize("key", [DOMAIN, None])
async def test_a_domain_that_does_not_work_is_told_with_why_and_its_recovery_too(
    home: Home, told: Told, key: str | None
) -> None:
    await use(home, "domain_unhealthy", domains=target(home, key), notifiers=[PHONE])
    website = Website(home)
    await website.goes("unhealthy")
    await passes(home, minutes=4)
    assert not told.sent
    await passes(home, minutes=5, seconds=1)
    call = await heard(home, told.sent)
    assert call.data["entity_id"] == [PHONE]
    assert call.data["title"] == f"{PHOTOS} does not work"
    assert call.data["message"] == REASON
    await website.goes("recovered", after=timedelta(minutes=9))
    call = await heard(home, told.sent, 2)
    assert call.data["title"] == f"{PHOTOS} works again"
    assert call.data["message"] == f"All is as it should be at {PHOTOS}."
    assert not told.shown


async def test_a_domain_that_works_again_soon_wakes_nobody_and_nor_does_its_recovery(
    home: Home, told: Told
) -> None:
    await use(home, "domain_unhealthy", domains=target(home, DOMAIN))
    website = Website(home)
    await website.goes("unhealthy")
    await website.goes("recovered", after=timedelta(minutes=4))
    await passes(home, minutes=10)
    assert not told.shown


async def test_without_a_phone_the_recovery_takes_the_place_of_the_bad_news(
    home: Home, told: Told
) -> None:
    await use(
        home,
        "domain_unhealthy",
        domains=target(home, DOMAIN),
        bad_for={"seconds": 0},
        actions=[{"action": "test.own", "data": {"what": "{{ trigger.id }}: {{ title }}"}}],
    )
    website = Website(home)
    await website.goes("unhealthy", reason=None)
    call = await heard(home, told.shown)
    assert call.data["message"] == "The agent did not say why."
    place = call.data["notification_id"]
    assert place == "homelab_domain_atlas_photos_example_org"
    await website.goes("recovered")
    call = await heard(home, told.shown, 2)
    assert call.data["notification_id"] == place
    call = await heard(home, told.own, 2)
    assert call.data["what"] == f"recovered: {PHOTOS} works again"


async def test_a_recovery_is_told_to_whom_wants_it_alone(home: Home, told: Told) -> None:
    await use(
        home,
        "domain_unhealthy",
        domains=target(home, DOMAIN),
        bad_for={"seconds": 0},
        tell_recovery=False,
    )
    website = Website(home)
    await website.goes("unhealthy")
    await heard(home, told.shown)
    await website.goes("recovered")
    await passes(home, minutes=1)
    assert len(told.shown) == 1


async def test_since_when_a_domain_is_bad_outlives_a_restart(home: Home, told: Told) -> None:
    website = Website(home)
    await website.goes("unhealthy")
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await use(home, "domain_unhealthy", domains=target(home, DOMAIN))
    await website.goes("recovered", after=timedelta(minutes=2))
    await passes(home, minutes=10)
    assert not told.shown
    await website.goes("unhealthy", after=timedelta(minutes=2))
    await website.goes("recovered", after=timedelta(minutes=7))
    call = await heard(home, told.shown)
    assert call.data["title"] == f"{PHOTOS} works again"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "leads to 203.0.113.7 now, before to 203.0.113.6."),
        (
            {"old_ipv6": "2001:db8::1", "new_ipv6": "2001:db8::2"},
            "leads to 203.0.113.7 and 2001:db8::2 now, before to 203.0.113.6 and 2001:db8::1.",
        ),
        ({"old_ipv4": None}, "leads to 203.0.113.7 now."),
        ({"new_ipv4": None}, "leads to no address now, before to 203.0.113.6."),
    ],
)
async def test_another_address_is_told_with_the_one_of_before(
    home: Home, told: Told, changes: dict[str, Any], message: str
) -> None:
    await use(
        home,
        "address_changed",
        names=target(home, f"dynamic_address:{HOME_NAME}"),
        notifiers=[PHONE],
        actions=[{"action": "test.own", "data": {"address": "{{ address }}"}}],
    )
    event = wire_domains.dynamic_address_event(HOME_NAME, **changes)
    home.agent.put("dynamic_address_event", HOME_NAME, event)
    call = await heard(home, told.sent)
    assert call.data["title"] == f"{HOME_NAME} has a new address"
    assert call.data["message"] == f"{HOME_NAME} {message}"
    assert await heard(home, told.own)


async def test_an_address_is_shown_where_there_is_no_phone(home: Home, told: Told) -> None:
    await use(home, "address_changed", names=target(home, None))
    failed = wire_domains.dynamic_address_event(HOME_NAME, "failed", 1)
    home.agent.put("dynamic_address_event", HOME_NAME, failed)
    await home.settled()
    changed = wire_domains.dynamic_address_event(HOME_NAME, "changed", 2)
    home.agent.put("dynamic_address_event", HOME_NAME, changed)
    call = await heard(home, told.shown)
    assert call.data["notification_id"] == "homelab_address_atlas_home_example_org"


async def fails(home: Home, number: int = 1, **changes: Any) -> None:
    """Let a renewal fail."""
    event = wire_domains.managed_certificate_event(number=number, **changes)
    home.agent.put("managed_certificate_event", PHOTOS, event)
    await home.settled()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "The authority could not see the proof. Look at the delegation. It ends in 89 days."),
        (
            {"days_left": 1, "what_to_do": None},
            "The authority could not see the proof. It ends in 1 day.",
        ),
        (
            {"days_left": None, "reason": None},
            "The agent did not say why. Look at the delegation.",
        ),
    ],
)
@pytest.mark.parametrize("key", [DOMAIN, None])
async def test_a_renewal_that_failed_is_told_with_what_to_do(
    home: Home, told: Told, key: str | None, changes: dict[str, Any], message: str
) -> None:
    await use(home, "renewal_failed", certificates=target(home, key), notifiers=[PHONE])
    await fails(home, **changes)
    call = await heard(home, told.sent)
    assert call.data["title"] == f"The certificate of {PHOTOS} could not be renewed"
    assert call.data["message"] == message


async def test_while_there_is_time_left_a_failure_wakes_nobody(home: Home, told: Told) -> None:
    await use(home, "renewal_failed", certificates=target(home, DOMAIN), days=14)
    await fails(home, days_left=15)
    await passes(home, minutes=1)
    assert not told.shown
    await fails(home, 2, days_left=14)
    call = await heard(home, told.shown)
    assert call.data["notification_id"] == "homelab_renewal_atlas_photos_example_org"
