"""The processes of the machine."""

import os
import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic

import psutil

from homelab_agent.platform.host.linux_containers import OwnGroup, own_group
from homelab_agent.platform.host.linux_files import read_text, readable
from homelab_agent.platform.host.machine import ProcessReading, ProcessSweep, StopRefused
from homelab_agent.platform.host.paths import HostPaths, View

_ATTRIBUTES = (
    *("cmdline", "cpu_times", "create_time", "memory_info", "name", "num_threads", "pid", "ppid"),
    *("status", "uids"),
)
_KERNEL_THREADS = 2
"""The process that all threads of the kernel come from, in a view of the whole machine."""


class Processes:
    """Lists processes, and stops one."""

    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths
        self._proc = str(paths.proc)

    def read(self) -> ProcessSweep:
        """Return all processes; those that end meanwhile or may not be looked at are left out."""
        names, group = self._user_names(), own_group(self._paths)
        # It would keep their starts as they were before the clock was set, for ever.
        psutil.process_iter.cache_clear()
        found = [
            reading
            for process in psutil.process_iter()
            if (reading := self._reading(process, names, group)) is not None
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
        except psutil.NoSuchProcess, ProcessLookupError:
            return StopRefused.GONE
        except PermissionError:
            return StopRefused.NOT_PERMITTED
        return None if sent else StopRefused.GONE

    def _send(self, process: ProcessReading, number: int) -> bool:
        handle = os.pidfd_open(process.pid)
        try:
            # What the handle stands for can no longer become another process.
            now = self._reading(psutil.Process(process.pid), {}, own_group(self._paths))
            if now is None or now.started_at != process.started_at:
                return False
            signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)
        return True

    def _reading(
        self, process: psutil.Process, names: Mapping[int, str], own: OwnGroup
    ) -> ProcessReading | None:
        try:
            told = process.as_dict(_ATTRIBUTES)
        except psutil.NoSuchProcess:
            return None
        if None in (told["cpu_times"], told["create_time"], told["memory_info"]):
            return None  # the system hides what belongs to others
        group = read_text(f"{self._proc}/{told['pid']}/cgroup") or ""
        uid = told["uids"].effective if told["uids"] else None
        return ProcessReading(
            pid=told["pid"],
            parent_pid=told["ppid"],
            name=readable(told["name"] or ""),
            command=tuple(map(readable, told["cmdline"] or ())),
            user=None if uid is None else names.get(uid, str(uid)),
            state=told["status"],
            cpu_s=told["cpu_times"].user + told["cpu_times"].system,
            memory_bytes=told["memory_info"].rss,
            threads=told["num_threads"],
            started_at=datetime.fromtimestamp(told["create_time"], UTC),
            is_kernel=_KERNEL_THREADS in {told["pid"], told["ppid"]} and not told["cmdline"],
            container_id=own.container_of(group),
        )

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


def _parent(proc: str, pid: int) -> int:
    for line in (read_text(f"{proc}/{pid}/status") or "").splitlines():
        if line.startswith("PPid:"):
            return int(line.split()[1])
    return 0
