"""All containers of the host as last known, and the resources made of them.

Everything here happens within one turn of the event loop.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from homelab_agent.areas.containers.changes import after
from homelab_agent.areas.containers.identity import choose, compose_of, key_of
from homelab_agent.areas.containers.labels import bounded
from homelab_agent.areas.containers.models import CONTAINER_KIND, Container, ContainerCounts
from homelab_agent.areas.containers.protection import Protection
from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
    EngineEvent,
    EventAction,
)
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Resync:
    """What a full list brought: containers to ask about once more, and changes no event told of.

    `listed` are those that no event spoke about meanwhile.
    """

    touched: frozenset[str]
    missed: int
    listed: tuple[EngineContainer, ...] = ()


class Inventory:
    """Rows by container id; what is published is one container for each identity."""

    def __init__(self, resources: Resources, protection: Protection) -> None:
        self._resources = resources
        self._protection = protection
        self._rows: dict[str, EngineContainer] = {}
        self._containers: dict[str, Container] = {}
        self._members: dict[str, set[str]] = {}
        self._shown: dict[str, Container] = {}
        self._versions: Counter[str] = Counter()
        self._touched: set[str] = set()
        self._looping: set[str] = set()

    def row(self, container_id: str) -> EngineContainer | None:
        """Return a container as the engine last described it."""
        return self._rows.get(container_id)

    def version(self, container_id: str) -> tuple[int, bool]:
        """Return what changes with each event: an answer asked for before is then stale."""
        return self._versions[container_id], container_id in self._rows

    def begin_resync(self) -> None:
        """Remember from now on which containers events speak about."""
        self._touched = set()

    def end_resync(self, listed: Iterable[EngineContainer]) -> Resync:
        """Take over the list asked for after `begin_resync`; events since then are newer."""
        touched, rows = frozenset(self._touched), {row.id: row for row in listed}
        missed = 0
        taken: list[EngineContainer] = []
        for row in rows.values():
            if row.id not in touched:
                known = self._rows.get(row.id)
                if self.put(row):
                    taken.append(row)
                    missed += known is None or known.state is not row.state
        for gone in self._rows.keys() - rows.keys() - touched:
            missed += 1
            self.drop(gone)
        return Resync(touched, missed, listed=tuple(taken))

    def put(self, container: EngineContainer) -> bool:
        """Take over what the engine says about one container, if that can be understood."""
        known = self._rows.get(container.id)
        if known == container:
            return True
        try:
            understood = self._container(container)
            # What cannot be written can be sent to nobody.
            understood.model_dump_json()
        except (ValueError, OverflowError) as error:
            # Whoever may start a container writes its labels: one must not hide all others.
            _log.warning("container_not_understood", id=container.id[:12], why=str(error))
            self.drop(container.id)
            return False
        self._rows[container.id] = container
        self._containers[container.id] = understood
        new_key = key_of(container.name, container.labels)
        if known is not None:
            old_key = key_of(known.name, known.labels)
            if old_key != new_key:
                self._leave(old_key, container.id)
        self._members.setdefault(new_key, set()).add(container.id)
        self._show(new_key)
        return True

    def drop(self, container_id: str) -> None:
        """Forget a container that is gone."""
        known = self._rows.pop(container_id, None)
        self._containers.pop(container_id, None)
        self._versions.pop(container_id, None)
        if known is not None:
            self._leave(key_of(known.name, known.labels), container_id)

    def apply(self, event: EngineEvent) -> bool:
        """Take over what an event itself tells; return whether the engine must tell the rest."""
        self._touched.add(event.container_id)
        if event.action is EventAction.DESTROY:
            self.drop(event.container_id)
            return False
        self._versions[event.container_id] += 1
        known = self._rows.get(event.container_id)
        if known is not None:
            self.put(after(known, event))
        return known is None or event.action is not EventAction.KILL

    def mark_loop(self, key: str, *, looping: bool) -> None:
        """Show a container as one that ends by itself again and again, or as one no more."""
        if looping is not (key in self._looping):
            (self._looping.add if looping else self._looping.discard)(key)
            members = self._members.get(key, ())
            for each in members:
                self._containers[each] = self._container(self._rows[each])
            if members:
                self._show(key)

    def get(self, key: str) -> Container | None:
        """Return the container that is published under a key."""
        return self._shown.get(key)

    def with_id(self, container_id: str) -> Container | None:
        """Return the container that has this full id."""
        return self._containers.get(container_id)

    def find(self, name_or_key: str) -> Container | None:
        """Return a container by its Docker name, else by its key."""
        for row in self._rows.values():
            if row.name == name_or_key:
                return self._containers[row.id]
        return self._shown.get(name_or_key)

    def shown(self) -> Iterable[Container]:
        """Return all published containers."""
        return self._shown.values()

    def counts(self) -> ContainerCounts:
        """Return how many published containers are in which state."""
        states = Counter(container.state for container in self._shown.values())
        return ContainerCounts(
            total=len(self._shown),
            running=states[ContainerState.RUNNING],
            paused=states[ContainerState.PAUSED],
            restarting=states[ContainerState.RESTARTING],
            stopped=states[ContainerState.CREATED]
            + states[ContainerState.EXITED]
            + states[ContainerState.DEAD],
            unhealthy=sum(
                container.health is ContainerHealth.UNHEALTHY for container in self._shown.values()
            ),
        )

    def _leave(self, key: str, container_id: str) -> None:
        members = self._members[key]
        members.discard(container_id)
        if members:
            self._show(key)
        else:
            del self._members[key]
            del self._shown[key]
            self._resources.remove(CONTAINER_KIND, key)

    def _show(self, key: str) -> None:
        row = choose(self._rows[each] for each in self._members[key])
        container = self._containers[row.id]
        self._shown[key] = container
        self._resources.publish(CONTAINER_KIND, key, container)

    def _container(self, row: EngineContainer) -> Container:
        key = key_of(row.name, row.labels)
        return Container(
            key=key,
            compose=compose_of(row.labels),
            protected_reason=self._protection.reason(row, key),
            restart_loop=key in self._looping,
            **{**dict(row), "labels": bounded(row.labels)},
        )
