"""What the machine is."""

import ctypes
import os
from datetime import UTC, datetime, timedelta

import psutil

from homelab_agent.platform.host.linux_files import read_text, read_word
from homelab_agent.platform.host.linux_memory import read_memory
from homelab_agent.platform.host.linux_reboot import reboot_reason
from homelab_agent.platform.host.linux_users import read_users
from homelab_agent.platform.host.machine import Facts
from homelab_agent.platform.host.paths import HostPaths, View

_MODEL_NAMES = ("model name", "Model", "cpu model", "Processor")
_BOARD = "firmware/devicetree/base/model"
_NOT_SYNCHRONIZED = 0x40
"""STA_UNSYNC of adjtimex(2)."""

_STEADY = timedelta(seconds=5)
"""By so much the time of the boot may move while the clock is set right."""


class FactsReader:
    """Reads what changes rarely."""

    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths
        self._booted_at: datetime | None = None

    def read(self) -> Facts:
        """Return what is known now."""
        proc, sys = str(self._paths.proc), str(self._paths.sys)
        system, memory = os.uname(), read_memory(proc)
        sees_system = self._paths.filesystems is View.HOST
        root = str(self._paths.root).rstrip("/")
        required, reason = reboot_reason(root, system.release) if sees_system else (None, None)
        return Facts(
            host_name=_host_name(root) if sees_system else None,
            operating_system=_operating_system(root) if sees_system else None,
            kernel_version=system.release,
            architecture=system.machine,
            cpu_model=_cpu_model(proc, sys),
            cpu_count=psutil.cpu_count(),
            cpu_core_count=psutil.cpu_count(logical=False),
            memory_bytes=memory.total_bytes if memory else None,
            swap_bytes=memory.swap_total_bytes if memory else None,
            booted_at=self._boot(),
            reboot_required=required,
            reboot_reason=reason,
            clock_synchronized=_is_clock_synchronized(),
            users=read_users(root) if sees_system else None,
        )

    def _boot(self) -> datetime | None:
        try:
            booted_at = datetime.fromtimestamp(psutil.boot_time(), UTC)
        except OSError, RuntimeError:
            return None
        # The kernel computes it from the clock: it would move a little with each correction.
        if self._booted_at is None or abs(booted_at - self._booted_at) > _STEADY:
            self._booted_at = booted_at
        return self._booted_at


class _Timex(ctypes.Structure):
    """The beginning of the kernel's `struct timex`, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("most_error", ctypes.c_long),
        ("likely_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def _is_clock_synchronized() -> bool | None:
    """Return what the kernel says of its clock; None where it may not be asked."""
    timex = _Timex()
    if ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) < 0:
        return None
    return not int(timex.status) & _NOT_SYNCHRONIZED


def _host_name(root: str) -> str | None:
    # The kernel's own answer is about the container that asks.
    return read_word(f"{root}/etc/hostname") if root else os.uname().nodename


def _operating_system(root: str) -> str | None:
    for file in ("etc/os-release", "usr/lib/os-release"):
        for line in (read_text(f"{root}/{file}") or "").splitlines():
            name, _, value = line.partition("=")
            if name == "PRETTY_NAME":
                return value.strip().strip("\"'") or None
    return None


def _cpu_model(proc: str, sys: str) -> str | None:
    told: dict[str, str] = {}
    for line in (read_text(f"{proc}/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), value.strip())
    for name in _MODEL_NAMES:
        if told.get(name):
            return told[name]
    board = read_word(f"{sys}/{_BOARD}")
    return board.rstrip("\0") if board else None


def boot_id(proc: str) -> str | None:
    """Return what is different after each boot."""
    return read_word(f"{proc}/sys/kernel/random/boot_id")
