"""What a person is told of disks: in time, once, and no longer than it is so."""

from datetime import UTC, datetime, timedelta

import pytest

from homelab_agent.areas.host.models import (
    DISK_HEALTH_KIND,
    FILESYSTEM_KIND,
    DiskHealth,
    DiskHealthState,
    FilesystemState,
)
from homelab_agent.areas.insight.kept import AVAILABLE
from homelab_agent.areas.insight.models import (
    DISK_FORECAST_KIND,
    FINDING_KIND,
    FindingSeverity,
)
from tests.unit.agent.areas.insight.conftest import GB, Homelab

HOUR_S = 3600.0


def fill(homelab: Homelab, *, per_day: float, left: float, days: int = 20) -> None:
    """Have a past of even growth, down to what is left now."""
    hours = days * 24
    past = [left + per_day * (hours - hour) / 24 for hour in range(hours)]
    homelab.past(AVAILABLE, "/srv", past, HOUR_S)
    homelab.have_filesystem("/srv", left)


async def test_a_disk_that_is_full_in_five_days_is_a_warning_with_its_evidence(
    homelab: Homelab,
) -> None:
    fill(homelab, per_day=10 * GB, left=50 * GB)
    await homelab.look()

    forecast = homelab.forecast("/srv")
    assert forecast.days_until_full == pytest.approx(5, abs=0.2)
    assert forecast.full_at is not None
    days = timedelta(days=forecast.days_until_full or 0)
    assert abs(forecast.full_at - homelab.time.wall() - days) < timedelta(minutes=1)
    assert forecast.samples > 100
    finding = homelab.findings["disk_filling:/srv"]
    assert finding.severity is FindingSeverity.WARNING
    assert finding.subject == "/srv"
    assert finding.message == "/srv will be full in 5 days: it grows by 10 GB a day."
    facts = {fact.name: fact.value for fact in finding.evidence}
    assert facts["available"] == 50 * GB
    assert facts["growth per day"] == pytest.approx(10 * GB, rel=0.02)


async def test_a_disk_that_is_full_tomorrow_is_critical(homelab: Homelab) -> None:
    fill(homelab, per_day=50 * GB, left=55 * GB, days=8)
    await homelab.look()
    assert homelab.findings["disk_filling:/srv"].severity is FindingSeverity.CRITICAL


async def test_a_disk_that_was_cleaned_up_is_no_longer_told_of(homelab: Homelab) -> None:
    fill(homelab, per_day=10 * GB, left=40 * GB)
    await homelab.look()
    assert "disk_filling:/srv" in homelab.findings
    homelab.have_filesystem("/srv", 240 * GB)
    await homelab.look(5)
    assert "disk_filling:/srv" not in homelab.findings
    assert homelab.forecast("/srv").days_until_full is None


async def test_a_forecast_at_the_edge_does_not_come_and_go(homelab: Homelab) -> None:
    fill(homelab, per_day=10 * GB, left=69 * GB)
    await homelab.look()
    since = homelab.findings["disk_filling:/srv"].since
    with homelab.resources.subscribe(kinds=(FINDING_KIND,)) as changes:
        for left in (71, 69, 72, 74, 70):
            homelab.have_filesystem("/srv", left * GB)
            await homelab.look()
        changes.close()
        told = [change async for batch in changes.batches() for change in batch]
    assert all(change.data is not None for change in told)
    assert homelab.findings["disk_filling:/srv"].since == since


async def test_a_forecast_that_is_unknown_for_one_look_ends_no_warning(homelab: Homelab) -> None:
    fill(homelab, per_day=10 * GB, left=50 * GB)
    await homelab.look()
    since = homelab.findings["disk_filling:/srv"].since
    homelab.have_filesystem("/srv", 50 * GB, state=FilesystemState.UNREADABLE)
    await homelab.look(2)
    assert homelab.findings["disk_filling:/srv"].since == since
    homelab.have_filesystem("/srv", 50 * GB)
    await homelab.look()
    assert homelab.findings["disk_filling:/srv"].since == since
    homelab.have_filesystem("/srv", 50 * GB, state=FilesystemState.UNREADABLE)
    await homelab.look(3)
    assert homelab.findings == {}


async def test_an_unchanged_forecast_is_not_told_again(homelab: Homelab) -> None:
    homelab.have_filesystem("/srv", 200 * GB)
    homelab.past(AVAILABLE, "/srv", [200 * GB] * 200, HOUR_S)
    await homelab.look()
    with homelab.resources.subscribe(kinds=(DISK_FORECAST_KIND,)) as changes:
        await homelab.look(20)
        changes.close()
        assert [batch async for batch in changes.batches()] == []


