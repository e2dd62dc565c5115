"""Statistics from the kernel's own files: no engine is asked, and a look costs microseconds."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from homelab_agent.platform.engine.cgroups.files import FILES_OF_A_CONTAINER, ContainerFiles
from homelab_agent.platform.engine.cgroups.search import GroupSearch, Located, Place
from homelab_agent.platform.engine.cgroups.tree import Tree
from homelab_agent.platform.engine.stats import Sample, StatsSource, StatsTarget
from homelab_agent.platform.open_files import open_files_allowed

_SHARE = 4
"""The files of containers get one of so many parts of those that may be open."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one pass over the files brought. `unseen` are containers without files here."""

    samples: dict[StatsTarget, Sample]
    unseen: tuple[StatsTarget, ...]


class Cgroups:
    """Finds and reads the files. Its methods block: they are for threads, and safe among them."""

    def __init__(self, search: GroupSearch | None = None, *, most_open: int | None = None) -> None:
        self._search = search or GroupSearch()
        self._most_open = _room() if most_open is None else most_open
        self._located: dict[StatsTarget, Located] = {}
        self._open: dict[StatsTarget, ContainerFiles] = {}
        self._guard = threading.Lock()

    @property
    def source(self) -> StatsSource | None:
        """Which kind of files is read; None while none was found."""
        tree = self._search.tree
        return tree.source if tree else None

    @property
    def reason(self) -> str | None:
        """Why there are no figures, or which are missing."""
        return self._search.reason

    def knows(self, target: StatsTarget) -> bool:
        """Return whether it is known where a container's files are."""
        return target in self._located

    def read(self, targets: Iterable[StatsTarget], places: Mapping[StatsTarget, Place]) -> Seen:
        """Read the files of all; `places` is for those that are not known yet."""
        with self._guard:
            new = {target: places[target] for target in places if target not in self._located}
            if new:
                self._located |= self._search.locate(new)
            samples: dict[StatsTarget, Sample] = {}
            unseen: list[StatsTarget] = []
            tree = self._search.tree
            for target in targets:
                sample = self._read(tree, target) if tree else None
                if sample is None:
                    unseen.append(target)
                else:
                    samples[target] = sample
            return Seen(samples, tuple(unseen))

    def forget(self, targets: Iterable[StatsTarget]) -> None:
        """Close the files of these containers."""
        with self._guard:
            for target in targets:
                self._forget(target)

    def start_again(self) -> None:
        """Close everything and look anew for where the files are."""
        with self._guard:
            for target in tuple(self._located):
                self._forget(target)
            self._search.start_again()

    def _read(self, tree: Tree, target: StatsTarget) -> Sample | None:
        files = self._open.get(target)
        try:
            if files is not None:
                return files.read()
            located = self._located.get(target)
            return None if located is None else self._read_first(tree, target, located)
        except OSError:  # it has just ended
            self._forget(target)
            return None

    def _read_first(self, tree: Tree, target: StatsTarget, located: Located) -> Sample:
        files = ContainerFiles(tree, located.group, located.pid)
        kept = False
        try:
            sample = files.read()
            if len(self._open) < self._most_open:
                self._open[target] = files
                kept = True
        finally:
            if not kept:
                files.close()
        return sample

    def _forget(self, target: StatsTarget) -> None:
        self._search.forget(target)
        self._located.pop(target, None)
        files = self._open.pop(target, None)
        if files is not None:
            files.close()


def _room() -> int:
    """Return of how many containers the files may stay open: a part of what a process may have."""
    return open_files_allowed() // _SHARE // FILES_OF_A_CONTAINER
