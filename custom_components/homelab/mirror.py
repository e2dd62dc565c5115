"""What one agent's stream told, by kind and key."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .client import Change, Job, JobState, Kind, Resource
from .client.kinds import JOB

type ResourceId = tuple[str, str]
type Before = Mapping[ResourceId, Resource | None]
"""Resources that changed, each with what it was."""


class Mirror:
    """The resources of one agent. Nothing here looks at all of them for one change."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Resource]] = {}
        self._running: dict[str, Job] = {}

    def get[T](self, kind: Kind[T], key: str) -> T | None:
        """Return one resource."""
        found = self._kinds.get(kind.name, {}).get(key)
        return found if isinstance(found, kind.model) else None

    def every[T](self, kind: Kind[T]) -> list[T]:
        """Return all resources of a kind."""
        found = self._kinds.get(kind.name, {}).values()
        return [one for one in found if isinstance(one, kind.model)]

    def find(self, resource: ResourceId) -> Resource | None:
        """Return one resource of whatever kind."""
        kind, key = resource
        return self._kinds.get(kind, {}).get(key)

    def keys(self, kind: Kind[Any]) -> Collection[str]:
        """Return the keys of all resources of a kind."""
        return self._kinds.get(kind.name, {}).keys()

    def has(self, resource: ResourceId) -> bool:
        """Return whether there is such a resource."""
        kind, key = resource
        return key in self._kinds.get(kind, {})

    def knows(self, kind: str) -> bool:
        """Return whether there is anything of a kind."""
        return bool(self._kinds.get(kind))

    def counts(self) -> dict[str, int]:
        """Return how many resources there are of each kind."""
        return {kind: len(found) for kind, found in sorted(self._kinds.items())}

    def running_job(self, target: str) -> Job | None:
        """Return the job that is at work on a target right now."""
        return self._running.get(target)

    def running_jobs(self) -> list[Job]:
        """Return all jobs that are at work right now."""
        return list(self._running.values())

    def take_snapshot(self, resources: Sequence[Change]) -> Before:
        """Replace everything; return what differs."""
        old, self._kinds = self._kinds, {}
        for change in resources:
            if change.data is not None:
                self._kinds.setdefault(change.kind, {})[change.key] = change.data
        self._running = {
            job.target: job for job in self.every(JOB) if job.state is not JobState.FINISHED
        }
        return dict(_differences(old, self._kinds))

    def take_changes(self, changes: Sequence[Change]) -> Before:
        """Take single changes over; return them."""
        before: dict[ResourceId, Resource | None] = {}
        for change in changes:
            known = self._kinds.setdefault(change.kind, {})
            before.setdefault((change.kind, change.key), known.get(change.key))
            if change.data is None:
                gone = known.pop(change.key, None)
                self._note_job(gone, ended=True)
            else:
                known[change.key] = change.data
                self._note_job(change.data, ended=False)
        return before

    def drop(self, kind: str) -> None:
        """Forget a kind that is followed no longer."""
        self._kinds.pop(kind, None)

    def _note_job(self, resource: Resource | None, *, ended: bool) -> None:
        if not isinstance(resource, Job):
            return
        if not ended and resource.state is not JobState.FINISHED:
            self._running[resource.target] = resource
        elif (running := self._running.get(resource.target)) and running.id == resource.id:
            del self._running[resource.target]


def _differences(
    old: Mapping[str, Mapping[str, Resource]], new: Mapping[str, Mapping[str, Resource]]
) -> Sequence[tuple[ResourceId, Resource | None]]:
    return [
        ((kind, key), was.get(key))
        for kind in old.keys() | new.keys()
        for was, now in ((old.get(kind, {}), new.get(kind, {})),)
        for key in was.keys() | now.keys()
        if was.get(key) != now.get(key)
    ]
