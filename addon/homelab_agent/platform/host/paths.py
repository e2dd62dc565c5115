"""Where the machine's own files are, and how much of the machine that shows."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_MOUNTED = Path("/host")
"""Where a container is given the machine's folders."""

_CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
_FIRST_PID_NAMESPACE = 0xEFFFFFFC
"""The kernel's own number of the process namespace that it booted with."""

_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
_SHOW_PROCESSES = "-v /proc:/host/proc:ro"
_SHOW_DEVICES = "-v /sys:/host/sys:ro"
_SHOW_FILESYSTEMS = "-v /:/host/root:ro,rslave"


class View(StrEnum):
    """What of the machine the agent sees: all of it, or only its own container."""

    HOST = "host"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPaths:
    """Where to read. `net` holds the network files (`dev`, `tcp`, ...) of what `network` says.

    `has_own_network`: what system calls tell of the network is about the agent's own container,
    whatever `net` shows. `has_own_processes`: so it is with process numbers. `is_app`: Supervisor
    runs the agent. `own_id`: the id of the container that it runs in, or its first 12 characters.
    """

    proc: Path
    sys: Path
    root: Path
    net: Path
    processes: View
    network: View
    filesystems: View
    has_own_network: bool
    has_own_processes: bool
    is_app: bool = False
    own_id: str | None = None

    @property
    def mounts(self) -> Path:
        """What is mounted, in the form of mountinfo, with the mount points that the machine has."""
        return self.proc / ("self" if self.root == Path("/") else "1") / "mountinfo"

    @property
    def hint(self) -> str | None:
        """What would show the rest of the machine; None where everything is seen."""
        blind = {
            "processes": self.processes,
            "network": self.network,
            "file systems": self.filesystems,
        }
        hidden = [part for part, view in blind.items() if view is View.CONTAINER]
        if not hidden:
            return None
        unseen = f"The agent sees its own container instead of the machine: {', '.join(hidden)}."
        if self.is_app:
            return f"{unseen} An app is not given more; an agent started with Docker can be."
        options = [] if self.filesystems is View.HOST else [_SHOW_DEVICES, _SHOW_FILESYSTEMS]
        if View.CONTAINER in {self.processes, self.network}:
            options.insert(0, _SHOW_PROCESSES)
        return f"{unseen} Start the container with {' '.join(options)} to show the machine."


def find_paths(
    proc: Path | None = None,
    sys: Path | None = None,
    root: Path | None = None,
    *,
    own_id: str | None = None,
    is_app: bool = False,
    mounted: Path = _MOUNTED,
) -> HostPaths:
    """Return where the machine is; what is given wins over what is found. Reads files.

    `own_id` is the id of the container that the agent runs in; `is_app`: Supervisor runs it.
    Where it is not certain that the machine is seen, it is taken not to be.
    """
    contained = own_id is not None or any(mark.exists() for mark in _CONTAINER_MARKS)
    proc = _place(proc, mounted / "proc", Path("/proc"))
    root = _place(root, mounted / "root", Path("/"))
    processes = not contained or _sees_machine(proc)
    own_network = contained and not (processes and _same_network(proc))
    filesystems = not contained or (processes and root != Path("/"))
    network = not own_network or (processes and (proc / "1/net/dev").exists())
    return HostPaths(
        proc=proc,
        sys=_place(sys, mounted / "sys", Path("/sys")),
        root=root,
        net=proc / ("1" if own_network and network else "self") / "net",
        processes=View.HOST if processes else View.CONTAINER,
        network=View.HOST if network else View.CONTAINER,
        filesystems=View.HOST if filesystems else View.CONTAINER,
        has_own_network=own_network,
        has_own_processes=contained and not (processes and _pids(proc) == 1),
        is_app=is_app,
        own_id=own_id,
    )


def _place(given: Path | None, mounted: Path, own: Path) -> Path:
    if given is not None:
        return given
    return mounted if mounted.is_dir() else own


def _sees_machine(proc: Path) -> bool:
    """Return whether the processes below `proc` are more than those of the own container."""
    if _pids(proc) > 1:
        # We have a number of our own inside, and another one out there.
        return True
    if proc == Path("/proc") and _namespace(proc) == _FIRST_PID_NAMESPACE:
        return True
    first, own = _groups(proc / "1/cgroup"), _groups(proc / "self/cgroup")
    if first.startswith("/.."):
        # Above our own root of control groups.
        return True
    return bool(_CONTAINER_ID.search(own)) and bool(first) and not _CONTAINER_ID.search(first)


def _same_network(proc: Path) -> bool:
    """Return whether the first process has our network: the kernel numbers these files by it."""
    try:
        return (proc / "1/net/dev").stat().st_ino == Path("/proc/self/net/dev").stat().st_ino
    except OSError:
        return False


def _pids(proc: Path) -> int:
    """Return how many numbers this process has below `proc`; 0 where it is not there."""
    for line in _text(proc / "self/status").splitlines():
        if line.startswith("NSpid:"):
            return len(line.split()) - 1
    return 0


def _namespace(proc: Path) -> int | None:
    try:
        return (proc / "self/ns/pid").stat().st_ino
    except OSError:
        return None


def _groups(file: Path) -> str:
    """Return the control group of a process; of the several that version 1 has, all."""
    return "\n".join(line.split(":", 2)[-1] for line in _text(file).splitlines())


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
