"""Where the kernel keeps the control groups of containers, as far as it can be seen from here."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from homelab_agent.platform.engine.stats import StatsSource

_ID = re.compile(r"[0-9a-f]{64}")
_DEEPEST = 8
"""Rootless Docker under systemd has its containers at the sixth level."""


class Mount(NamedTuple):
    """Where the control groups and the processes of a host may be mounted."""

    cgroup: str
    proc: str


MOUNTS = (
    # In a container, where somebody has put the host's own.
    Mount("/host/sys/fs/cgroup", "/host/proc"),
    Mount("/host/sys/fs/cgroup", "/proc"),
    Mount("/sys/fs/cgroup", "/proc"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One mounted hierarchy (v2), or the hierarchies of v1 side by side."""

    source: StatsSource
    root: str
    proc: str
    cpu: str
    memory: str
    block: str
    pids: str

    def group_of(self, container_id: str, pid: int) -> str | None:
        """Return a container's group, relative to each hierarchy, by what its process says."""
        try:
            with open(f"{self.proc}/{pid}/cgroup", encoding="utf-8") as file:  # noqa: PTH123  # one of many
                lines = file.read().splitlines()
        except OSError:
            return None
        for line in lines:
            group = _up_to(container_id, line.rpartition(":")[2])
            if group is not None and os.path.isdir(f"{self.memory}/{group}"):  # noqa: PTH112
                return group
        return None

    def groups(self) -> dict[str, str]:
        """Return the groups of all containers by id, found by their names in the tree."""
        found: dict[str, str] = {}
        level = [""]
        for _ in range(_DEEPEST):
            level = [below for group in level for below in self._below(group, found)]
        return found

    def sees_process(self, container_id: str, pid: int) -> bool:
        """Return whether this process of the host is visible here, and no other of that number."""
        try:
            with open(f"{self.proc}/{pid}/cgroup", encoding="utf-8") as file:  # noqa: PTH123  # one of many
                return container_id in file.read()
        except OSError:
            return False

    def _below(self, group: str, found: dict[str, str]) -> list[str]:
        deeper = []
        try:
            with os.scandir(f"{self.memory}/{group}") as entries:
                names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:  # it is gone by now
            return []
        for name in names:
            path = f"{group}/{name}" if group else name
            container_id = _ID.search(name)
            if container_id is None:
                deeper.append(path)
            else:
                found.setdefault(container_id[0], path)
        return deeper


def find_trees(mounts: Sequence[Mount] = MOUNTS) -> tuple[Tree, ...]:
    """Return every hierarchy that is mounted, the likelier first."""
    return tuple(tree for mount in mounts if (tree := _tree(mount)) is not None)


def _tree(mount: Mount) -> Tree | None:
    root, proc = mount
    if not os.path.isdir(proc):  # noqa: PTH112
        return None
    if os.path.exists(f"{root}/cgroup.controllers"):  # noqa: PTH110
        return Tree(
            source=StatsSource.CGROUP_V2,
            root=root,
            proc=proc,
            cpu=root,
            memory=root,
            block=root,
            pids=root,
        )
    cpu = next((each for each in ("cpuacct", "cpu,cpuacct") if _is_there(root, each)), None)
    if cpu is None or not _is_there(root, "memory"):
        return None
    return Tree(
        source=StatsSource.CGROUP_V1,
        root=root,
        proc=proc,
        cpu=f"{root}/{cpu}",
        memory=f"{root}/memory",
        block=f"{root}/blkio",
        pids=f"{root}/pids",
    )


def _is_there(root: str, controller: str) -> bool:
    return os.path.isdir(f"{root}/{controller}")  # noqa: PTH112


def _up_to(container_id: str, path: str) -> str | None:
    """Return the path as far as the container's own group: it may have groups of its own below."""
    parts = path.strip("/").split("/")
    for number, part in enumerate(parts, start=1):
        if container_id in part:
            return "/".join(parts[:number])
    return None
