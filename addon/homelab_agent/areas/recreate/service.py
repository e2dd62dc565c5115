"""Making containers anew: an update that proves itself or is taken back."""

from collections.abc import Sequence

from homelab_agent.areas.containers.models import Container, ContainerQuery
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.recreate.hands import Hands, PullAuth
from homelab_agent.areas.recreate.models import RecreateAction, RecreateStatus, RecreateTarget
from homelab_agent.areas.recreate.plan import with_users
from homelab_agent.areas.recreate.self_update import SELF_UPDATE_KIND, SelfUpdateArguments
from homelab_agent.areas.recreate.steps import steps_for
from homelab_agent.areas.recreate.store import RecreateBook
from homelab_agent.areas.updates.models import CONTAINER_UPDATE_KIND, ContainerUpdate
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.engine.image_reference import parse_reference
from homelab_agent.platform.errors import Denied, Invalid, NotFound, Protected
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources

__all__ = ["PullAuth", "RecreateArguments", "RecreateService"]

_DOING = {
    RecreateAction.UPDATE: "being updated",
    RecreateAction.RECREATE: "being made anew",
    RecreateAction.ROLLBACK: "being rolled back",
}


class RecreateArguments(Model):
    """What a job is about: containers in the order in which they are made anew."""

    targets: tuple[RecreateTarget, ...]


