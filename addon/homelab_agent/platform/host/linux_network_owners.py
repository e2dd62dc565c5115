"""Whose a socket is: the process that holds it, and the container that it runs in. Blocks."""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from homelab_agent.platform.host.linux_containers import OwnGroup, own_group
from homelab_agent.platform.host.network import Owner
from homelab_agent.platform.host.paths import HostPaths

_SOCKET = re.compile(r"socket:\[(\d+)\]")


def find_owners(paths: HostPaths, inodes: Collection[int]) -> dict[int, Owner]:
    """Return the oldest process that holds each socket; those of other people may stay unseen.

    The first process holds sockets for others, which start when somebody connects: it comes last.
    """
    proc, own = paths.proc, own_group(paths)
    wanted = set(inodes) - {0}
    found: dict[int, Owner] = {}
    for pid in _processes(proc):
        if not wanted:
            break
        held = wanted.intersection(_sockets(proc, pid))
        if held:
            owner = _owner(proc, pid, own)
            if owner is not None:
                found |= dict.fromkeys(held, owner)
                wanted -= held
    return found


def sees_owners(proc: Path) -> bool:
    """Return whether the sockets of processes of others can be seen, by those of the first one."""
    try:
        for file in (proc / "1/fd").iterdir():
            file.readlink()
            break
    except PermissionError:
        return False
    except OSError:  # it just closed that file, or there is no such process here
        return True
    return True


def _processes(proc: Path) -> list[int]:
    numbers = [int(name) for name in os.listdir(proc) if name.isdigit()]  # noqa: PTH208  # names are enough
    return sorted(numbers, key=lambda pid: (pid == 1, pid))


def _sockets(proc: Path, pid: int) -> Iterator[int]:
    folder = f"{proc}/{pid}/fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208  # one of very many
    except OSError:  # it has ended, or it is another user's
        return
    for name in names:
        try:
            target = os.readlink(f"{folder}/{name}")  # noqa: PTH115  # one of very many
        except OSError:
            continue
        socket = _SOCKET.fullmatch(target)
        if socket is not None:
            yield int(socket[1])


def _owner(proc: Path, pid: int, own: OwnGroup) -> Owner | None:
    try:
        name = (proc / str(pid) / "comm").read_text(errors="replace").strip()
        groups = (proc / str(pid) / "cgroup").read_text(errors="replace")
    except OSError:
        return None
    return Owner(name, pid, own.container_of(groups))
