"""What the disks do."""

import os
import re
from dataclasses import dataclass

from homelab_agent.platform.host.linux_files import read_int, read_text, read_word
from homelab_agent.platform.host.machine import DiskCounters

_SECTOR_BYTES = 512
_MS_PER_S = 1000
_NO_DISK = re.compile(r"(sr|fd|nbd|rbd)\d+|mmcblk\d+(boot\d+|rpmb)")
_READ_SECTORS, _WRITTEN_SECTORS, _BUSY_MS = 5, 9, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Disk:
    sequence: int | None
    model: str | None
    size_bytes: int | None
    rotational: bool | None


class Disks:
    """Reads the counters of whole disks. What is made of disks (RAID, LVM, loops) is left out."""

    def __init__(self, proc: str, sys: str) -> None:
        self._file = f"{proc}/diskstats"
        self._folder = f"{sys}/block"
        self._known: dict[str, _Disk | None] = {}

    def read(self) -> tuple[DiskCounters, ...]:
        """Return every disk that is there."""
        found: list[DiskCounters] = []
        there: set[str] = set()
        for line in (read_text(self._file) or "").splitlines():
            row = line.split()
            if len(row) <= _BUSY_MS:
                continue
            name = row[2]
            there.add(name)
            disk = self._known.get(name)
            if name not in self._known or (disk and disk.sequence != self._sequence(name)):
                disk = self._known[name] = self._look(name)
            if disk is not None:
                found.append(_counters(name, row, disk))
        for name in self._known.keys() - there:
            # Another one may be plugged in under this name; before Linux 5.15 nothing else tells.
            del self._known[name]
        return tuple(found)

    def _look(self, name: str) -> _Disk | None:
        """Return what is known of a disk; None for a partition and what is no disk."""
        folder = self._place(name)
        if _NO_DISK.fullmatch(name) or not os.path.exists(f"{folder}/device"):  # noqa: PTH110
            return None
        sectors, rotational = read_int(f"{folder}/size"), read_int(f"{folder}/queue/rotational")
        return _Disk(
            sequence=self._sequence(name),
            model=read_word(f"{folder}/device/model") or read_word(f"{folder}/device/name"),
            size_bytes=None if sectors is None else sectors * _SECTOR_BYTES,
            rotational=None if rotational is None else rotational == 1,
        )

    def _sequence(self, name: str) -> int | None:
        return read_int(f"{self._place(name)}/diskseq")

    def _place(self, name: str) -> str:
        return f"{self._folder}/{name.replace('/', '!')}"


def _counters(name: str, row: list[str], disk: _Disk) -> DiskCounters:
    return DiskCounters(
        name=name,
        sequence=disk.sequence,
        read_bytes=int(row[_READ_SECTORS]) * _SECTOR_BYTES,
        write_bytes=int(row[_WRITTEN_SECTORS]) * _SECTOR_BYTES,
        busy_s=int(row[_BUSY_MS]) / _MS_PER_S,
        model=disk.model,
        size_bytes=disk.size_bytes,
        rotational=disk.rotational,
    )
