"""One place for all certificates: those that the agent keeps are in it, once, and told of once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from homelab_agent.areas.certificates.board import CertificateBoard
from homelab_agent.areas.certificates.managed import ManagedCertificates
from homelab_agent.areas.certificates.models import (
    CERTIFICATE_EVENT_KIND,
    CERTIFICATE_KIND,
    Certificate,
    CertificateDetails,
    CertificateEvent,
    CertificateReport,
    CertificateSource,
    Verdict,
    WatchBody,
)
from homelab_agent.areas.certificates.places import endpoint_place
from homelab_agent.areas.certificates.store import CertificateStore
from homelab_agent.areas.certificates.watch import CertificateWatch, Rhythm
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.areas.renewal.models import (
    MANAGED_CERTIFICATE_KIND,
    HandOver,
    ManagedCertificate,
    ManagedOrigin,
    ManagedState,
)
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.harness.waiting import wait_until

NAME = "photos.lab.example"
KEPT = f"managed-{NAME}"
SERVED = f"{NAME}-443"
OLD, NEW = "a" * 64, "b" * 64


class House:
    """An agent that keeps a certificate, and an address that may show it."""

    def __init__(self, store: Store, resources: Resources, clock: HandClock) -> None:
        self.resources = resources
        self.clock = clock
        self.ends = {OLD: clock() + timedelta(days=40), NEW: clock() + timedelta(days=100)}
        self.stands = {KEPT: OLD, SERVED: OLD}
        self.board = CertificateBoard(CertificateStore(store, clock), resources, clock)
        rhythm = Rhythm(interval_s=3600, tick_s=0.02)
        self.watch = CertificateWatch(self.board, self.look, clock, rhythm)
        self.managed = ManagedCertificates(self.board, self.watch, resources, settle_s=0)

    async def look(self, place: Place) -> CertificateReport:
        fingerprint = self.stands[place.key]
        return CertificateReport(
            verdict=Verdict.TRUSTED,
            details=CertificateDetails(
                subject="",
                issuer="CN=Lab",
                names=(NAME,),
                not_before=self.clock() - timedelta(days=1),
                expires_at=self.ends[fingerprint],
                serial="1",
                key_type="EC",
                signature_algorithm="ECDSA with SHA-256",
                fingerprint_sha256=fingerprint,
            ),
            checked_at=self.clock(),
        )

    def keep(
        self, origin: ManagedOrigin, fingerprint: str, state: ManagedState = ManagedState.VALID
    ) -> None:
        self.stands[KEPT] = fingerprint
        self.resources.publish(
            MANAGED_CERTIFICATE_KIND,
            NAME,
            ManagedCertificate(
                key=NAME,
                names=(NAME,),
                origin=origin,
                state=state,
                fingerprint_sha256=fingerprint,
                hand_over=HandOver(),
            ),
        )

    async def serve(self) -> None:
        await self.board.put(endpoint_place(WatchBody(host=NAME), Origin.PERSON))
        await self.watch.look_now(SERVED)

    async def until_shown(self, *keys: str) -> Certificate:
        async def check() -> bool:
            return tuple(self.resources.keys(CERTIFICATE_KIND)) == keys

        await wait_until(check, what=f"{keys} alone")
        (found,) = self.resources.every(CERTIFICATE_KIND, Certificate)
        return found

    def told(self) -> list[str]:
        events = self.resources.every(CERTIFICATE_EVENT_KIND, CertificateEvent)
        return [f"{each.key} {each.type}" for each in events]

    async def until_rung_passed(self, key: str) -> None:
        """Let it come to a rung, and be looked at for it."""
        self.clock.advance(days=12)

        async def check() -> bool:
            watched = self.board.get(key)
            return watched is not None and watched.stage(self.clock()) is watched.told_stage()

        await wait_until(check, what="the rung to be noted")


@pytest.fixture
async def house(store: Store, resources: Resources, clock: HandClock) -> AsyncIterator[House]:
    house = House(store, resources, clock)
    tasks = [asyncio.create_task(each()) for each in (house.watch.run, house.managed.run)]
    await house.watch.loaded()
    yield house
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_uploaded_certificate_is_watched_and_warned_of_in_time(house: House) -> None:
    house.keep(ManagedOrigin.UPLOADED, OLD)
    found = await house.until_shown(KEPT)
    assert (found.source, found.managed) == (CertificateSource.MANAGED, NAME)
    assert (found.name, found.removable, found.kept_valid) == (NAME, False, False)

    await house.until_rung_passed(KEPT)
    await wait_until(lambda: _is_told(house, f"{KEPT} expiring"), what="the warning")


async def test_of_one_that_is_renewed_only_the_renewal_warns(house: House) -> None:
    house.keep(ManagedOrigin.ACME, OLD)
    assert (await house.until_shown(KEPT)).kept_valid
    await house.until_rung_passed(KEPT)
    assert house.told() == []


async def test_what_is_served_is_shown_there_and_not_twice(house: House) -> None:
    house.keep(ManagedOrigin.ACME, OLD)
    await house.until_shown(KEPT)
    await house.serve()
    found = await house.until_shown(SERVED)
    assert (found.managed, found.kept_valid) == (NAME, True)
    await house.until_rung_passed(SERVED)
    assert house.told() == []

    await house.board.remove(SERVED)
    await house.until_shown(KEPT)


async def test_a_renewed_certificate_that_is_not_served_is_warned_of_where_it_is_not(
    house: House,
) -> None:
    house.keep(ManagedOrigin.ACME, OLD)
    await house.until_shown(KEPT)
    await house.serve()
    await house.until_shown(SERVED)
    house.keep(ManagedOrigin.ACME, NEW)
    await house.watch.look_now(KEPT)

    found = await house.until_shown(SERVED)
    assert (found.managed, found.kept_valid) == (None, False)
    await house.until_rung_passed(SERVED)
    await wait_until(lambda: _is_told(house, f"{SERVED} expiring"), what="the warning")

    house.stands[SERVED] = NEW
    await house.watch.look_now(SERVED)
    assert (await house.until_shown(SERVED)).kept_valid


async def test_a_revoked_certificate_is_watched_no_longer(house: House) -> None:
    house.keep(ManagedOrigin.ACME, OLD)
    await house.until_shown(KEPT)
    house.keep(ManagedOrigin.ACME, OLD, ManagedState.REVOKED)

    async def check() -> bool:
        return not tuple(house.resources.keys(CERTIFICATE_KIND))

    await wait_until(check, what="none to be shown")


async def _is_told(house: House, what: str) -> bool:
    return what in house.told()