async def test_another_disk_at_the_same_place_has_no_past(homelab: Homelab) -> None:
    fill(homelab, per_day=10 * GB, left=50 * GB)
    await homelab.look(2)
    homelab.have_filesystem("/srv", 60 * GB, size=900 * GB)
    await homelab.look()
    reason = homelab.forecast("/srv").reason
    assert reason is not None
    assert "Too little is known yet" in reason


async def test_a_forecast_goes_with_its_file_system(homelab: Homelab) -> None:
    fill(homelab, per_day=10 * GB, left=50 * GB)
    await homelab.look()
    homelab.resources.remove(FILESYSTEM_KIND, "/srv")
    await homelab.look(3)
    assert homelab.resources.keys(DISK_FORECAST_KIND) == ()
    assert homelab.findings == {}


@pytest.mark.parametrize(
    ("available", "size", "severity"),
    [
        (4 * GB, 100 * GB, FindingSeverity.WARNING),
        (0.5 * GB, 100 * GB, FindingSeverity.CRITICAL),
        (15 * GB, 20_000 * GB, FindingSeverity.WARNING),
        (0.02 * GB, 0.5 * GB, FindingSeverity.WARNING),
        (0, 0.5 * GB, FindingSeverity.CRITICAL),
        # A person accepts these.
        (600 * GB, 20_000 * GB, None),
        (0.3 * GB, 0.5 * GB, None),
        (6 * GB, 100 * GB, None),
    ],
)
async def test_full_is_what_a_person_calls_full(
    homelab: Homelab, available: float, size: float, severity: FindingSeverity | None
) -> None:
    homelab.have_filesystem("/", available, size=size)
    await homelab.look()
    found = homelab.findings.get("disk_full:/")
    assert (found.severity if found else None) == severity


async def test_a_full_disk_is_good_again_only_with_some_room(homelab: Homelab) -> None:
    homelab.have_filesystem("/", 4.9 * GB, size=100 * GB)
    await homelab.look()
    homelab.have_filesystem("/", 5.5 * GB, size=100 * GB)
    await homelab.look()
    assert "disk_full:/" in homelab.findings
    homelab.have_filesystem("/", 6.5 * GB, size=100 * GB)
    await homelab.look()
    assert homelab.findings == {}


async def test_a_disk_without_inodes_is_full_too(homelab: Homelab) -> None:
    homelab.have_filesystem(
        "/", 50 * GB, size=100 * GB, inodes=1000, inodes_used=995, inodes_percent=99.5
    )
    await homelab.look()
    finding = homelab.findings["disk_full:/"]
    assert finding.severity is FindingSeverity.CRITICAL
    assert "inodes" in finding.message


async def test_an_image_is_full_by_nature(homelab: Homelab) -> None:
    homelab.have_filesystem("/snap/core", 0, size=0.1 * GB, type="squashfs")
    await homelab.look()
    assert homelab.findings == {}
    assert homelab.forecast("/snap/core").reason == "Nothing can be written to it."


@pytest.mark.parametrize("state", [FilesystemState.GONE, FilesystemState.HANGING])
async def test_a_share_that_is_lost_is_told_until_it_is_back(
    homelab: Homelab, state: FilesystemState
) -> None:
    homelab.have_filesystem("/mnt/nas", 50 * GB)
    await homelab.look()
    homelab.have_filesystem("/mnt/nas", 50 * GB, state=state, device="nas:/backup")
    await homelab.look(2)
    assert homelab.findings["filesystem_lost:/mnt/nas"].severity is FindingSeverity.CRITICAL
    homelab.have_filesystem("/mnt/nas", 50 * GB)
    await homelab.look()
    assert homelab.findings == {}


@pytest.mark.parametrize("state", [FilesystemState.GONE, FilesystemState.HANGING])
async def test_a_share_that_only_took_its_time_is_no_finding(
    homelab: Homelab, state: FilesystemState
) -> None:
    """As a NAS whose disks sleep, and as one that is mounted anew."""
    for _ in range(3):
        homelab.have_filesystem("/mnt/nas", 50 * GB, state=state)
        await homelab.look()
        await homelab.look(every_s=60)
        assert homelab.findings == {}
        homelab.have_filesystem("/mnt/nas", 50 * GB)
        await homelab.look()
        assert homelab.findings == {}


