"""Watches the containers of one agent for what a person should look at."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later

from . import issues
from .client import Container, ContainerHealth, Outcome
from .client.kinds import CONTAINER, CONTAINER_RECREATE
from .client.models import LogLine
from .const import DOMAIN
from .coordinator import HomelabCoordinator
from .mirror import Before

MOST: Final = 5
"""So many issues of a kind are shown for a host; more than that become one."""

UNHEALTHY_AFTER_S: Final = 300.0
"""A container that recovers by itself within this time is nobody's work."""

LOG_LINES: Final = 10
_LINE_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class _Trouble:
    """One issue: its id, and what its text says."""

    issue_id: str
    placeholders: dict[str, str]


class ContainerIssues:
    """Raises and withdraws the issues about single containers, never more than a few."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, coordinator: HomelabCoordinator
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._coordinator = coordinator
        self._found: dict[str, dict[str, _Trouble]] = {issue: {} for issue in issues.OF_CONTAINERS}
        self._timers: dict[str, CALLBACK_TYPE] = {}

    @callback
    def begin(self) -> CALLBACK_TYPE:
        """Begin to watch; return what ends that. The issues stay until they are withdrawn."""
        for container in self._coordinator.containers:
            self._look(container.key)
        for issue in issues.OF_CONTAINERS:
            self._show(issue)
        end = self._coordinator.async_on_changes(self._on_changes)

        @callback
        def stop() -> None:
            end()
            while self._timers:
                self._timers.popitem()[1]()

        return stop

    @callback
    def _on_changes(self, before: Before, *, just_now: bool) -> None:  # noqa: ARG002 - what is so is so
        keys = {key for kind, key in before if kind in {CONTAINER.name, CONTAINER_RECREATE.name}}
        was = {issue: dict(found) for issue, found in self._found.items()}
        for key in keys:
            self._look(key)
        for issue, found in self._found.items():
            if found != was[issue]:
                self._show(issue)

    def _look(self, key: str) -> None:
        """Find out what is wrong with a container."""
        container = self._coordinator.container(key)
        loops = container is not None and container.restart_loop
        self._note(issues.RESTART_LOOP, key, _named(container) if loops else None)
        self._note(issues.ROLLED_BACK, key, self._undone(container))
        if container is None or container.health is not ContainerHealth.UNHEALTHY:
            if timer := self._timers.pop(key, None):
                timer()
            self._note(issues.UNHEALTHY, key, None)
        elif key not in self._timers and key not in self._found[issues.UNHEALTHY]:
            self._timers[key] = async_call_later(
                self._hass, UNHEALTHY_AFTER_S, partial(self._stayed_unhealthy, key)
            )

    @callback
    def _stayed_unhealthy(self, key: str, _now: datetime) -> None:
        del self._timers[key]
        if container := self._coordinator.container(key):
            self._note(issues.UNHEALTHY, key, _named(container))
            self._show(issues.UNHEALTHY)

    def _undone(self, container: Container | None) -> dict[str, str] | None:
        """Return what to say of an update that was taken back last."""
        if container is None:
            return None
        status = self._coordinator.mirror.get(CONTAINER_RECREATE, container.key)
        last = status.last if status else None
        if last is None or last.outcome is not Outcome.UNDONE:
            return None
        return {
            **_named(container),
            "from_version": last.from_version or last.from_image,
            "to_version": last.to_version or last.to_image,
            "reason": last.reason or "",
            "at": last.at.isoformat(),
            "log": as_text(last.log),
        }

    def _note(self, issue: str, key: str, told: dict[str, str] | None) -> None:
        if told is None:
            self._found[issue].pop(key, None)
            return
        # Another time is another issue, also for who put the first one aside.
        identity = f"{key}_{told['at']}" if "at" in told else key
        issue_id = issues.id_of_container(self._entry, issue, identity)
        self._found[issue][key] = _Trouble(issue_id, {"name": self._entry.title, **told})

    def _show(self, issue: str) -> None:
        """Bring what is shown of a kind in line with what was found."""
        found = self._found[issue]
        few = len(found) <= MOST
        wanted = {one.issue_id for one in found.values()} if few else set()
        for issue_id in issues.ids_of_containers(self._hass, self._entry, issue):
            if issue_id not in wanted:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        for key, one in found.items() if few else ():
            issues.show_of_container(
                self._hass, self._entry, one.issue_id, issue, key, one.placeholders
            )
        names = sorted(one.placeholders["container"] for one in found.values())
        issues.count_of_containers(self._hass, self._entry, issue, names, present=not few)


def as_text(lines: tuple[LogLine, ...]) -> str:
    """Return the last lines of a log as a block that nothing in them can end."""
    shown = [line.text[:_LINE_LENGTH].replace("`", "'") for line in lines[-LOG_LINES:]]
    return "\n".join(("```", *shown, "```")) if shown else ""


def _named(container: Container | None) -> dict[str, str]:
    return {"container": container.name} if container else {}
