"""What is mounted: the real file systems among it, each once."""

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

_ON_DISK = frozenset(
    {
        *("apfs", "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "gfs2"),
        *("hfs", "hfsplus", "jffs2", "jfs", "msdos", "nilfs2", "ntfs", "ntfs3", "ocfs2"),
        *("reiserfs", "ubifs", "ufs", "vfat", "xfs", "zfs"),
    }
)
_ON_NETWORK = frozenset(
    {
        *("9p", "afs", "ceph", "cifs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"),
        *("vboxsf", "virtiofs"),
    }
)
_IMAGES = frozenset({"erofs", "iso9660", "squashfs", "udf"})
_NOT_REAL = frozenset(
    {"fuse.fuse-overlayfs", "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fuse.snapfuse"}
)
_OF_THE_ENGINE = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})
"""Single files that an engine mounts into each container."""

_LAYER = re.compile(r"/docker/(?:zfs/graph|devicemapper/mnt)/")
"""What containers run on, with the engine's storage drivers of that name."""

_ON_DEMAND = re.compile(r"/\.zfs/snapshot/|/volumes/[^/]+/_data$|/kubelet/(?:pods|plugins)/")
"""Snapshots that ZFS mounts for who looks into them, and volumes mounted while containers run."""

_ESCAPED = re.compile(r"\\(\d{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mounted file system. `device_number` is major:minor.

    Names are as the system takes them: what is no UTF-8 stands as surrogates.
    """

    number: int
    device_number: str
    root: str
    mount_point: str
    read_only: bool
    type: str
    device: str
    is_passing: bool = False

    @property
    def identity(self) -> tuple[int, str, str]:
        """What tells it from another one, at the same place too."""
        return self.number, self.device_number, self.mount_point

    @property
    def is_image(self) -> bool:
        """Whether it cannot be written by its nature."""
        return self.type in _IMAGES


def read_mounts(file: str) -> tuple[Mount, ...] | None:
    """Return the real file systems that `file`, a mountinfo, lists; None where it is not there."""
    try:
        text = os.fsdecode(Path(file).read_bytes())
    except OSError:
        return None
    mounts = [*_parse(text)]
    # What is mounted last at a place hides what was there.
    by_place = {mount.mount_point: mount for mount in mounts}
    automounters = {mount.mount_point for mount in mounts if mount.type == "autofs"}
    by_device: dict[str, Mount] = {}
    for mount in sorted(filter(_is_real, by_place.values()), key=_likeness_to_the_whole):
        by_device.setdefault(mount.device_number, mount)
    return tuple(
        replace(mount, is_passing=_is_passing(mount, automounters))
        for mount in sorted(by_device.values(), key=lambda mount: mount.mount_point)
    )


def _parse(text: str) -> Iterable[Mount]:
    # 36 35 98:0 /folder /mnt/data rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue
    # A name may hold all other ends of lines that Python knows.
    for line in text.split("\n"):
        left, found, right = line.partition(" - ")
        first, last = left.split(" "), right.split(" ")
        if not found or len(first) < 6 or len(last) < 3:  # noqa: PLR2004 - the form above
            continue
        yield Mount(
            number=int(first[0]),
            device_number=first[2],
            root=_plain(first[3]),
            mount_point=_plain(first[4]),
            read_only="ro" in first[5].split(",") or "ro" in last[2].split(","),
            type=last[0],
            device=_plain(last[1]),
        )


def _is_real(mount: Mount) -> bool:
    if mount.mount_point in _OF_THE_ENGINE or _LAYER.search(mount.mount_point):
        return False
    if mount.is_image:
        # An app that comes as an image is not a disk of anybody.
        return not mount.device.startswith("/dev/loop")
    is_fuse = mount.type.startswith("fuse.") and mount.type not in _NOT_REAL
    return is_fuse or mount.type in _ON_DISK or mount.type in _ON_NETWORK


def _is_passing(mount: Mount, automounters: Collection[str]) -> bool:
    places = {mount.mount_point, mount.mount_point.rpartition("/")[0]}
    # A program that is packed into one file mounts that file while it runs.
    is_program = mount.type.startswith("fuse.") and mount.read_only
    return (
        not places.isdisjoint(automounters)
        or _ON_DEMAND.search(mount.mount_point) is not None
        or is_program
    )


def _likeness_to_the_whole(mount: Mount) -> tuple[bool, bool, int, str]:
    """Sort the mounts of one file system: which of them stands for it."""
    is_part = mount.root != "/" and mount.type != "btrfs"
    return mount.mount_point != "/", is_part, len(mount.mount_point), mount.mount_point


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
