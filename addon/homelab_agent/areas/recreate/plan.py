"""Which containers are made anew together, and in which order."""

from collections.abc import Mapping, Sequence

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.recreate.models import RecreateTarget


def with_users(
    wanted: Sequence[RecreateTarget],
    uses: Mapping[str, frozenset[str]],
    containers: Mapping[str, Container],
) -> tuple[RecreateTarget, ...]:
    """Return what is wanted and all that cannot be without it: each after those that it uses.

    `uses` and `containers` are by container id. Otherwise the order is kept.
    """
    targets = {target.container_id: target for target in wanted}
    grown = True
    while grown:
        grown = False
        for user, used in uses.items():
            if user not in targets and user in containers and used & targets.keys():
                targets[user] = _follower(containers[user], next(iter(targets.values())))
                grown = True
    keys = {container_id: target.key for container_id, target in targets.items()}
    ordered: list[RecreateTarget] = []
    placed: set[str] = set()
    while len(placed) < len(targets):
        waiting = [each for each in targets if each not in placed]
        free = [
            each for each in waiting if not (uses.get(each, frozenset()) - placed) & keys.keys()
        ]
        # Two that use each other have no right order: the first wanted goes first.
        chosen = (free or waiting)[0]
        used = uses.get(chosen, frozenset()) & placed
        ordered.append(
            targets[chosen].model_copy(update={"uses": tuple(sorted(keys[each] for each in used))})
        )
        placed.add(chosen)
    return tuple(ordered)


def _follower(container: Container, first: RecreateTarget) -> RecreateTarget:
    return RecreateTarget(
        key=container.key,
        name=container.name,
        container_id=container.id,
        action=first.action,
        only_with_them=True,
    )