class RecreateService:
    """Updates, recreates and rolls back containers. While the engine is away: `Unavailable`."""

    def __init__(
        self,
        containers: ContainerService,
        hands: Hands,
        book: RecreateBook,
        resources: Resources,
        runner: JobRunner,
        *,
        own_id: str | None = None,
    ) -> None:
        self._containers = containers
        self._hands = hands
        self._book = book
        self._own_id = own_id
        self._resources = resources
        self._runner = runner

    def kinds(self) -> tuple[JobKind[RecreateArguments], ...]:
        """Return every kind of job, named like the command that starts it."""
        return tuple(
            JobKind(
                name=f"containers.{action}",
                arguments=RecreateArguments,
                steps=lambda arguments: steps_for(arguments.targets, self._hands),
                recovery=Recovery.GO_ON,
                holds=lambda arguments: [target.key for target in arguments.targets],
            )
            for action in RecreateAction
        )

    async def update(
        self, name_or_key: str, caller: Caller, *, image: str | None, wait_s: float
    ) -> CommandResult:
        """Update a container to `image`, or to the newest of what it follows.

        Raises:
            Denied: `image` is of another repository, or it is the agent itself that is to be
                updated, and the caller is no admin.
            Protected: something else protects it.
        """
        container = self._containers.get(name_or_key)
        if image is not None and not caller.scope.includes(Scope.ADMIN):
            _require_same_repository(container, image)
        if self._own_id and container.id.startswith(self._own_id):
            return await self._update_agent(container, caller, image, wait_s)
        return await self._begin(name_or_key, RecreateAction.UPDATE, caller, wait_s, image=image)

    async def recreate(self, name_or_key: str, caller: Caller, *, wait_s: float) -> CommandResult:
        """Make a container anew from the image that its name means on this host."""
        return await self._begin(name_or_key, RecreateAction.RECREATE, caller, wait_s)

    async def rollback(self, name_or_key: str, caller: Caller, *, wait_s: float) -> CommandResult:
        """Make a container anew from the image that was kept; `NotFound` where none is."""
        container = self._containers.get(name_or_key)
        kept = (await self._hands.book.read(container.key)).kept
        if kept is None:
            raise NotFound(
                f"No image of {container.name} is kept to roll back to.",
                field="name",
                hint="The image before is kept when a container is updated here.",
            )
        return await self._begin(
            name_or_key,
            RecreateAction.ROLLBACK,
            caller,
            wait_s,
            image=kept.image,
            image_id=kept.image_id,
        )

    async def status(self, name_or_key: str) -> RecreateStatus:
        """Return what was last done to a container, and what it can be rolled back to."""
        return await self._book.status(self._containers.get(name_or_key).key)

    async def publish_all(self) -> None:
        """Publish what is remembered of every container."""
        await self._book.publish_all()

    async def plan(
        self,
        names_or_keys: Sequence[str],
        *,
        action: RecreateAction = RecreateAction.UPDATE,
        image: str | None = None,
        image_id: str | None = None,
    ) -> tuple[RecreateTarget, ...]:
        """Return the containers to make anew, and those that cannot be without them, in order.

        `image` is for all of the named ones; what each follows where None.
        Raises `Protected` where one of them must not be touched.
        """
        shown = self._containers.list(ContainerQuery()).containers
        named = [self._containers.get(name) for name in dict.fromkeys(names_or_keys)]
        wanted = [self._target(each, action, image, image_id) for each in named]
        uses = await self._hands.recreate.uses()
        targets = with_users(wanted, uses, {each.id: each for each in shown})
        # By id: a copy that carries the labels of another container has that one's key.
        reasons = {each.id: each.protected_reason for each in (*shown, *named)}
        for target in targets:
            if reason := reasons.get(target.container_id):
                raise Protected(f"{target.name}: {reason}", field="name")
        return targets

    def steps_for[Arguments: Model](
        self, targets: Sequence[RecreateTarget]
    ) -> tuple[Step[Arguments], ...]:
        """Return the steps for planned targets: for a job of any area, which must hold their keys.

        They depend on the targets alone, stand being repeated, and undo one another in reverse.
        """
        return steps_for(targets, self._hands)

    def _target(
        self,
        container: Container,
        action: RecreateAction,
        image: str | None,
        image_id: str | None,
    ) -> RecreateTarget:
        if image is None and action is RecreateAction.UPDATE:
            known = self._resources.get(CONTAINER_UPDATE_KIND, container.key)
            # What is known of another image, as of the one before, is not what this one follows.
            if isinstance(known, ContainerUpdate) and known.image == container.image:
                image = known.latest_image
        return RecreateTarget(
            key=container.key,
            name=container.name,
            container_id=container.id,
            action=action,
            image=image,
            image_id=image_id,
        )

    async def _update_agent(
        self, container: Container, caller: Caller, image: str | None, wait_s: float
    ) -> CommandResult:
        if not caller.scope.includes(Scope.ADMIN):
            raise Denied(
                f"Updating the agent itself needs the scope admin; "
                f"{caller.name} has {caller.scope}",
                hint="Create a token with the scope admin",
            )
        target = self._target(container, RecreateAction.UPDATE, image, None)
        arguments = SelfUpdateArguments(target=target)
        job = await self._runner.start(SELF_UPDATE_KIND, container.key, arguments, caller)
        ended = await self._runner.wait(job.id, wait_s)
        return answer(ended, meanwhile="The agent is being updated, and will be away for a moment.")

    async def _begin(
        self,
        name_or_key: str,
        action: RecreateAction,
        caller: Caller,
        wait_s: float,
        *,
        image: str | None = None,
        image_id: str | None = None,
    ) -> CommandResult:
        container = self._containers.get(name_or_key)
        # By its name: a key may stand for another container that carries the same labels.
        targets = await self.plan([container.name], action=action, image=image, image_id=image_id)
        arguments = RecreateArguments(targets=targets)
        job = await self._runner.start(f"containers.{action}", container.key, arguments, caller)
        ended = await self._runner.wait(job.id, wait_s)
        return answer(ended, meanwhile=f"{container.name} is {_DOING[action]}.")


def _require_same_repository(container: Container, image: str) -> None:
    """Refuse to run any image with the mounts and rights that were given to this one."""
    wanted = parse_reference(image)
    try:
        known = parse_reference(container.image)
    except Invalid:
        known = None
    if known is None or (known.registry, known.repository) != (wanted.registry, wanted.repository):
        raise Denied(
            f"{container.name} is made from {container.image[:80]}: another image would get all "
            "that it was trusted with.",
            field="image",
            hint="Name another tag of the same image, or use a token with the scope admin.",
        )
