"""What is told of file systems: how full, hanging, gone."""

from datetime import UTC, datetime

import pytest

from homelab_agent.areas.host.filesystems import FilesystemWatch
from homelab_agent.areas.host.models import FILESYSTEM_KIND, Filesystem, FilesystemState
from homelab_agent.platform.resources import Resources
from tests.clock import HandClock
from tests.fakes.machine import SetMachine, mounted


@pytest.fixture
def machine(clock: HandClock) -> SetMachine:
    return SetMachine(clock)


def watch_of(machine: SetMachine, resources: Resources, remembered_s: float) -> FilesystemWatch:
    return FilesystemWatch(machine, resources, interval_s=60, remembered_s=remembered_s)


def shown(resources: Resources, place: str) -> Filesystem | None:
    known = resources.get(FILESYSTEM_KIND, place)
    assert known is None or isinstance(known, Filesystem)
    return known


async def test_how_full_it_is_is_what_df_says(machine: SetMachine, resources: Resources) -> None:
    machine.mounts = [mounted("/", used_bytes=38_000_400_000)]
    await watch_of(machine, resources, 100).look()
    root = shown(resources, "/")
    assert root is not None
    # Root's five gigabytes are nobody else's: 38 of 95 are used.
    assert (root.state, root.used_percent) == (FilesystemState.OK, 40.0)
    assert (root.used_bytes, root.inodes_percent) == (38_000_000_000, 12.3)


async def test_states_are_told_with_their_reason(machine: SetMachine, resources: Resources) -> None:
    machine.mounts = [
        mounted("/ro", read_only=True),
        mounted("/image", read_only=True, is_image=True, type="squashfs"),
        mounted("/nas", space=None, hanging_since=datetime(2026, 3, 1, 12, 5, tzinfo=UTC)),
        mounted("/broken", space=None, error="Input/output error."),
    ]
    await watch_of(machine, resources, 100).look()
    found = {key: shown(resources, key) for key in resources.keys(FILESYSTEM_KIND)}
    assert {key: each and each.state for key, each in found.items()} == {
        "/ro": FilesystemState.READ_ONLY,
        "/image": FilesystemState.OK,
        "/nas": FilesystemState.HANGING,
        "/broken": FilesystemState.UNREADABLE,
    }
    nas, broken = found["/nas"], found["/broken"]
    assert nas is not None
    assert broken is not None
    assert nas.reason == "It has not answered since 2026-03-01 12:05 UTC."
    assert (nas.used_percent, nas.size_bytes) == (None, None)
    assert broken.reason == "Input/output error."


async def test_what_is_mounted_only_while_it_is_wanted_is_not_missed(
    machine: SetMachine, resources: Resources
) -> None:
    watch = watch_of(machine, resources, 100)
    for _ in range(2):
        machine.mounts = [mounted("/"), mounted("/net/nas", is_passing=True)]
        await watch.look()
        assert shown(resources, "/net/nas") is not None
        machine.mounts = [mounted("/")]
        await watch.look()
        assert set(resources.keys(FILESYSTEM_KIND)) == {"/"}


async def test_what_is_unmounted_is_missed_and_comes_back(
    machine: SetMachine, resources: Resources
) -> None:
    watch = watch_of(machine, resources, 100)
    machine.mounts = [mounted("/"), mounted("/mnt/usb")]
    await watch.look()
    machine.mounts = [mounted("/")]
    for _ in range(3):
        await watch.look()
        gone = shown(resources, "/mnt/usb")
        assert gone is not None
        assert (gone.state, gone.used_bytes) == (FilesystemState.GONE, None)
    machine.mounts = [mounted("/"), mounted("/mnt/usb")]
    await watch.look()
    back = shown(resources, "/mnt/usb")
    assert back is not None
    assert back.state is FilesystemState.OK


async def test_what_hangs_before_it_is_gone_is_missed_with_the_size_that_it_had(
    machine: SetMachine, resources: Resources
) -> None:
    watch = watch_of(machine, resources, remembered_s=100)
    machine.mounts = [mounted("/mnt/nas")]
    await watch.look()
    before = shown(resources, "/mnt/nas")
    since = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
    machine.mounts = [mounted("/mnt/nas", space=None, hanging_since=since)]
    await watch.look()
    machine.mounts = []
    await watch.look()
    gone = shown(resources, "/mnt/nas")
    assert before is not None
    assert gone is not None
    assert before.size_bytes is not None
    assert (gone.state, gone.size_bytes) == (FilesystemState.GONE, before.size_bytes)


async def test_what_stays_away_is_not_missed_for_ever(
    machine: SetMachine, resources: Resources
) -> None:
    watch = watch_of(machine, resources, remembered_s=0)
    machine.mounts = [mounted("/"), mounted("/mnt/usb")]
    await watch.look()
    machine.mounts = [mounted("/")]
    await watch.look()
    assert resources.keys(FILESYSTEM_KIND) == ("/",)


async def test_a_list_of_mounts_that_cannot_be_read_makes_nothing_vanish(
    machine: SetMachine, resources: Resources
) -> None:
    watch = watch_of(machine, resources, 100)
    machine.mounts = [mounted("/")]
    await watch.look()
    machine.mounts = None
    await watch.look()
    root = shown(resources, "/")
    assert root is not None
    assert root.state is FilesystemState.OK


async def test_a_file_system_that_is_only_written_a_little_is_not_published_anew(
    machine: SetMachine, resources: Resources
) -> None:
    watch = watch_of(machine, resources, 100)
    machine.mounts = [mounted("/", used_bytes=40_000_000_000)]
    await watch.look()
    seq = resources.seq
    machine.mounts = [mounted("/", used_bytes=40_000_100_000)]
    await watch.look()
    assert resources.seq == seq
