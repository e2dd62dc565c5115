"""Shows what was found wrong with the things of one host: one issue each, or one for too many."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from . import issues
from .const import DOMAIN

MOST: Final = 5
"""So many issues of a kind are shown for a host; more than that become one."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """One issue: its id, what it is about, and what its text says."""

    issue_id: str
    thing: str
    placeholders: dict[str, str]


class IssueBoard:
    """Holds what was found, by kind of issue and key, and brings what is shown in line with it."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, kinds: Collection[str]) -> None:
        self._hass = hass
        self._entry = entry
        self._found: dict[str, dict[str, _Trouble]] = {issue: {} for issue in kinds}
        self._stale = set(kinds)

    def has(self, issue: str, key: str) -> bool:
        """Return whether something was found."""
        return key in self._found[issue]

    def note(self, issue: str, key: str, thing: str, told: dict[str, str]) -> None:
        """Note that there is an issue about a thing, and what its text says.

        With "at" among it another time is another issue, also for who put the first one aside.
        """
        identity = f"{key}_{told['at']}" if "at" in told else key
        issue_id = issues.id_of_thing(self._entry, issue, identity)
        trouble = _Trouble(issue_id, thing, {"name": self._entry.title, **told})
        # A fix flow that ended well removes its issue, although what it began may yet fail.
        solved = ir.async_get(self._hass).async_get_issue(DOMAIN, issue_id) is None
        if solved or self._found[issue].get(key) != trouble:
            self._found[issue][key] = trouble
            self._stale.add(issue)

    def drop(self, issue: str, key: str) -> None:
        """Note that there is no such issue, or none any more."""
        if self._found[issue].pop(key, None) is not None:
            self._stale.add(issue)

    @callback
    def show(self) -> None:
        """Raise and withdraw the issues of the kinds of which something changed."""
        while self._stale:
            self._show(self._stale.pop())

    def _show(self, issue: str) -> None:
        found = self._found[issue]
        few = len(found) <= MOST
        wanted = {one.issue_id for one in found.values()} if few else set()
        for issue_id in issues.ids_of_things(self._hass, self._entry, issue):
            if issue_id not in wanted:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        for key, one in found.items() if few else ():
            issues.show_of_thing(
                self._hass, self._entry, one.issue_id, issue, key, one.placeholders
            )
        names = sorted(one.thing for one in found.values())
        issues.count_of_things(self._hass, self._entry, issue, names, present=not few)
