"""The processes of the machine."""

import os
import signal
from collections.abc import Mapping
from time import monotonic

from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.host.linux_containers import own_group
from homelab_agent.platform.host.linux_files import read_text
from homelab_agent.platform.host.linux_process_files import Around, read_process
from homelab_agent.platform.host.machine import ProcessReading, ProcessSweep, StopRefused
from homelab_agent.platform.host.paths import HostPaths, View


class Processes:
    """Lists processes, and stops one."""

    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths
        self._proc = str(paths.proc)

    def read(self) -> ProcessSweep:
        """Return all processes; those that end meanwhile or may not be looked at are left out.

        Raises:
            Unavailable: the kernel does not say when it was booted, and so no start is known.
        """
        around = self._around(self._user_names())
        found = [
            reading
            for name in os.listdir(self._proc)  # noqa: PTH208  # names are enough
            if name.isdigit() and (reading := read_process(int(name), around)) is not None
        ]
        return ProcessSweep(taken_s=monotonic(), processes=tuple(found))

    def own(self) -> frozenset[int]:
        """Return the agent's number and those of its parents, as the list has them."""
        try:
            pid = int(os.readlink(f"{self._proc}/self"))  # noqa: PTH115
        except OSError, ValueError:
            return frozenset()
        own = set()
        while pid > 0 and pid not in own:
            own.add(pid)
            pid = _parent(self._proc, pid)
        return frozenset(own)

    def stop(self, process: ProcessReading, number: int) -> StopRefused | None:
        """Send the signal to this process and to no other that got its number meanwhile."""
        if self._paths.has_own_processes:
            return StopRefused.OUT_OF_REACH
        try:
            sent = self._send(process, number)
        except ProcessLookupError:
            return StopRefused.GONE
        except PermissionError:
            return StopRefused.NOT_PERMITTED
        return None if sent else StopRefused.GONE

    def _send(self, process: ProcessReading, number: int) -> bool:
        handle = os.pidfd_open(process.pid)
        try:
            # What the handle stands for can no longer become another process.
            now = read_process(process.pid, self._around({}))
            if now is None or now.started_at != process.started_at:
                return False
            signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)
        return True

    def _around(self, user_names: Mapping[int, str]) -> Around:
        # Read anew each time: the clock may have been set, and all starts with it.
        booted_at_s = _booted_at_s(self._proc)
        return Around(self._proc, booted_at_s, user_names, own_group(self._paths))

    def _user_names(self) -> Mapping[int, str]:
        """Return the names of the machine's users; those of a container would be wrong."""
        if self._paths.processes is View.HOST and self._paths.filesystems is View.CONTAINER:
            return {}
        root = str(self._paths.root).rstrip("/")
        names: dict[int, str] = {}
        for line in (read_text(f"{root}/etc/passwd") or "").splitlines():
            name, _, uid, *_ = (*line.split(":"), "", "", "")
            if uid.isdigit():
                names.setdefault(int(uid), name)
        return names


def _booted_at_s(proc: str) -> float:
    for line in (read_text(f"{proc}/stat") or "").splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    raise Unavailable(f"{proc}/stat does not say when the machine was booted.")


def _parent(proc: str, pid: int) -> int:
    for line in (read_text(f"{proc}/{pid}/status") or "").splitlines():
        if line.startswith("PPid:"):
            return int(line.split()[1])
    return 0
