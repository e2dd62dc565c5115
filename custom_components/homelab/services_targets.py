"""Which monitors and containers an action is about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client import Monitor
from .client.kinds import CONTAINER, MONITOR, STACK
from .const import DOMAIN
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .services_answers import hosts, is_targeted, refuse_namesakes, targets
from .targets import HOST

ATTR_MONITOR: Final = "monitor"

MONITOR_FIELD: Any = {
    vol.Optional(ATTR_MONITOR): vol.All(cv.ensure_list, vol.Length(min=1), [cv.string])
}
"""Monitors by key or name, among those targeted, or of all hosts."""


@dataclass(frozen=True, slots=True)
class NamedMonitor:
    """A monitor that an action is about."""

    coordinator: HomelabCoordinator
    host: str
    key: str
    name: str

    @property
    def label(self) -> dict[str, Any]:
        """Which monitor an answer is about."""
        return {"host": self.host, "name": self.name, "key": self.key}


def monitors_of(call: ServiceCall, *, many: bool = True) -> list[NamedMonitor]:
    """Return the monitors that are targeted, or those of them that are named; at least one.

    Without `many` no device stands for several monitors, nor a name for those of several hosts.
    """
    named: list[str] = call.data.get(ATTR_MONITOR, [])
    among = [
        NamedMonitor(entry.runtime_data, entry.title, monitor.key, monitor.name)
        for entry, monitor in _targeted(call, many=many or bool(named))
    ]
    if not named:
        if not among:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="no_monitor_targeted"
            )
        if not many:
            _refuse_several_of_one(call, among)
        return among
    missing = [text for text in named if not any(_is_called(one, text) for one in among)]
    if missing:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_such_monitor",
            translation_placeholders={"monitors": ", ".join(missing)},
        )
    found = [one for one in among if any(_is_called(one, text) for text in named)]
    if not many:
        for text in named:
            alike = [one for one in found if _is_called(one, text)]
            refuse_namesakes(call, ((one.coordinator, one.host) for one in alike))
    return found


def one_monitor(call: ServiceCall) -> NamedMonitor:
    """Return the one monitor that is meant; which of several has to be said."""
    found = monitors_of(call, many=False)
    if len(found) > 1:
        raise _one_monitor_needed(found)
    return found[0]


def one_container(call: ServiceCall, coordinator: HomelabCoordinator) -> str | None:
    """Return the key of the container of that host that is targeted; None where none is.

    Raises:
        ServiceValidationError: several are, or one of another host, which may have its namesake.
    """
    found = [
        (one, one.subject.key)
        for one in targets(call)
        if one.subject and one.kind == CONTAINER.name
    ]
    if len(found) > 1 or any(one.coordinator is not coordinator for one, _ in found):
        names = ", ".join(f"{one.name} ({one.host})" for one, _ in found)
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="one_container_needed",
            translation_placeholders={"containers": names},
        )
    return found[0][1] if found else None


def _targeted(call: ServiceCall, *, many: bool) -> Iterator[tuple[HomelabConfigEntry, Monitor]]:
    """Yield the monitors of all that is targeted, of all hosts where nothing is."""
    narrowed = is_targeted(call)
    if not narrowed and not many:
        return
    wanted = {
        (target.coordinator, key)
        for target in targets(call)
        if many or target.kind not in {HOST, STACK.name}
        for key in target.monitors()
    }
    for entry in hosts(call):
        for monitor in entry.runtime_data.mirror.every(MONITOR):
            if not narrowed or (entry.runtime_data, monitor.key) in wanted:
                yield entry, monitor


def _refuse_several_of_one(call: ServiceCall, among: Sequence[NamedMonitor]) -> None:
    """Refuse a container that has several monitors: each entity of one stands for it as a whole."""
    for target in targets(call):
        keys = set(target.monitors())
        own = [one for one in among if one.coordinator is target.coordinator and one.key in keys]
        if target.kind == CONTAINER.name and len(own) > 1:
            raise _one_monitor_needed(own)


def _one_monitor_needed(found: Sequence[NamedMonitor]) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="one_monitor_needed",
        translation_placeholders={"monitors": ", ".join(one.name for one in found)},
    )


def _is_called(monitor: NamedMonitor, text: str) -> bool:
    return text == monitor.key or text.casefold() == monitor.name.casefold()
