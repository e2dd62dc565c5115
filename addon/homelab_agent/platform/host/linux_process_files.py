"""One process, by the four files that the kernel has of it. Each is read once, as bytes.

A machine may have thousands of processes: what is done here is done that often for each list.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from homelab_agent.platform.host.linux_containers import OwnGroup
from homelab_agent.platform.host.machine import ProcessReading

_CHUNK_BYTES = 64 * 1024
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")

_STATES = {
    b"R": psutil.STATUS_RUNNING,
    b"S": psutil.STATUS_SLEEPING,
    b"D": psutil.STATUS_DISK_SLEEP,
    b"T": psutil.STATUS_STOPPED,
    b"t": psutil.STATUS_TRACING_STOP,
    b"Z": psutil.STATUS_ZOMBIE,
    b"X": psutil.STATUS_DEAD,
    b"I": psutil.STATUS_IDLE,
    b"P": psutil.STATUS_PARKED,
}
_UNKNOWN_STATE = "unknown"

# Of /proc/PID/stat behind the name, which may hold anything: proc_pid_stat(5) counts from 1.
_STATE, _PARENT, _USER_TICKS, _SYSTEM_TICKS, _THREADS, _START_TICKS = (
    field - 3 for field in (3, 4, 14, 15, 20, 22)
)

_MEMORY = re.compile(rb"^VmRSS:\s+(\d+) kB", re.MULTILINE)
"""/proc/PID/stat has it too, but only about: the kernel does not add up what each core counted."""

_KIB = 1024
_EFFECTIVE_USER = re.compile(rb"^Uid:\s+\d+\s+(\d+)", re.MULTILINE)
_LONGEST_NAME = 15
"""The kernel cuts names off there."""

_KERNEL_THREADS = 2
"""The process that all threads of the kernel come from, in a view of the whole machine."""


@dataclass(frozen=True, slots=True)
class Around:
    """What is the same for all processes of one look."""

    proc: str
    booted_at_s: float
    user_names: Mapping[int, str]
    own_group: OwnGroup


def read_process(pid: int, around: Around) -> ProcessReading | None:
    """Return one process; None where it ended meanwhile, or the system hides it."""
    folder = f"{around.proc}/{pid}"
    try:
        stat = _read(f"{folder}/stat")
        arguments = _arguments(_read(f"{folder}/cmdline"))
        status = _read(f"{folder}/status")
        group = _read_or_nothing(f"{folder}/cgroup").decode(errors="replace")
    except OSError:
        return None
    name, figures = _split(stat)
    if len(figures) <= _START_TICKS:
        return None  # it ended while its file was being read
    user, memory = _EFFECTIVE_USER.search(status), _MEMORY.search(status)
    parent_pid, uid = int(figures[_PARENT]), int(user[1]) if user else None
    started_at_s = around.booted_at_s + int(figures[_START_TICKS]) / _TICKS_PER_S
    return ProcessReading(
        pid=pid,
        parent_pid=parent_pid,
        name=_whole_name(name, arguments).decode(errors="replace"),
        command=tuple(argument.decode(errors="replace") for argument in arguments),
        user=None if uid is None else around.user_names.get(uid, str(uid)),
        state=_STATES.get(figures[_STATE], _UNKNOWN_STATE),
        cpu_s=(int(figures[_USER_TICKS]) + int(figures[_SYSTEM_TICKS])) / _TICKS_PER_S,
        # What is of the kernel, or has ended, has no memory of its own.
        memory_bytes=int(memory[1]) * _KIB if memory else 0,
        threads=int(figures[_THREADS]),
        started_at=datetime.fromtimestamp(started_at_s, UTC),
        is_kernel=_KERNEL_THREADS in {pid, parent_pid} and not arguments,
        container_id=around.own_group.container_of(group),
    )


def _split(stat: bytes) -> tuple[bytes, list[bytes]]:
    """Return the name, which stands in brackets and may hold some itself, and what follows it."""
    before, _, after = stat.rpartition(b")")
    return before.partition(b"(")[2], after.split()


def _arguments(command: bytes) -> list[bytes]:
    """Return the arguments; a program that writes its own title may leave one line of words."""
    if not command.endswith(b"\0"):
        return command.split(b" ") if command else []
    arguments = command[:-1].split(b"\0")
    if len(arguments) == 1 and b" " in arguments[0]:
        return arguments[0].split(b" ")
    return arguments


def _whole_name(name: bytes, arguments: list[bytes]) -> bytes:
    """Return the name of the program where the kernel's is only the beginning of it."""
    if len(name) < _LONGEST_NAME or not arguments:
        return name
    program = os.path.basename(arguments[0])  # noqa: PTH119  # bytes, and one of thousands
    return program if program.startswith(name) else name


def _read_or_nothing(path: str) -> bytes:
    try:
        return _read(path)
    except OSError:
        return b""


def _read(path: str) -> bytes:
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = read = os.read(opened, _CHUNK_BYTES)
        while read:
            read = os.read(opened, _CHUNK_BYTES)
            found += read
        return found
    finally:
        os.close(opened)
