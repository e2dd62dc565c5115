"""File systems and disks: full, filling, lost, read-only, failing."""

from collections.abc import Iterable, Iterator, Sequence

from homelab_agent.areas.host.models import (
    DISK_HEALTH_KIND,
    FILESYSTEM_KIND,
    DiskHealth,
    Filesystem,
    FilesystemState,
)
from homelab_agent.areas.insight.models import DiskForecast, Fact, FindingSeverity, FindingType
from homelab_agent.areas.insight.noticed import Known, Noticed
from homelab_agent.platform.amounts import size_text, time_text
from homelab_agent.platform.clock import Steady
from homelab_agent.platform.host.machine import DiskHealthState

OF_FILESYSTEMS = (
    FindingType.DISK_FULL,
    FindingType.FILESYSTEM_LOST,
    FindingType.FILESYSTEM_READ_ONLY,
)
OF_DISKS = (FindingType.DISK_FAILING,)
FACTS = (*OF_FILESYSTEMS, *OF_DISKS)
"""What the resources alone tell."""

IMAGES = frozenset({"cramfs", "erofs", "iso9660", "squashfs", "udf"})
"""Full from the day they were made."""

LOST_AFTER_S = 90.0
"""A NAS that sleeps takes some seconds to answer, and what is mounted anew is away for a moment."""

_GB = 1_000_000_000
_SCARCE_SHARE, _SCARCE_BYTES = 0.05, 20 * _GB
"""Of a small disk 5 % left is little; of a huge one it is room for years."""

_LAST_SHARE, _LAST_BYTES = 0.01, _GB
_EASE = 1.2
"""So much more has to be left before it is good again."""

_INODES_SCARCE, _INODES_LAST, _INODES_EASE = 95.0, 99.0, 2.0
_WARNING_DAYS, _CRITICAL_DAYS = 7.0, 2.0
_EASE_DAYS = 3.0
_CRITICAL_EASE_DAYS = 1.0
_DAY_S, _HOUR_S = 86_400, 3600


class DiskFacts:
    """Notices what the resources say; remembers which file systems could be written before.

    Look at least every minute or so: what is lost is told when it stays so.
    """

    def __init__(self, steady: Steady) -> None:
        self._steady = steady
        self._writable: set[str] = set()
        self._lost_since_s: dict[str, float] = {}

    def notice(
        self, filesystems: Sequence[Filesystem], disks: Iterable[DiskHealth], known: Known
    ) -> Iterator[Noticed]:
        """Yield what is so right now."""
        now_s = self._steady()
        lost = {each.key: each for each in filesystems if each.state in _LOST}
        self._lost_since_s = {key: self._lost_since_s.get(key, now_s) for key in lost}
        for key, since_s in self._lost_since_s.items():
            if now_s - since_s >= LOST_AFTER_S or known(FindingType.FILESYSTEM_LOST, key):
                yield _lost(lost[key])
        for filesystem in filesystems:
            yield from self._of_filesystem(filesystem, known)
        yield from (failing(disk) for disk in disks if disk.state in _BAD)

    def _of_filesystem(self, filesystem: Filesystem, known: Known) -> Iterator[Noticed]:
        key = filesystem.key
        match filesystem.state:
            case FilesystemState.OK if filesystem.type not in IMAGES:
                self._writable.add(key)
                found = full(filesystem, known(FindingType.DISK_FULL, key))
                if found is not None:
                    yield found
            case FilesystemState.READ_ONLY:
                if key in self._writable or known(FindingType.FILESYSTEM_READ_ONLY, key):
                    yield _read_only(filesystem)


def full(filesystem: Filesystem, before: FindingSeverity | None) -> Noticed | None:
    """Return that a file system is full, or out of inodes; None where it is not."""
    size, available = filesystem.size_bytes, filesystem.available_bytes
    if not size or available is None:
        return None
    ease = _EASE if before else 1.0
    scarce = min(size * _SCARCE_SHARE, _SCARCE_BYTES) * ease
    last = min(size * _LAST_SHARE, _LAST_BYTES) * (ease if before is _CRITICAL else 1.0)
    evidence = (
        Fact(name="available", value=float(available), unit="B"),
        Fact(name="size", value=float(size), unit="B"),
    )
    if available < scarce:
        severity = _CRITICAL if available < last else _WARNING
        what = f"{filesystem.key} is full: {size_text(available)} of {size_text(size)} are left."
        return _noticed(FindingType.DISK_FULL, severity, filesystem.key, what, evidence)
    return _out_of_inodes(filesystem, before)


