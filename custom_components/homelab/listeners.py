"""Who is called when something changed: each only for what it asked for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from homeassistant.core import CALLBACK_TYPE, callback

from .client import (
    CertificateEvent,
    Change,
    ContainerEvent,
    DomainEvent,
    DynamicAddressEvent,
    Job,
    Kind,
    ManagedCertificateEvent,
    MonitorEvent,
    PortEvent,
)
from .client.kinds import JOB
from .const import LOGGER
from .mirror import Before, Mirror, ResourceId
from .subjects import Subject

type Listened = tuple[str, str | None]
"""A resource by kind and key; without a key all of a kind."""
type AnyEvent = (
    ContainerEvent
    | MonitorEvent
    | CertificateEvent
    | PortEvent
    | DomainEvent
    | DynamicAddressEvent
    | ManagedCertificateEvent
)
type OnEvent[E] = Callable[[E], None]

_EVENTS = (
    ContainerEvent,
    MonitorEvent,
    CertificateEvent,
    PortEvent,
    DomainEvent,
    DynamicAddressEvent,
    ManagedCertificateEvent,
)


class OnChanges(Protocol):
    """Who looks at all that changes."""

    def __call__(self, before: Before, *, just_now: bool) -> None:
        """Take note of what changed; `before` holds each resource with what it was."""


_JOB_OF = "job of"
"""Stands in for a kind where somebody listens to the jobs of a target."""
_PLACE_OF = "place of"
"""Stands in for a kind where somebody listens to whose device something is on, under what name."""


class Listeners:
    """The listeners to one agent's resources and events."""

    def __init__(self) -> None:
        self._listeners: dict[Listened, list[CALLBACK_TYPE]] = {}
        self._on_event: dict[Listened, list[OnEvent[Any]]] = {}
        self._on_changes: list[OnChanges] = []

    @callback
    def add(self, resource: Listened, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` after each change of a resource; return what ends that."""
        listeners = self._listeners.setdefault(resource, [])
        listeners.append(listener)

        @callback
        def remove() -> None:
            listeners.remove(listener)
            if not listeners:
                self._listeners.pop(resource, None)

        return remove

    @callback
    def add_of_job(self, target: str, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` after each change of a job about `target`; return what ends that."""
        return self.add((_JOB_OF, target), listener)

    @callback
    def add_of_place(self, subject: Subject, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` where something may have another place; return what ends that."""
        return self.add((_PLACE_OF, subject.id), listener)

    @callback
    def announce_places(self, subjects: Iterable[Subject]) -> None:
        """Call the listeners of what may have another place."""
        for subject in subjects:
            self._announce((_PLACE_OF, subject.id))

    @callback
    def add_of_events[E: AnyEvent](
        self, kind: Kind[E], on_event: OnEvent[E], key: str | None
    ) -> CALLBACK_TYPE:
        """Call `on_event` for each event, of one thing or of all; return what ends that."""
        listeners = self._on_event.setdefault((kind.name, key), [])
        listeners.append(on_event)
        return lambda: listeners.remove(on_event)

    @callback
    def add_of_changes(self, on_changes: OnChanges) -> CALLBACK_TYPE:
        """Call `on_changes` with all that changes; return what ends that."""
        self._on_changes.append(on_changes)
        return lambda: self._on_changes.remove(on_changes)

    @callback
    def announce(self, before: Before, mirror: Mirror) -> None:
        """Call the listeners of what changed."""
        for resource in dict.fromkeys(_listened_to(before, mirror)):
            self._announce(resource)

    @callback
    def announce_to_all(self) -> None:
        """Call every listener."""
        for resource in tuple(self._listeners):
            self._announce(resource)

    @callback
    def tell_events(self, changes: Sequence[Change], before: Before) -> None:
        """Tell of each new event among the changes; the same one may be published again."""
        told: dict[ResourceId, int] = {}
        for change in changes:
            event = change.data
            if not isinstance(event, _EVENTS):
                continue
            resource = (change.kind, change.key)
            was = before.get(resource)
            known = told.get(resource, was.number if isinstance(was, _EVENTS) else None)
            told[resource] = event.number
            if event.number != known:
                self._tell(change.kind, event)

    @callback
    def tell_changes(self, before: Before, *, just_now: bool) -> None:
        """Tell of all that changed."""
        for on_changes in tuple(self._on_changes):
            with _told("A listener to all changes failed"):
                on_changes(before, just_now=just_now)

    def _tell(self, kind: str, event: AnyEvent) -> None:
        listeners = (
            *self._on_event.get((kind, event.key), ()),
            *self._on_event.get((kind, None), ()),
        )
        for on_event in listeners:
            with _told("A listener to the events of %s failed", event.key):
                on_event(event)

    def _announce(self, resource: Listened) -> None:
        for listener in tuple(self._listeners.get(resource, ())):
            with _told("An entity of %s failed to update", resource):
                listener()


@contextmanager
def _told(message: str, *about: object) -> Iterator[None]:
    """Log what goes wrong inside with its trace: one broken listener must not cost all the rest."""
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is, the stream goes on
        LOGGER.exception(message, *about)


def _listened_to(before: Before, mirror: Mirror) -> Iterable[Listened]:
    """Return whose listeners to call: each resource, each kind once, the targets of jobs."""
    yield from before
    for kind, _ in before:
        yield kind, None
    for (kind, key), old in before.items():
        if kind == JOB.name:
            for job in (old, mirror.get(JOB, key)):
                if isinstance(job, Job):
                    yield _JOB_OF, job.target
