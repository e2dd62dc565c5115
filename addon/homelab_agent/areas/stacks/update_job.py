"""Updating the containers of a stack in one job: one that fails takes the others back with it."""

from homelab_agent.areas.recreate.models import RecreateTarget
from homelab_agent.areas.recreate.service import RecreateService
from homelab_agent.platform.jobs.kinds import JobKind, Recovery
from homelab_agent.platform.model import Model


class StackUpdateArguments(Model):
    """What is made anew, in order, and which containers the job keeps from others."""

    stack: str
    targets: tuple[RecreateTarget, ...]
    held: tuple[str, ...]


def update_kind(recreate: RecreateService) -> JobKind[StackUpdateArguments]:
    """Return the kind of job."""
    return JobKind(
        name="stacks.update",
        arguments=StackUpdateArguments,
        steps=lambda arguments: recreate.steps_for(arguments.targets),
        recovery=Recovery.GO_ON,
        holds=lambda arguments: (
            *arguments.held,
            *(target.key for target in arguments.targets),
        ),
    )
