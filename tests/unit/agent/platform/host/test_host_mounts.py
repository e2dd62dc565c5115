"""Which file systems are real, and each once."""

import os
from pathlib import Path

import pytest

from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.host.linux_mounts import Mount, read_mounts
from homelab_agent.platform.host.linux_space import SpaceMeter

MACHINE = """\
22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
23 22 0:21 / /proc rw - proc proc rw
24 22 0:22 / /run rw - tmpfs tmpfs rw
25 22 8:1 / /boot/efi rw - vfat /dev/sda1 rw
26 22 0:45 / /var/lib/docker/overlay2/abc/merged rw - overlay overlay rw
27 22 7:3 / /snap/core/17 ro - squashfs /dev/loop3 ro
28 22 0:50 / /mnt/nas rw,hard - nfs4 nas:/export/data rw
29 22 8:2 /srv/data /home/ada/data rw - ext4 /dev/sda2 rw
30 22 8:17 / /mnt/usb\\040disk ro,nosuid - ext4 /dev/sdb1 rw
31 22 0:60 / /mnt/remote rw - fuse.sshfs ada@host:/ rw
32 22 0:61 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw
33 22 0:62 /@ /mnt/pool/root rw - btrfs /dev/sdc rw
34 22 0:62 / /mnt/pool rw - btrfs /dev/sdc rw
35 22 0:63 / /tank/media rw - zfs tank/media rw
36 22 179:2 / /mnt/image ro - squashfs /dev/mmcblk0p2 ro
37 22 0:64 / /var/lib/docker/zfs/graph/0123abcd rw - zfs tank/docker/0123abcd rw
38 22 0:65 / /mnt/flash rw - ubifs ubi0:rootfs rw
half a line
"""
CONTAINER = """\
500 400 0:99 / / rw - overlay overlay rw
501 500 254:1 /var/lib/docker/containers/abc/hostname /etc/hostname rw - ext4 /dev/vda1 rw
502 500 254:1 /var/lib/docker/containers/abc/hosts /etc/hosts rw - ext4 /dev/vda1 rw
503 500 254:1 /var/lib/docker/volumes/agent/_data /data rw - ext4 /dev/vda1 rw
"""


def mounts(tmp_path: Path, text: str) -> tuple[Mount, ...]:
    file = tmp_path / "mountinfo"
    file.write_text(text)
    found = read_mounts(str(file))
    assert found is not None
    return found


def test_real_file_systems_are_shown_once_and_no_others(tmp_path: Path) -> None:
    assert [(each.mount_point, each.type) for each in mounts(tmp_path, MACHINE)] == [
        ("/", "ext4"),
        ("/boot/efi", "vfat"),
        ("/mnt/flash", "ubifs"),
        ("/mnt/image", "squashfs"),
        ("/mnt/nas", "nfs4"),
        ("/mnt/pool", "btrfs"),
        ("/mnt/remote", "fuse.sshfs"),
        ("/mnt/usb disk", "ext4"),
        ("/tank/media", "zfs"),
    ]


def test_what_cannot_be_written_is_known_and_an_image_is_as_it_is(tmp_path: Path) -> None:
    by_place = {each.mount_point: each for each in mounts(tmp_path, MACHINE)}
    assert by_place["/mnt/usb disk"].read_only
    assert not by_place["/mnt/usb disk"].is_image
    assert by_place["/mnt/image"].is_image
    assert not by_place["/"].read_only


def test_inside_a_container_its_volume_stands_for_the_disk(tmp_path: Path) -> None:
    assert [each.mount_point for each in mounts(tmp_path, CONTAINER)] == ["/data"]


def test_the_whole_stands_for_a_file_system_and_not_a_folder_of_it(tmp_path: Path) -> None:
    text = (
        "22 1 8:17 /films /srv rw - ext4 /dev/sdb1 rw\n"
        "23 1 8:17 / /mnt/media/disk rw - ext4 /dev/sdb1 rw\n"
    )
    assert [each.mount_point for each in mounts(tmp_path, text)] == ["/mnt/media/disk"]


