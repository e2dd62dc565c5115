"""All containers with what they follow; publishes what is known of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.updates.lookup import Follow, Lookup, own_digest, registry_of
from homelab_agent.areas.updates.models import (
    CONTAINER_UPDATE_KIND,
    ContainerUpdate,
    UpdatePolicy,
    UpdateState,
)
from homelab_agent.areas.updates.policy import ContainerPolicy, policy_of
from homelab_agent.areas.updates.store import UpdateMemory
from homelab_agent.areas.updates.verdict import Attempt, judge, without_lookup
from homelab_agent.platform.engine.image_reference import is_image_id, parse_reference
from homelab_agent.platform.engine.images import EngineImage, ImageEngine
from homelab_agent.platform.errors import AgentError, Invalid, NotFound
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources

_BY_ITSELF = frozenset({UpdatePolicy.NOTIFY, UpdatePolicy.AUTOMATIC})

_UNUSED = timedelta(days=1)
"""A container that is away may just be between `compose down` and `compose up`."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a container's name and labels alone tell: what it follows, or why nothing."""

    policy: ContainerPolicy
    follow: Follow | None = None
    state: UpdateState = UpdateState.UNKNOWN
    reason: str | None = None


class UpdateBoard:
    """What is shown of every container. `default` is what holds without labels."""

    def __init__(
        self,
        images: ImageEngine,
        memory: UpdateMemory,
        resources: Resources,
        default: ContainerPolicy,
    ) -> None:
        self._engine = images
        self._memory = memory
        self._resources = resources
        self._default = default
        self._containers: dict[str, Container] = {}
        self._plans: dict[str, _Plan] = {}
        self._images: dict[str, EngineImage] = {}
        self._lookups: dict[str, Lookup] = {}
        self._attempts: dict[str, Attempt] = {}
        self._unsettled: set[str] = set()

    async def load(self) -> None:
        """Read what was known before a restart."""
        self._lookups = await self._memory.lookups()
        self._attempts = await self._memory.attempts()

    def put(self, container: Container) -> bool:
        """Take over a container; return whether anything changed that counts here."""
        known = self._containers.get(container.key)
        self._containers[container.key] = container
        changed = known is None or _what_counts(known) != _what_counts(container)
        if changed:
            self._plans[container.key] = self._plan(container)
            self._unsettled.add(container.key)
        return changed

    def drop(self, key: str) -> None:
        """Forget a container that is gone."""
        self._containers.pop(key, None)
        self._plans.pop(key, None)
        self._unsettled.discard(key)
        self._resources.remove(CONTAINER_UPDATE_KIND, key)
        used = {container.image_id for container in self._containers.values()}
        for image_id in self._images.keys() - used:
            del self._images[image_id]

    def container_keys(self) -> tuple[str, ...]:
        """Return the keys of all containers."""
        return tuple(self._containers)

    def unsettled(self) -> tuple[str, ...]:
        """Return the containers of which nothing true is shown yet."""
        return tuple(self._unsettled)

    def get(self, key: str) -> ContainerUpdate | None:
        """Return what is shown of a container."""
        shown = self._resources.get(CONTAINER_UPDATE_KIND, key)
        return shown if isinstance(shown, ContainerUpdate) else None

    def policy(self, key: str) -> ContainerPolicy | None:
        """Return what holds for a container; None for one that is gone."""
        plan = self._plans.get(key)
        return plan.policy if plan else None

    def protected(self, key: str) -> bool:
        """Return whether a container must not be updated by itself."""
        container = self._containers.get(key)
        return container is None or container.protected_reason is not None

    def follow(self, key: str) -> Follow | None:
        """Return what a container follows; None where no registry has to be asked."""
        container = self._containers.get(key)
        if container is None:
            return None
        image = self._images.get(container.image_id)
        follow = self._plans[key].follow
        if follow is None or (image and own_digest(image, follow.reference) is None):
            return None
        return follow

    def lookup(self, follow: Follow) -> Lookup | None:
        """Return what the registry said before."""
        return self._lookups.get(follow.key)

    def due(self, now: datetime) -> tuple[Follow, ...]:
        """Return what is to be looked at by itself now."""
        found: dict[str, Follow] = {}
        for container in self._containers.values():
            if self._plans[container.key].policy.policy not in _BY_ITSELF:
                continue
            follow = self.follow(container.key)
            known = self._lookups.get(follow.key) if follow else None
            if follow and (known is None or known.is_due(now)):
                found[follow.key] = follow
        return tuple(found.values())

    def forget_unused(self, now: datetime) -> frozenset[str]:
        """Forget what nobody follows for a day; return the registries of what is left."""
        followed = {plan.follow for plan in self._plans.values() if plan.follow}
        keys = {follow.key for follow in followed}
        for key, lookup in tuple(self._lookups.items()):
            if key not in keys and not lookup.is_fresh(now, _UNUSED):
                del self._lookups[key]
        known = {registry_of(key) for key in self._lookups}
        return frozenset(known | {follow.reference.registry for follow in followed})

    async def settle(self, key: str) -> Follow | None:
        """Publish what is known of a container; return what has to be looked at because of it."""
        container = self._containers.get(key)
        if container is None:
            return None
        plan = self._plans[key]
        if plan.state is UpdateState.OFF:
            self._show(container, without_lookup(container, plan.policy, plan.state, plan.reason))
            return None
        try:
            image = await self._image(container.image_id, plan.follow)
        except AgentError as error:
            self._show_trouble(container, plan, error)
            return None
        if self._plans.get(key) is not plan:
            # It was exchanged for another one meanwhile, which is settled by itself.
            return None
        return self._judge(container, plan, image)

    async def images_of(self, follow: Follow) -> tuple[EngineImage, ...]:
        """Ask the engine anew for the images of those that follow this."""
        found: dict[str, EngineImage] = {}
        for container in self._followers(follow):
            self._images.pop(container.image_id, None)
            try:
                found[container.image_id] = await self._image(container.image_id)
            except AgentError:
                # Told of this container when it is settled.
                continue
        return tuple(found.values())

    async def take(self, follow: Follow, lookup: Lookup) -> None:
        """Keep what the registry said, and publish what it means."""
        self._lookups[follow.key] = lookup
        try:
            await self._memory.remember_lookup(follow.key, lookup)
        except AgentError as error:
            # It is asked again after a restart; what is shown is true all the same.
            _log.warning("update_lookup_not_kept", image=follow.key, why=error.message)
        for container in self._followers(follow):
            await self.settle(container.key)

    async def note_attempt(self, key: str, attempt: Attempt) -> None:
        """Keep an automatic update that was not kept."""
        self._attempts[key] = attempt
        try:
            await self._memory.remember_attempt(key, attempt)
        except AgentError as error:
            _log.warning("update_attempt_not_kept", container=key, why=error.message)
        await self.settle(key)

    def was_tried(self, key: str, digest: str) -> bool:
        """Return whether an automatic update to this was not kept before."""
        attempt = self._attempts.get(key)
        return attempt is not None and attempt.digest == digest

    def _followers(self, follow: Follow) -> Iterable[Container]:
        return [
            container
            for container in self._containers.values()
            if self._plans[container.key].follow == follow
        ]

    def _plan(self, container: Container) -> _Plan:
        try:
            policy = policy_of(container.labels, self._default)
        except Invalid as error:
            return _Plan(policy=self._default, reason=_words(error))
        if policy.policy is UpdatePolicy.OFF:
            reason = "Updates of this container are switched off (policy off)."
            return _Plan(policy=policy, state=UpdateState.OFF, reason=reason)
        if is_image_id(container.image):
            reason = "It was made from the id of an image, so it stays with exactly that one."
            return _Plan(policy=policy, state=UpdateState.PINNED, reason=reason)
        try:
            reference = parse_reference(container.image)
        except Invalid as error:
            return _Plan(policy=policy, reason=error.message)
        if reference.digest is not None:
            reason = "A digest is part of its image's name, so it stays with exactly that one."
            return _Plan(policy=policy, state=UpdateState.PINNED, reason=reason)
        return _Plan(policy=policy, follow=Follow(reference, policy.tags))

    def _judge(self, container: Container, plan: _Plan, image: EngineImage) -> Follow | None:
        follow, policy = plan.follow, plan.policy
        if follow is None:
            update = without_lookup(container, policy, plan.state, plan.reason, image)
            self._show(container, update)
            return None
        if own_digest(image, follow.reference) is None:
            reason = "It was built or loaded on this host: no registry has it under this name."
            update = without_lookup(container, policy, UpdateState.LOCAL, reason, image)
            self._show(container, update)
            return None
        by_itself = policy.policy in _BY_ITSELF
        lookup = self._lookups.get(follow.key)
        if lookup is None:
            reason = "It was not looked at yet."
            if not by_itself:
                reason = "It is looked at only when somebody asks for it (policy manual)."
            update = without_lookup(container, policy, UpdateState.UNKNOWN, reason, image)
            self._show(container, update)
            return follow if by_itself else None
        before = self.get(container.key)
        update = judge(container, policy, follow, image, lookup, self._attempts.get(container.key))
        self._show(container, update)
        # Another image than before, and not the one the registry named: it has moved on since.
        moved = before is not None and before.installed_digest != update.installed_digest
        return follow if moved and update.state is UpdateState.AVAILABLE else None

    async def _image(self, image_id: str, follow: Follow | None = None) -> EngineImage:
        known = self._images.get(image_id)
        # An image known without this repository may have been pulled from it since: the same
        # image bears a digest for each repository it came from.
        stale = known and follow and own_digest(known, follow.reference) is None
        if known is None or stale:
            known = self._images[image_id] = await self._engine.inspect(image_id)
        return known

    def _show(self, container: Container, update: ContainerUpdate) -> None:
        self._unsettled.discard(container.key)
        self._resources.publish(CONTAINER_UPDATE_KIND, container.key, update)

    def _show_trouble(self, container: Container, plan: _Plan, error: AgentError) -> None:
        reason = _words(error)
        if isinstance(error, NotFound):
            reason = "The image it was made from is no longer on this host."
            self._unsettled.discard(container.key)
        elif self.get(container.key) is not None:
            # The engine is away for a moment: what was true stays.
            return
        update = without_lookup(container, plan.policy, UpdateState.UNKNOWN, reason)
        self._resources.publish(CONTAINER_UPDATE_KIND, container.key, update)


def _what_counts(container: Container) -> tuple[object, ...]:
    return (
        container.image,
        container.image_id,
        container.labels,
        container.protected_reason,
    )


def _words(error: AgentError) -> str:
    return f"{error.message} {error.hint or ''}".strip()
