"""Tells the platforms which things are new, so that each gets its entities once."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from homeassistant.core import CALLBACK_TYPE, callback

from .client import Kind
from .client.kinds import CONTAINER
from .mirror import Mirror, ResourceId

type Add[T] = Callable[[Sequence[T]], None]
type Wanted[T] = Callable[[T], bool]


class _Audience[T]:
    """One platform that wants to know of one kind of thing."""

    def __init__(self, mirror: Mirror, kind: Kind[T], add: Add[T], wanted: Wanted[T]) -> None:
        self.kind = kind
        self._mirror = mirror
        self._add = add
        self._wanted = wanted
        self._known: set[str] = set()

    def look(self, keys: Iterable[str]) -> None:
        """Add what is new and wanted among these."""
        new = []
        for key in keys:
            thing = None if key in self._known else self._mirror.get(self.kind, key)
            if thing is not None and self._has_device(key) and self._wanted(thing):
                self._known.add(key)
                new.append(thing)
        if new:
            self._add(new)

    def forget(self, key: str) -> None:
        """Take what comes back under this key for new."""
        self._known.discard(key)

    def _has_device(self, key: str) -> bool:
        # What is said of a container may come before the container, or stay after it.
        return not self.kind.of_container or self._mirror.has((CONTAINER.name, key))


class Newcomers:
    """Everybody who wants to know what is new."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._audiences: list[_Audience[Any]] = []

    @callback
    def tell[T](self, kind: Kind[T], add: Add[T], wanted: Wanted[T]) -> CALLBACK_TYPE:
        """Call `add` with all that are there now, and with each new one later."""
        audience = _Audience(self._mirror, kind, add, wanted)
        self._audiences.append(audience)
        audience.look(list(self._mirror.keys(kind)))
        return lambda: self._audiences.remove(audience)

    @callback
    def look(self, changed: Collection[ResourceId]) -> None:
        """Introduce what is new among the changed resources."""
        for audience in tuple(self._audiences):
            kinds = {audience.kind.name}
            if audience.kind.of_container:
                kinds.add(CONTAINER.name)
            audience.look(dict.fromkeys(key for kind, key in changed if kind in kinds))

    @callback
    def forget(self, kind: str, key: str) -> None:
        """Take what comes back as new: its device is gone, and its entities with it."""
        for audience in self._audiences:
            of_it = kind == CONTAINER.name and audience.kind.of_container
            if of_it or audience.kind.name == kind:
                audience.forget(key)
