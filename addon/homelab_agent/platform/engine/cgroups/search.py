"""Finds the control group of each container, whatever driver or parent made its name."""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import NamedTuple

from homelab_agent.platform.engine.cgroups.tree import Tree, find_trees
from homelab_agent.platform.engine.stats import StatsTarget

_SEARCH_PAUSE_S = 30.0
"""How long a container that is nowhere in the tree is not searched for again."""

_MOUNT_BOTH = (
    "In a container: mount the host's /sys/fs/cgroup at /host/sys/fs/cgroup and its /proc at "
    "/host/proc, both read-only."
)
_NO_GROUPS = f"The kernel's control groups are not mounted here. {_MOUNT_BOTH}"
_OTHER_GROUPS = (
    "The containers' control groups are not visible here: the agent sees only its own, or Docker "
    f"runs on another machine. {_MOUNT_BOTH}"
)
_NO_PROCESSES = (
    "Network figures are unknown: the host's processes are not visible here. Mount the host's "
    "/proc at /host/proc, read-only."
)


class Place(NamedTuple):
    """What Docker tells of a running container. `network_mode` is Docker's word."""

    pid: int
    network_mode: str

    @property
    def has_own_network(self) -> bool:
        """Whether what its interfaces count is its own, and not the host's or another's."""
        return self.network_mode != "host" and not self.network_mode.startswith("container:")


class Located(NamedTuple):
    """Where a container's files are. `pid` None: its network is not its own, or not visible."""

    group: str
    pid: int | None


class GroupSearch:
    """Looks for groups; the first tree in which any container is found is the one from then on."""

    def __init__(self, trees: Callable[[], Sequence[Tree]] = find_trees) -> None:
        self._find_trees = trees
        self._searched: dict[StatsTarget, float] = {}
        self.tree: Tree | None = None
        self.reason: str | None = None
        """Why nothing is found, or what is missing; None where all is well."""

    def locate(self, places: Mapping[StatsTarget, Place]) -> dict[StatsTarget, Located]:
        """Return where the containers are; those that are nowhere are left out."""
        trees = (self.tree,) if self.tree else self._find_trees()
        if not trees:
            self.reason = _NO_GROUPS
        for tree in trees:
            groups = self._groups(tree, places)
            if groups:
                self.tree = tree
                self.reason = None
                return {
                    target: self._located(tree, target, group, places[target])
                    for target, group in groups.items()
                }
        if trees and self.tree is None:
            self.reason = _OTHER_GROUPS
        return {}

    def forget(self, target: StatsTarget) -> None:
        """Forget that a container was searched for."""
        self._searched.pop(target, None)

    def start_again(self) -> None:
        """Forget which tree it was: it shows no container any more."""
        self.tree = None
        self._searched.clear()
        self.reason = _OTHER_GROUPS

    def _groups(self, tree: Tree, places: Mapping[StatsTarget, Place]) -> dict[StatsTarget, str]:
        found = {
            target: group
            for target, place in places.items()
            if (group := tree.group_of(target.id, place.pid)) is not None
        }
        now = monotonic()
        missing = [
            target
            for target in places.keys() - found.keys()
            if now - self._searched.get(target, -_SEARCH_PAUSE_S) >= _SEARCH_PAUSE_S
        ]
        if missing:
            by_id = tree.groups()
            found |= {target: by_id[target.id] for target in missing if target.id in by_id}
            self._searched |= dict.fromkeys(missing - found.keys(), now)
        return found

    def _located(self, tree: Tree, target: StatsTarget, group: str, place: Place) -> Located:
        if not place.has_own_network:
            return Located(group, None)
        if tree.sees_process(target.id, place.pid):
            return Located(group, place.pid)
        self.reason = _NO_PROCESSES
        return Located(group, None)