def test_what_is_mounted_over_another_hides_it(tmp_path: Path) -> None:
    text = "22 1 8:2 / /mnt rw - ext4 /dev/sda2 rw\n40 1 8:3 / /mnt rw - xfs /dev/sda3 rw\n"
    assert [each.device for each in mounts(tmp_path, text)] == ["/dev/sda3"]


def test_what_comes_and_goes_by_itself_is_known(tmp_path: Path) -> None:
    text = (
        "22 1 0:30 / /mnt/films rw - autofs systemd-1 rw\n"
        "23 22 0:31 / /mnt/films rw - nfs4 nas:/films rw\n"
        "24 1 0:32 / /net rw - autofs /etc/auto.net rw\n"
        "25 24 0:33 / /net/nas rw - nfs4 nas:/ rw\n"
        "26 1 0:34 / /var/lib/docker/volumes/media/_data rw - cifs //nas/media rw\n"
        "27 1 0:35 / /tank/.zfs/snapshot/daily ro - zfs tank@daily rw\n"
        "28 1 0:36 / /tmp/.mount_EditorXyz ro - fuse.Editor.AppImage Editor ro\n"
        "29 1 0:37 / /mnt/backup rw - nfs4 nas:/backup rw\n"
        "30 1 0:38 / /mnt/remote rw - fuse.sshfs nas: rw\n"
    )
    found = mounts(tmp_path, text)
    assert len(found) == 7
    assert {each.mount_point for each in found if not each.is_passing} == {
        "/mnt/backup",
        "/mnt/remote",
    }


async def test_a_mount_point_of_any_bytes_is_measured_and_can_be_shown(tmp_path: Path) -> None:
    odd = (b"\xff\xfe", "a\u2028b".encode(), b"a\x0cb", b"a\rb", b"a\xc2\x85b")
    lines = []
    for number, name in enumerate(odd):
        place = os.fsencode(tmp_path) + b"/" + name
        os.mkdir(place)  # noqa: PTH102 - bytes
        device = os.stat(place).st_dev  # noqa: PTH116
        kernel = f"{os.major(device)}:{os.minor(device)}"
        lines.append(b"%d 1 %s / %s rw - btrfs /dev/sda rw\n" % (number, kernel.encode(), place))
    file = tmp_path / "mountinfo"
    for name, line in zip(odd, lines, strict=True):
        file.write_bytes(line)
        (mount,) = read_mounts(str(file)) or ()
        (reading,) = await SpaceMeter("", utc_now).measure([mount])
        assert reading.space is not None
        assert reading.mount_point.encode().endswith(name.replace(b"\xff\xfe", b"\xef\xbf\xbd"))


async def test_what_lies_under_another_mount_does_not_show_that_ones_figures(
    tmp_path: Path,
) -> None:
    (mount,) = mounts(tmp_path, f"22 1 999:2 / {tmp_path} rw - ext4 /dev/sda2 rw\n")
    (reading,) = await SpaceMeter("/", utc_now).measure([mount])
    assert reading.space is None
    assert reading.error == "Something else is mounted over a folder above it."


def test_a_list_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    assert read_mounts(str(tmp_path / "none")) is None


def test_a_mount_that_is_made_anew_is_another_one(tmp_path: Path) -> None:
    (before,) = mounts(tmp_path, "22 1 8:2 / /mnt rw - ext4 /dev/sda2 rw\n")
    (same,) = mounts(tmp_path, "22 1 8:2 / /mnt ro - ext4 /dev/sda2 rw\n")
    (other,) = mounts(tmp_path, "29 1 8:2 / /mnt rw - ext4 /dev/sda2 rw\n")
    assert before.identity == same.identity != other.identity


@pytest.mark.parametrize("text", ["", "\n", "1 2 3\n", " - \n"])
def test_an_unreadable_line_hides_no_other(tmp_path: Path, text: str) -> None:
    assert len(mounts(tmp_path, text + "22 1 8:2 / /mnt rw - ext4 /dev/sda2 rw\n")) == 1