async def test_read_only_is_a_finding_only_where_it_was_not_so_before(homelab: Homelab) -> None:
    homelab.have_filesystem("/", 50 * GB)
    homelab.have_filesystem("/media/dvd", 0, size=4 * GB, state=FilesystemState.READ_ONLY)
    await homelab.look()
    assert homelab.findings == {}
    homelab.have_filesystem("/", 50 * GB, state=FilesystemState.READ_ONLY)
    await homelab.look()
    assert list(homelab.findings) == ["filesystem_read_only:/"]
    since = homelab.findings["filesystem_read_only:/"].since

    homelab.begin()
    await homelab.load()
    await homelab.look()
    assert homelab.findings["filesystem_read_only:/"].since == since
    homelab.have_filesystem("/", 50 * GB)
    await homelab.look()
    assert homelab.findings == {}


async def test_a_disk_that_says_it_fails_is_believed(homelab: Homelab) -> None:
    def have(state: DiskHealthState) -> None:
        disk = DiskHealth(
            key="sda",
            state=state,
            reason="8 sectors cannot be read.",
            model="ST4000",
            pending_sectors=8,
            checked_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
        homelab.resources.publish(DISK_HEALTH_KIND, "sda", disk)

    have(DiskHealthState.WORN)
    await homelab.look()
    assert homelab.findings["disk_failing:sda"].severity is FindingSeverity.WARNING
    have(DiskHealthState.FAILING)
    await homelab.look()
    finding = homelab.findings["disk_failing:sda"]
    assert finding.severity is FindingSeverity.CRITICAL
    assert finding.message == "The disk sda (ST4000) is failing: 8 sectors cannot be read."
    have(DiskHealthState.OK)
    await homelab.look()
    assert homelab.findings == {}


async def test_since_outlives_a_restart_and_what_ended_meanwhile_is_not_shown(
    homelab: Homelab,
) -> None:
    homelab.have_filesystem("/", 1 * GB, size=100 * GB)
    homelab.have_filesystem("/old", 1 * GB, size=100 * GB)
    await homelab.look()
    since = homelab.findings["disk_full:/"].since
    homelab.resources.remove(FILESYSTEM_KIND, "/old")
    homelab.begin()
    await homelab.load()
    homelab.time.pass_by(7200)
    await homelab.look()
    assert list(homelab.findings) == ["disk_full:/"]
    assert homelab.findings["disk_full:/"].since == since
    homelab.begin()
    await homelab.load()
    homelab.have_filesystem("/old", 1 * GB, size=100 * GB)
    await homelab.look()
    assert homelab.findings["disk_full:/old"].since > since


async def test_what_a_person_has_to_mend_is_never_gone_while_the_agent_restarts(
    homelab: Homelab,
) -> None:
    disk = DiskHealth(key="sda", state=DiskHealthState.FAILING, checked_at=homelab.time.wall())
    homelab.have_filesystem("/", 1 * GB, size=100 * GB)
    homelab.resources.publish(DISK_HEALTH_KIND, "sda", disk)
    await homelab.look()
    before = homelab.findings
    assert set(before) == {"disk_full:/", "disk_failing:sda"}

    homelab.resources.remove(FILESYSTEM_KIND, "/")
    homelab.resources.remove(DISK_HEALTH_KIND, "sda")
    homelab.begin()
    await homelab.load()
    assert homelab.findings == before
    await homelab.watch.look_at_facts()
    assert homelab.findings == before, "neither file systems nor disks were looked at yet"

    homelab.have_filesystem("/", 90 * GB, size=100 * GB)
    await homelab.watch.look_at_facts()
    assert homelab.findings == {"disk_failing:sda": before["disk_failing:sda"]}
    homelab.resources.publish(DISK_HEALTH_KIND, "sda", disk)
    await homelab.watch.look_at_facts()
    assert homelab.findings == {"disk_failing:sda": before["disk_failing:sda"]}


async def test_what_nobody_can_judge_any_more_is_not_shown_for_ever_after_a_restart(
    homelab: Homelab,
) -> None:
    disk = DiskHealth(key="sda", state=DiskHealthState.FAILING, checked_at=homelab.time.wall())
    homelab.resources.publish(DISK_HEALTH_KIND, "sda", disk)
    await homelab.look()
    homelab.resources.remove(DISK_HEALTH_KIND, "sda")
    homelab.begin()
    await homelab.load()
    await homelab.look(times=7)
    assert homelab.findings == {}
