"""Sixty days in the life of a certificate, with a clock of our own: what is told, and how often.

The board, its store and the watch are real; only what stands at the address is made up.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from homelab_agent.areas.certificates.board import CertificateBoard
from homelab_agent.areas.certificates.models import (
    CERTIFICATE_EVENT_KIND,
    CERTIFICATE_KIND,
    Certificate,
    CertificateDetails,
    CertificateEvent,
    CertificateReport,
    Verdict,
    WatchBody,
)
from homelab_agent.areas.certificates.places import endpoint_place
from homelab_agent.areas.certificates.seen import LOOKS_WITHOUT
from homelab_agent.areas.certificates.store import CertificateStore
from homelab_agent.areas.certificates.watch import CertificateWatch, Rhythm
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock

HOST = "nas.lab.example"
KEY = f"{HOST}-443"
LOOK_EVERY_H = 6


@dataclass
class Life:
    """One address, whoever watches it, and what Home Assistant would hear."""

    store: Store
    clock: HandClock
    fingerprint: str = "a" * 64
    issuer: str = "CN=Lab Authority"
    days: float = 60
    verdict: Verdict = Verdict.TRUSTED
    away: bool = False
    breaks_down: bool = False
    looks: int = 0
    told: list[tuple[int, str, str]] = field(default_factory=list)
    changes: int = 0

    def __post_init__(self) -> None:
        self.began = self.clock()
        self.expires_at = self.began + timedelta(days=self.days)
        self._numbers: set[int] = set()
        self.start()

    def start(self) -> None:
        """Start the agent anew: it remembers only what is stored."""
        self.resources = Resources()
        self.board = CertificateBoard(
            CertificateStore(self.store, self.clock), self.resources, self.clock
        )
        rhythm = Rhythm(interval_s=LOOK_EVERY_H * 3600)
        self.watch = CertificateWatch(self.board, self.look, self.clock, rhythm)
        self._heard = self.resources.subscribe(kinds=(CERTIFICATE_EVENT_KIND, CERTIFICATE_KIND))
        self._changes = self._heard.__enter__()

    async def restart(self) -> None:
        """End the agent and start it again."""
        await self.hear()
        self.start()
        await self.begin()

    async def begin(self) -> None:
        """Let the agent take up what it knew, and watch the address."""
        await self.board.load()
        await self.board.put(endpoint_place(WatchBody(host=HOST), Origin.PERSON))
        await self.tick()

    async def look(self, _place: Place) -> CertificateReport:
        """Show what stands at the address now."""
        self.looks += 1
        now = self.clock()
        if self.breaks_down:
            raise TypeError("a mistake in reading this one certificate")
        if self.away:
            return CertificateReport(
                verdict=Verdict.UNREACHABLE, reason="Nothing listens there.", checked_at=now
            )
        verdict = Verdict.EXPIRED if now >= self.expires_at else self.verdict
        return CertificateReport(
            verdict=verdict,
            reason=None if verdict is Verdict.TRUSTED else "It is bad.",
            details=CertificateDetails(
                subject=f"CN={HOST}",
                issuer=self.issuer,
                names=(HOST,),
                not_before=self.began - timedelta(days=1),
                expires_at=self.expires_at,
                serial="1",
                key_type="EC",
                signature_algorithm="ECDSA with SHA-256",
                fingerprint_sha256=self.fingerprint,
            ),
            checked_at=now,
        )

    def renew(self, *, days: float, issuer: str | None = None) -> None:
        """Put another certificate there."""
        self.fingerprint = chr(ord(self.fingerprint[0]) + 1) * 64
        self.expires_at = self.clock() + timedelta(days=days)
        self.issuer = issuer or self.issuer

    async def tick(self) -> None:
        """Have the agent do what is due, and hear what it tells."""
        await self.watch.catch_up()
        await self.hear()

    async def hours(self, count: int, *, looking: bool = True) -> None:
        """Let time pass, with a look at its usual times."""
        for hour in range(count):
            self.clock.advance(hours=1)
            if looking and hour % LOOK_EVERY_H == 0:
                self.watch.request(KEY)
            await self.tick()

    async def hear(self) -> None:
        """Take in what was published, as Home Assistant does: the same number, the same event."""
        self._changes.close()
        async for batch in self._changes.batches():
            for change in batch:
                self.changes += change.kind == CERTIFICATE_KIND
                event = change.data
                if isinstance(event, CertificateEvent) and event.number not in self._numbers:
                    self._numbers.add(event.number)
                    day = round((event.at - self.began) / timedelta(days=1))
                    self.told.append((day, event.type.value, event.stage.value))
        self._heard.__exit__(None, None, None)
        self._heard = self.resources.subscribe(
            kinds=(CERTIFICATE_EVENT_KIND, CERTIFICATE_KIND),
            resume=(self.resources.epoch, self.resources.seq),
        )
        self._changes = self._heard.__enter__()

    @property
    def shown(self) -> Certificate:
        """The certificate as it is published."""
        shown = self.resources.get(CERTIFICATE_KIND, KEY)
        assert isinstance(shown, Certificate)
        return shown

    @property
    def event(self) -> CertificateEvent:
        """The newest event."""
        event = self.resources.get(CERTIFICATE_EVENT_KIND, KEY)
        assert isinstance(event, CertificateEvent)
        return event


LADDER = [
    (30, "expiring", "days_30"),
    (46, "expiring", "days_14"),
    (53, "expiring", "days_7"),
    (57, "expiring", "days_3"),
    (59, "expiring", "days_1"),
    (60, "expired", "expired"),
]


@pytest.fixture
async def life(store: Store, clock: HandClock) -> AsyncIterator[Life]:
    life = Life(store, clock)
    await life.begin()
    yield life
    await life.hear()


async def test_each_rung_is_told_once_on_its_day(life: Life) -> None:
    await life.hours(63 * 24)

    assert life.told == LADDER
    assert life.shown.verdict is Verdict.EXPIRED
    assert life.shown.days_left == -3


async def test_a_restart_every_day_tells_nothing_twice_and_forgets_nothing(life: Life) -> None:
    for _ in range(63):
        await life.hours(24)
        await life.restart()

    assert life.told == LADDER


async def test_of_the_rungs_that_passed_while_the_agent_was_away_only_the_lowest_is_told(
    life: Life,
) -> None:
    await life.hours(31 * 24)
    life.clock.advance(days=25)
    await life.restart()
    await life.restart()

    assert life.told == [LADDER[0], (56, "expiring", "days_7")]


async def test_a_certificate_that_is_renewed_in_time_begins_a_new_ladder(life: Life) -> None:
    await life.hours(47 * 24)
    life.renew(days=90)
    await life.hours(24)

    assert life.told == [*LADDER[:2], (47, "changed", "fine")]
    assert life.event.old_fingerprint_sha256 == "a" * 64
    assert life.event.new_fingerprint_sha256 == "b" * 64
    assert life.event.expires_at == life.expires_at
    assert life.shown.changed_at is not None

    await life.hours(61 * 24)
    assert life.told[-1][1:] == ("expiring", "days_30")


async def test_a_renewal_that_was_not_seen_yet_is_looked_for_before_a_rung_is_told(
    life: Life,
) -> None:
    await life.hours(45 * 24 + 20)
    life.renew(days=90)
    await life.hours(8, looking=False)

    assert life.told == [LADDER[0], (46, "changed", "fine")], "no warning of what is not there"


async def test_a_renewal_after_the_end_is_a_change_and_a_recovery(life: Life) -> None:
    await life.hours(61 * 24)
    life.renew(days=90)
    await life.hours(7)

    assert [each[1] for each in life.told[-3:]] == ["expired", "changed", "recovered"]


async def test_servers_behind_one_address_that_answer_by_turns_are_no_news(life: Life) -> None:
    await life.hours(24)
    ends = {"a" * 64: life.expires_at, "b" * 64: life.expires_at + timedelta(days=20)}
    for _ in range(40):
        for life.fingerprint, life.expires_at in ends.items():
            await life.hours(LOOK_EVERY_H)
        await life.restart()

    assert [each[1] for each in life.told] == ["changed"]
    life.fingerprint = "c" * 64
    await life.hours(LOOK_EVERY_H)
    assert [each[1] for each in life.told] == ["changed", "changed"]


async def test_a_pair_of_which_one_is_bad_is_one_problem_until_the_bad_one_is_gone(
    life: Life,
) -> None:
    good, bad = "a" * 64, "b" * 64
    for _ in range(40):
        for life.fingerprint, life.verdict in (
            (good, Verdict.TRUSTED),
            (bad, Verdict.SELF_SIGNED),
        ):
            await life.hours(LOOK_EVERY_H)
        await life.restart()

    assert [each[1] for each in life.told] == ["changed", "problem"]
    shown = life.board.shown(KEY)
    assert shown is not None
    assert (shown.verdict, shown.shown_by_turns) == (Verdict.SELF_SIGNED, 2)
    assert shown.reason == "2 certificates are shown here by turns. The worst of them: It is bad."
    assert shown.details is not None
    assert shown.details.fingerprint_sha256 == bad

    life.fingerprint, life.verdict = good, Verdict.TRUSTED
    for _ in range(LOOKS_WITHOUT):
        await life.watch.look_now(KEY)
    await life.hear()
    assert [each[1] for each in life.told] == ["changed", "problem", "recovered"]
    shown = life.board.shown(KEY)
    assert shown is not None
    assert (shown.verdict, shown.shown_by_turns, shown.reason) == (Verdict.TRUSTED, 1, None)


async def test_of_a_pair_the_one_that_ends_first_goes_down_the_ladder(
    store: Store, clock: HandClock
) -> None:
    life = Life(store, clock, days=35)
    await life.begin()
    ends = {"b" * 64: life.expires_at + timedelta(days=60), "a" * 64: life.expires_at}
    for _ in range(24):
        for life.fingerprint, life.expires_at in ends.items():
            await life.hours(LOOK_EVERY_H)

    assert [each[1:] for each in life.told] == [("changed", "fine"), ("expiring", "days_30")]
    shown = life.board.shown(KEY)
    assert shown is not None
    assert shown.details is not None
    assert shown.details.expires_at == ends["a" * 64], "it does not jump to and fro"


async def test_a_look_that_breaks_down_ends_neither_the_watch_nor_the_agent(life: Life) -> None:
    await life.hours(24)
    life.breaks_down = True
    await life.hours(24)
    life.breaks_down = False
    looks = life.looks
    await life.hours(24)

    assert life.looks > looks
    assert life.shown.verdict is Verdict.TRUSTED


@pytest.mark.parametrize("year", [1, 1950, 9999])
async def test_a_certificate_ends_in_any_year_that_somebody_may_write(
    life: Life, year: int
) -> None:
    life.expires_at = datetime(year, 1, 1, tzinfo=UTC)
    await life.hours(24)

    watching = asyncio.create_task(life.watch.run())
    await asyncio.sleep(0.05)
    assert not watching.done()
    watching.cancel()


async def test_another_issuer_and_an_earlier_end_are_told_with_the_change(life: Life) -> None:
    await life.hours(24)
    life.renew(days=40, issuer="CN=Somebody Else")
    await life.hours(7)

    assert "issued by CN=Somebody Else" in (life.event.reason or "")
    assert "ends earlier" in (life.event.reason or "")


async def test_a_clock_that_is_set_tells_nothing_twice(life: Life) -> None:
    await life.hours(30 * 24 + 2)
    for step in (-3, 3, -24, 24):
        life.clock.advance(hours=step)
        await life.tick()
        await life.hours(1)
    assert life.told == LADDER[:1]

    life.clock.advance(days=16)
    await life.tick()
    assert life.told == LADDER[:2], "a step over a rung is told by the clock that there is"
    life.clock.advance(days=-16)
    await life.restart()
    assert life.shown.days_left == 29, "days left follow the clock"
    await life.hours(18 * 24)
    assert life.told == LADDER[:2]


async def test_one_failed_look_is_no_problem_and_three_are(life: Life) -> None:
    await life.hours(24)
    life.away = True
    for tries in range(1, 4):
        life.watch.request(KEY)
        await life.tick()
        assert bool(life.told) == (tries == 3)
    assert life.shown.verdict is Verdict.UNREACHABLE
    assert life.shown.details is not None, "what was read last stays"
    assert life.shown.checked_at != life.shown.read_at

    life.away = False
    await life.hours(1)
    assert [each[1] for each in life.told] == ["problem", "recovered"]


async def test_a_rung_is_told_also_of_a_host_that_is_away(life: Life) -> None:
    await life.hours(29 * 24)
    life.away = True
    await life.hours(3 * 24)

    assert [each[1:] for each in life.told] == [("problem", "fine"), ("expiring", "days_30")]


async def test_a_verdict_that_turns_is_told_and_one_that_was_always_bad_is_not(
    store: Store, clock: HandClock
) -> None:
    life = Life(store, clock, verdict=Verdict.SELF_SIGNED)
    await life.begin()
    await life.hours(24)
    assert life.told == [], "a person who adds a self-signed one knows"

    life.verdict = Verdict.TRUSTED
    await life.hours(7)
    life.verdict = Verdict.WRONG_NAME
    await life.hours(7)
    await life.hear()
    assert [each[1] for each in life.told] == ["recovered", "problem"]


async def test_what_is_near_its_end_when_it_is_first_seen_is_told_once(
    store: Store, clock: HandClock
) -> None:
    life = Life(store, clock, days=5)
    await life.begin()
    await life.restart()

    await life.hear()
    assert life.told == [(0, "expiring", "days_7")]


async def test_time_alone_changes_what_is_shown_once_a_day(life: Life) -> None:
    before = life.changes
    for _ in range(3 * 24 * 60):
        life.clock.advance(minutes=1)
        await life.tick()

    assert life.looks == 1
    assert life.changes - before == 3


async def test_an_event_that_a_killed_agent_had_only_stored_is_told_once_after_its_restart(
    life: Life, store: Store
) -> None:
    await life.hours(30 * 24)
    (event,) = [life.event]
    # As a kill between storing and publishing leaves it.
    rows = CertificateStore(store, life.clock)
    (watched,) = await rows.load()
    await rows.save(watched.model_copy(update={"untold": (event,)}))
    life.told.clear()
    life._numbers.clear()

    await life.restart()
    assert life.told == LADDER[:1]
    life._numbers.clear()
    await life.restart()
    assert life.told == LADDER[:1]


async def test_a_store_that_fails_tells_nothing_and_is_not_tried_in_a_loop(
    store: Store, clock: HandClock
) -> None:
    life = Life(store, clock)
    await life.begin()
    async with store.write() as connection:
        await connection.execute(text("drop table watched_certificate"))
    clock.advance(days=31)
    for _ in range(50):
        await life.tick()

    assert life.looks == 2
    assert life.told == []
