"""Watches the containers of one agent for what a person should look at."""

from datetime import datetime
from functools import partial
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from . import issues
from .client import Container, ContainerHealth, Outcome
from .client.kinds import CONTAINER, CONTAINER_RECREATE
from .client.models import LogLine
from .coordinator import HomelabCoordinator
from .issue_board import IssueBoard
from .mirror import Before

UNHEALTHY_AFTER_S: Final = 300.0
"""A container that recovers by itself within this time is nobody's work."""

LOG_LINES: Final = 10
_LINE_LENGTH: Final = 200


class ContainerIssues:
    """Raises and withdraws the issues about single containers, never more than a few."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, coordinator: HomelabCoordinator
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._coordinator = coordinator
        self._board = IssueBoard(hass, entry, issues.OF_CONTAINERS)
        self._timers: dict[str, CALLBACK_TYPE] = {}

    @callback
    def begin(self) -> CALLBACK_TYPE:
        """Begin to watch; return what ends that. The issues stay until they are withdrawn."""
        for container in self._coordinator.containers:
            self._look(container.key)
        self._board.show()
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
        for key in keys:
            self._look(key)
        self._board.show()

    def _look(self, key: str) -> None:
        """Find out what is wrong with a container."""
        container = self._coordinator.container(key)
        loops = container is not None and container.restart_loop
        self._note(issues.RESTART_LOOP, key, container if loops else None, {})
        undone = self._undone(key)
        self._note(issues.ROLLED_BACK, key, container if undone else None, undone)
        if container is None or container.health is not ContainerHealth.UNHEALTHY:
            if timer := self._timers.pop(key, None):
                timer()
            self._board.drop(issues.UNHEALTHY, key)
        elif key not in self._timers and not self._board.has(issues.UNHEALTHY, key):
            self._timers[key] = async_call_later(
                self._hass, UNHEALTHY_AFTER_S, partial(self._stayed_unhealthy, key)
            )

    @callback
    def _stayed_unhealthy(self, key: str, _now: datetime) -> None:
        del self._timers[key]
        self._note(issues.UNHEALTHY, key, self._coordinator.container(key), {})
        self._board.show()

    def _note(
        self, issue: str, key: str, container: Container | None, told: dict[str, str]
    ) -> None:
        if container is None:
            self._board.drop(issue, key)
        else:
            self._board.note(issue, key, container.name, {"container": container.name, **told})

    def _undone(self, key: str) -> dict[str, str]:
        """Return what to say of an update that was taken back last; nothing where none was."""
        status = self._coordinator.mirror.get(CONTAINER_RECREATE, key)
        last = status.last if status else None
        if last is None or last.outcome is not Outcome.UNDONE:
            return {}
        return {
            "from_version": last.from_version or last.from_image,
            "to_version": last.to_version or last.to_image,
            "reason": last.reason or "",
            "at": last.at.isoformat(),
            "log": as_text(last.log),
        }


def as_text(lines: tuple[LogLine, ...]) -> str:
    """Return the last lines of a log as a block that nothing in them can end."""
    shown = [line.text[:_LINE_LENGTH].replace("`", "'") for line in lines[-LOG_LINES:]]
    return "\n".join(("```", *shown, "```")) if shown else ""
