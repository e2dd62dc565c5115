"""What is watched without anybody having asked, and how the watch keeps going."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from homelab_agent.areas.certificates.board import CertificateBoard
from homelab_agent.areas.certificates.models import (
    CERTIFICATE_EVENT_KIND,
    CERTIFICATE_KIND,
    Certificate,
    CertificateDetails,
    CertificateEvent,
    CertificateReport,
    StartTls,
    Verdict,
    WatchBody,
)
from homelab_agent.areas.certificates.monitored import MonitoredCertificates
from homelab_agent.areas.certificates.places import endpoint_place
from homelab_agent.areas.certificates.store import CertificateStore
from homelab_agent.areas.certificates.watch import CertificateWatch, Rhythm
from homelab_agent.areas.certificates.watched import Origin, Place
from homelab_agent.areas.monitors.check_settings import CheckType
from homelab_agent.areas.monitors.models import (
    MONITOR_KIND,
    Monitor,
    MonitorSource,
    MonitorState,
    MonitorTier,
    Slo,
)
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.harness.waiting import wait_until


def monitor(key: str, kind: CheckType, target: str, *, state: MonitorState) -> Monitor:
    return Monitor(
        key=key,
        name=key,
        type=kind,
        target=target,
        tier=MonitorTier.OPTIONAL,
        source=MonitorSource.PERSON,
        interval_s=60,
        container="media:web:1",
        state=state,
        slo=Slo(),
    )


class Area:
    """The watch with all that it follows; every host shows a certificate, but those that hang."""

    def __init__(self, store: Store, resources: Resources, clock: HandClock) -> None:
        self.resources = resources
        self.clock = clock
        self.ends_at = clock() + timedelta(days=40)
        self.hanging: set[str] = set()
        self.away = False
        self.board = CertificateBoard(CertificateStore(store, clock), resources, clock)
        rhythm = Rhythm(interval_s=3600, tick_s=0.02, retry_s=0.02)
        self.watch = CertificateWatch(self.board, self.look, clock, rhythm)
        self.monitors_known = asyncio.Event()
        self.monitored = MonitoredCertificates(self.watch, resources, self.monitors_known.wait)

    async def look(self, place: Place) -> CertificateReport:
        if place.host in self.hanging:
            await asyncio.Event().wait()
        if self.away:
            return CertificateReport(verdict=Verdict.UNREACHABLE, checked_at=self.clock())
        return CertificateReport(
            verdict=Verdict.TRUSTED,
            details=CertificateDetails(
                subject="",
                issuer="CN=Lab",
                names=(place.host or "",),
                not_before=self.clock() - timedelta(days=1),
                expires_at=self.ends_at,
                serial="1",
                key_type="EC",
                signature_algorithm="ECDSA with SHA-256",
                fingerprint_sha256="a" * 64,
            ),
            checked_at=self.clock(),
        )

    def shown(self) -> dict[str, Certificate]:
        found = (
            self.resources.get(CERTIFICATE_KIND, key)
            for key in self.resources.keys(CERTIFICATE_KIND)
        )
        return {each.key: each for each in found if isinstance(each, Certificate)}

    async def until_shown(self, *keys: str) -> dict[str, Certificate]:
        async def check() -> bool:
            return set(self.shown()) == set(keys)

        await wait_until(check, what=f"{keys}, shown are {tuple(self.shown())}")
        return self.shown()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each()) for each in (self.watch.run, self.monitored.run)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def area(store: Store, resources: Resources, clock: HandClock) -> AsyncIterator[Area]:
    area = Area(store, resources, clock)
    area.monitors_known.set()
    async with area.running():
        yield area


async def test_the_certificates_of_monitored_services_are_watched_while_their_monitors_are_there(
    area: Area,
) -> None:
    for each in (
        monitor("web", CheckType.HTTP, "https://web.lab.example/path", state=MonitorState.UP),
        monitor("web2", CheckType.HTTP, "https://web.lab.example/other", state=MonitorState.UP),
        monitor("plain", CheckType.HTTP, "http://plain.lab.example", state=MonitorState.UP),
        monitor("tls", CheckType.TLS, "[fd00::1]:8443", state=MonitorState.UP),
        monitor("mail", CheckType.TLS, "mail.lab.example:2525", state=MonitorState.UP).model_copy(
            update={"start_tls": StartTls.SMTP, "server_name": "smtp.lab.example"}
        ),
        monitor("dns", CheckType.DNS, "lab.example A", state=MonitorState.UP),
        monitor("odd", CheckType.HTTP, "https://:99999999/", state=MonitorState.UP),
    ):
        area.resources.publish(MONITOR_KIND, each.key, each)
    address = endpoint_place(WatchBody(host="fd00::1", port=8443), Origin.MONITOR).key
    server_name, start_tls = "smtp.lab.example", StartTls.SMTP
    body = WatchBody(
        host="mail.lab.example", port=2525, server_name=server_name, start_tls=start_tls
    )
    mail = endpoint_place(body, Origin.MONITOR).key
    shown = await area.until_shown("web.lab.example-443", mail, address)

    web = shown["web.lab.example-443"]
    assert (web.container, web.monitor, web.removable) == ("media:web:1", "web", False)
    assert (shown[mail].server_name, shown[mail].start_tls) == (server_name, start_tls)
    assert (shown[address].host, shown[address].port) == ("fd00::1", 8443)

    area.resources.remove(MONITOR_KIND, "web")
    area.resources.remove(MONITOR_KIND, "tls")
    await area.until_shown("web.lab.example-443", mail)

    async def is_the_others() -> bool:
        return area.shown()["web.lab.example-443"].monitor == "web2"

    # One after the other is taken over, and each is kept before it is shown.
    await wait_until(is_the_others, what="it to be the other monitor's")


async def test_what_a_person_asked_for_stays_theirs_and_forgetting_it_leaves_what_is_found(
    area: Area,
) -> None:
    await area.watch.loaded()
    mine = endpoint_place(WatchBody(host="web.lab.example", name="Mine"), Origin.PERSON)
    await area.board.put(mine)
    await area.watch.look_now(mine.key)
    web = monitor("web", CheckType.HTTP, "https://web.lab.example", state=MonitorState.UP)
    area.resources.publish(MONITOR_KIND, "web", web)

    shown = (await area.until_shown(mine.key))[mine.key]
    assert (shown.name, shown.removable) == ("Mine", True)

    area.resources.remove(MONITOR_KIND, "web")
    await area.until_shown(mine.key)
    area.resources.publish(MONITOR_KIND, "web", web)
    await area.until_shown(mine.key)
    await area.board.remove(mine.key)
    again = (await area.until_shown(mine.key))[mine.key]
    assert (again.name, again.removable) == ("web", False)


async def test_hosts_that_hang_delay_neither_a_person_nor_the_warning_of_another(
    area: Area,
) -> None:
    await area.watch.loaded()
    for number in range(20):
        area.hanging.add(f"h{number}.lab.example")
        await area.board.put(
            endpoint_place(WatchBody(host=f"h{number}.lab.example"), Origin.PERSON)
        )
    await asyncio.sleep(0.1)
    mine = endpoint_place(WatchBody(host="web.lab.example"), Origin.PERSON)
    await area.board.put(mine)
    async with asyncio.timeout(5):
        await area.watch.look_now(mine.key)

    assert area.shown()[mine.key].verdict is Verdict.TRUSTED


async def test_the_moment_a_rung_is_reached_is_not_missed_by_the_running_watch(area: Area) -> None:
    await area.watch.loaded()
    await area.board.put(endpoint_place(WatchBody(host="web.lab.example"), Origin.PERSON))
    await area.until_shown("web.lab.example-443")
    area.clock.advance(days=10, seconds=1)

    async def told() -> CertificateEvent | None:
        event = area.resources.get(CERTIFICATE_EVENT_KIND, "web.lab.example-443")
        return event if isinstance(event, CertificateEvent) else None

    event = await wait_until(told, what="the warning")
    assert (event.stage.value, event.days_left) == ("days_30", 29)


async def test_what_is_forgotten_while_it_is_looked_at_does_not_come_back_with_a_restart(
    area: Area, store: Store
) -> None:
    await area.watch.loaded()
    mine = endpoint_place(WatchBody(host="web.lab.example"), Origin.PERSON)
    await area.board.put(mine)
    await asyncio.gather(
        *(area.watch.look_now(mine.key) for _ in range(5)), area.board.remove(mine.key)
    )

    assert await CertificateStore(store, area.clock).load() == ()
    assert area.shown() == {}


async def test_a_host_that_was_away_is_soon_seen_to_be_back(area: Area) -> None:
    await area.watch.loaded()
    mine = endpoint_place(WatchBody(host="web.lab.example"), Origin.PERSON)
    await area.board.put(mine)
    await area.until_shown(mine.key)

    async def told(event_type: str) -> bool:
        event = area.resources.get(CERTIFICATE_EVENT_KIND, mine.key)
        return isinstance(event, CertificateEvent) and event.type.value == event_type

    area.away = True
    await area.watch.look_now(mine.key)
    await wait_until(lambda: told("problem"), what="the problem, though nobody asked again")
    area.away = False
    await wait_until(lambda: told("recovered"), what="the recovery, long before the next look")


async def test_what_was_found_before_a_restart_is_shown_at_once_and_never_gone_meanwhile(
    store: Store, clock: HandClock
) -> None:
    before, after = Area(store, Resources(), clock), Area(store, Resources(), clock)

    def monitored(area: Area, *names: str) -> None:
        for name in names:
            found = monitor(name, CheckType.TLS, f"{name}.lab.example:443", state=MonitorState.UP)
            area.resources.publish(MONITOR_KIND, name, found)

    async with before.running():
        before.monitors_known.set()
        monitored(before, "web", "gone")
        await before.until_shown("web.lab.example-443", "gone.lab.example-443")
        before.resources.remove(MONITOR_KIND, "gone")
        await before.until_shown("web.lab.example-443")

    with after.resources.subscribe(kinds=(CERTIFICATE_KIND,)) as subscription:
        async with after.running():
            await after.watch.loaded()
            assert set(after.shown()) == {"web.lab.example-443"}
            monitored(after, "web", "new")
            after.monitors_known.set()
            await after.until_shown("web.lab.example-443", "new.lab.example-443")
        subscription.close()
        changes = [each async for batch in subscription.batches() for each in batch]
    assert [each.key for each in changes if each.data is None] == []
