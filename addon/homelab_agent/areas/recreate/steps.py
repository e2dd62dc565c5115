"""The order of all steps of a job: what uses another container stops before it and follows it."""

from collections.abc import Iterator, Sequence

from homelab_agent.areas.recreate.container_steps import ContainerSteps
from homelab_agent.areas.recreate.hands import Hands
from homelab_agent.areas.recreate.models import RecreateTarget
from homelab_agent.platform.jobs.kinds import Step
from homelab_agent.platform.model import Model


def steps_for[Arguments: Model](
    targets: Sequence[RecreateTarget], hands: Hands
) -> tuple[Step[Arguments], ...]:
    """Return the steps that make these containers anew, in this order; all of them, or none.

    A target that uses others comes after them in `targets`. No old container is removed before
    every new one has proved itself.
    """
    made: dict[str, ContainerSteps[Arguments]] = {
        target.key: ContainerSteps(target, targets, hands) for target in targets
    }
    steps = [steps.look() for steps in made.values()]
    steps += [steps.image() for steps in made.values()]
    for group in _groups(targets):
        head, *followers = (made[target.key] for target in group)
        steps.append(head.create())
        steps += [follower.stop() for follower in reversed(followers)]
        steps += [head.stop(), head.start(), head.verify()]
        for follower in followers:
            steps += [follower.create(), follower.start(), follower.verify()]
    steps += [steps.keep() for steps in reversed(made.values())]
    return tuple(steps)


def _groups(targets: Sequence[RecreateTarget]) -> Iterator[list[RecreateTarget]]:
    """Give each container that uses no other, followed by all that use it."""
    groups: list[list[RecreateTarget]] = []
    for target in targets:
        joined = [group for group in groups if any(each.key in target.uses for each in group)]
        for group in joined:
            groups.remove(group)
        groups.append([*(each for group in joined for each in group), target])
    yield from groups
