"""Watches one machine for what a person should do something about: disks, and the clock."""

from collections.abc import Callable, Mapping
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from . import issues
from .client import Finding, FindingType
from .client.kinds import (
    DISK_FORECAST,
    DISK_HEALTH,
    FILESYSTEM,
    FINDING,
    MACHINE_KEY,
    NETWORK_STATUS,
)
from .coordinator import HomelabCoordinator
from .issue_board import IssueBoard
from .mirror import Before

_ISSUES: Final[Mapping[FindingType, str]] = {
    FindingType.DISK_FILLING: issues.DISK_FILLING,
    FindingType.DISK_FULL: issues.DISK_FULL,
    FindingType.DISK_FAILING: issues.DISK_FAILING,
    FindingType.FILESYSTEM_LOST: issues.FILESYSTEM_LOST,
    FindingType.FILESYSTEM_READ_ONLY: issues.FILESYSTEM_READ_ONLY,
    FindingType.CLOCK_WRONG: issues.CLOCK_WRONG,
}
"""What else is found is worth a look, but nothing that somebody has to mend."""

_GB: Final = 1e9


class MachineIssues:
    """Raises and withdraws the issues about what the agent found on its machine.

    What is found, and when it is over, is the agent's to say.
    """

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, coordinator: HomelabCoordinator
    ) -> None:
        self._coordinator = coordinator
        self._board = IssueBoard(hass, entry, issues.OF_MACHINES)
        self._shown: dict[str, Finding] = {}
        self._says: Mapping[str, Callable[[Finding], dict[str, str]]] = {
            issues.DISK_FILLING: self._of_filling,
            issues.DISK_FULL: self._of_full,
            issues.DISK_FAILING: self._of_failing,
            issues.FILESYSTEM_LOST: self._of_filesystem,
            issues.FILESYSTEM_READ_ONLY: self._of_filesystem,
            issues.CLOCK_WRONG: self._of_clock,
        }

    @callback
    def begin(self) -> CALLBACK_TYPE:
        """Begin to watch; return what ends that. The issues stay until they are withdrawn."""
        for finding in self._coordinator.mirror.every(FINDING):
            self._look(finding.key)
        self._board.show()
        return self._coordinator.async_on_changes(self._on_changes)

    @callback
    def _on_changes(self, before: Before, *, just_now: bool) -> None:  # noqa: ARG002 - what is so is so
        for kind, key in before:
            if kind == FINDING.name:
                self._look(key)
            elif kind == DISK_FORECAST.name:
                # How many days are left changes while the finding stays.
                self._look(f"{FindingType.DISK_FILLING.value}:{key}")
        self._board.show()

    def _look(self, key: str) -> None:
        finding = self._coordinator.mirror.get(FINDING, key)
        was = self._shown.pop(key, None)
        if was is not None and (finding is None or finding.type is not was.type):
            self._board.drop(_ISSUES[was.type], key)
        if finding is None or finding.type not in _ISSUES:
            return
        self._shown[key] = finding
        issue = _ISSUES[finding.type]
        self._board.note(issue, key, finding.subject, self._says[issue](finding))

    def _of_filling(self, finding: Finding) -> dict[str, str]:
        forecast = self._coordinator.mirror.get(DISK_FORECAST, finding.subject)
        days = forecast.days_until_full if forecast else None
        growth = forecast.growth_bytes_per_day if forecast else None
        return {
            "disk": finding.subject,
            "days": _number(days),
            "growth": _number(None if growth is None else growth / _GB, digits=1),
        }

    def _of_full(self, finding: Finding) -> dict[str, str]:
        filesystem = self._coordinator.mirror.get(FILESYSTEM, finding.subject)
        # Without inodes nothing can be made either, however much room there is.
        known = (filesystem.used_percent, filesystem.inodes_percent) if filesystem else ()
        percent = max((one for one in known if one is not None), default=None)
        return {"disk": finding.subject, "percent": _number(percent)}

    def _of_failing(self, finding: Finding) -> dict[str, str]:
        health = self._coordinator.mirror.get(DISK_HEALTH, finding.subject)
        model = health.model if health else None
        return {
            "disk": finding.subject if model is None else f"{finding.subject} ({model})",
            "reason": (health.reason if health else None) or finding.message,
        }

    def _of_filesystem(self, finding: Finding) -> dict[str, str]:
        filesystem = self._coordinator.mirror.get(FILESYSTEM, finding.subject)
        reason = filesystem.reason if filesystem else None
        return {"disk": finding.subject, "reason": reason or finding.message}

    def _of_clock(self, finding: Finding) -> dict[str, str]:  # noqa: ARG002 - there is one clock
        status = self._coordinator.mirror.get(NETWORK_STATUS, MACHINE_KEY)
        offset = status.clock_offset_s if status else None
        return {"seconds": _number(None if offset is None else abs(offset))}


def _number(value: float | None, *, digits: int = 0) -> str:
    """Return a number for a text; what is not known is a question mark."""
    return "?" if value is None else f"{value:.{digits}f}"