def _out_of_inodes(filesystem: Filesystem, before: FindingSeverity | None) -> Noticed | None:
    percent = filesystem.inodes_percent
    if percent is None or filesystem.inodes is None:
        return None
    if percent < _INODES_SCARCE - (_INODES_EASE if before else 0.0):
        return None
    severity = _CRITICAL if percent >= _INODES_LAST else _WARNING
    evidence = (
        Fact(name="inodes used", value=percent, unit="%"),
        Fact(name="inodes", value=float(filesystem.inodes)),
    )
    what = (
        f"{filesystem.key} can hold hardly any more files: {percent:.0f} % of its inodes are used."
    )
    return _noticed(FindingType.DISK_FULL, severity, filesystem.key, what, evidence)


def filling(
    forecast: DiskForecast, filesystem: Filesystem, before: FindingSeverity | None
) -> Noticed | None:
    """Return that a file system will be full within days; None where it will not."""
    days, growth = forecast.days_until_full, forecast.growth_bytes_per_day
    if days is None or growth is None or filesystem.available_bytes is None:
        return None
    if days > _WARNING_DAYS + (_EASE_DAYS if before else 0.0):
        return None
    critical_days = _CRITICAL_DAYS + (_CRITICAL_EASE_DAYS if before is _CRITICAL else 0.0)
    severity = _CRITICAL if days <= critical_days else _WARNING
    by_hour = days * _DAY_S <= _HOUR_S
    rate = f"{size_text(growth / 24)} an hour" if by_hour else f"{size_text(growth)} a day"
    what = f"{forecast.key} will be full in {time_text(days * _DAY_S)}: it grows by {rate}."
    evidence = [
        Fact(name="days until full", value=days, unit="d"),
        Fact(name="growth per day", value=growth, unit="B"),
        Fact(name="available", value=float(filesystem.available_bytes), unit="B"),
        Fact(name="samples", value=float(forecast.samples)),
    ]
    if forecast.observed_from is not None:
        evidence.append(Fact(name="observed from", value=forecast.observed_from.isoformat()))
    return _noticed(FindingType.DISK_FILLING, severity, forecast.key, what, tuple(evidence))


def failing(disk: DiskHealth) -> Noticed:
    """Return that a disk says it fails, or is worn."""
    is_failing = disk.state is DiskHealthState.FAILING
    name = f"{disk.key} ({disk.model})" if disk.model else disk.key
    what = f"The disk {name} is {'failing' if is_failing else 'worn'}"
    figures: tuple[tuple[str, float | None, str | None], ...] = (
        ("wear", disk.wear_percent, "%"),
        ("reallocated sectors", disk.reallocated_sectors, None),
        ("pending sectors", disk.pending_sectors, None),
        ("power-on hours", disk.power_on_hours, "h"),
    )
    facts = [
        Fact(name=fact, value=float(value), unit=unit)
        for fact, value, unit in figures
        if value is not None
    ]
    if disk.serial:
        facts.append(Fact(name="serial number", value=disk.serial))
    return Noticed(
        type=FindingType.DISK_FAILING,
        severity=_CRITICAL if is_failing else _WARNING,
        subject_kind=DISK_HEALTH_KIND,
        subject=disk.key,
        message=f"{what}: {disk.reason}" if disk.reason else f"{what}.",
        evidence=(Fact(name="state", value=disk.state.value), *facts),
    )


def _lost(filesystem: Filesystem) -> Noticed:
    hangs = filesystem.state is FilesystemState.HANGING
    where = f"{filesystem.key} ({filesystem.device})"
    what = f"{where} does not answer any more." if hangs else f"{where} is gone."
    return _noticed(
        FindingType.FILESYSTEM_LOST, _CRITICAL, filesystem.key, what, _state_facts(filesystem)
    )


def _read_only(filesystem: Filesystem) -> Noticed:
    what = f"{filesystem.key} cannot be written any more: it has become read-only."
    return _noticed(
        FindingType.FILESYSTEM_READ_ONLY, _CRITICAL, filesystem.key, what, _state_facts(filesystem)
    )


def _state_facts(filesystem: Filesystem) -> tuple[Fact, ...]:
    facts = [
        Fact(name="state", value=filesystem.state.value),
        Fact(name="device", value=filesystem.device),
        Fact(name="type", value=filesystem.type),
    ]
    if filesystem.reason:
        facts.append(Fact(name="reason", value=filesystem.reason))
    return tuple(facts)


def _noticed(
    type_: FindingType,
    severity: FindingSeverity,
    subject: str,
    message: str,
    evidence: tuple[Fact, ...],
) -> Noticed:
    return Noticed(
        type=type_,
        severity=severity,
        subject_kind=FILESYSTEM_KIND,
        subject=subject,
        message=message,
        evidence=evidence,
    )


_WARNING, _CRITICAL = FindingSeverity.WARNING, FindingSeverity.CRITICAL
_LOST = frozenset({FilesystemState.GONE, FilesystemState.HANGING})
_BAD = frozenset({DiskHealthState.WORN, DiskHealthState.FAILING})
