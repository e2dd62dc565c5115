"""The kernel's own files about control groups and networks, as numbers. Garbage is None."""

import re

_NO_LIMIT = 2**62
"""The kernel writes the largest multiple of a page for "no limit" (v1)."""

_MOST_DIGITS = 20
"""No counter of the kernel has more."""

_IO = re.compile(rb" rbytes=([0-9]{1,20}) wbytes=([0-9]{1,20})")
_BLKIO = re.compile(rb" (Read|Write) ([0-9]{1,20})\n")
_LINK = re.compile(rb"^ *([^:\n]+):((?: +[0-9]{1,20}){9})", re.MULTILINE)
_TRANSMITTED = 8
"""Where the bytes sent stand behind an interface's name; the bytes received are the first."""


def number(text: bytes) -> int | None:
    """Return the number that is all a file holds."""
    text = text.strip()
    return int(text) if text.isdigit() and len(text) <= _MOST_DIGITS else None


def field(text: bytes, name: bytes) -> int | None:
    """Return one field of a file with a name and a number on each line."""
    _, found, rest = (b"\n" + text).partition(b"\n" + name + b" ")
    return number(rest.partition(b"\n")[0]) if found else None


def limit(value: int | None) -> int | None:
    """Return a memory limit, None where the kernel means that there is none."""
    return None if value is None or value >= _NO_LIMIT else value


def io_stat(text: bytes) -> tuple[int, int]:
    """Return the bytes read and written on all devices: io.stat (v2)."""
    found = _IO.findall(text)
    return sum(int(read) for read, _ in found), sum(int(written) for _, written in found)


def blkio(text: bytes) -> tuple[int, int] | None:
    """Return the bytes read and written on all devices: blkio.*.io_service_bytes (v1).

    None where no device is listed: nothing was read or written yet, or nothing is counted.
    """
    found = _BLKIO.findall(text)
    if not found:
        return None
    read = written = 0
    for what, count in found:
        if what == b"Read":
            read += int(count)
        else:
            written += int(count)
    return read, written


def network(text: bytes) -> tuple[int, int] | None:
    """Return the bytes received and sent on all interfaces but the loopback: /proc/PID/net/dev."""
    received = sent = 0
    found = _LINK.findall(text)
    for name, counts in found:
        if name != b"lo":
            columns = counts.split()
            received += int(columns[0])
            sent += int(columns[_TRANSMITTED])
    return (received, sent) if found else None
