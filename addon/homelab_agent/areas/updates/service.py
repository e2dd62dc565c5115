"""What can be asked about newer images."""

import asyncio
from datetime import timedelta

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.updates.board import UpdateBoard
from homelab_agent.areas.updates.lookup import Follow
from homelab_agent.areas.updates.models import ContainerUpdate, ContainerUpdateList, UpdateState
from homelab_agent.areas.updates.registry.interface import ImageRegistry
from homelab_agent.areas.updates.watch import UpdateWatch
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.engine.image_reference import ImageReference
from homelab_agent.platform.engine.images import RegistryLogin
from homelab_agent.platform.errors import NotFound
from homelab_agent.platform.jobs.models import CommandResult

_AGAIN = timedelta(minutes=1)
"""Who asks again within this time gets the same answer, and no registry is bothered."""


class UpdateService:
    """Newer images of the containers on this host."""

    def __init__(
        self,
        containers: ContainerService,
        board: UpdateBoard,
        watch: UpdateWatch,
        registry: ImageRegistry,
        clock: Clock,
    ) -> None:
        self._containers = containers
        self._board = board
        self._watch = watch
        self._registry = registry
        self._clock = clock

    def list(self) -> ContainerUpdateList:
        """Return what is known of all containers, by key."""
        self._containers.require_readable()
        known = [self._board.get(key) for key in sorted(self._board.container_keys())]
        return ContainerUpdateList(updates=tuple(update for update in known if update))

    def get(self, name_or_key: str) -> ContainerUpdate:
        """Return what is known of one container; `NotFound` names it."""
        container = self._containers.get(name_or_key)
        update = self._board.get(container.key)
        if update is None:
            raise NotFound(
                f"Nothing is known yet about updates of {container.name}.",
                hint="Ask again in a moment.",
            )
        return update

    async def check(self, name_or_key: str, *, wait_s: float) -> CommandResult:
        """Look for a newer image of one container now, and wait a while for the answer."""
        container = self._containers.get(name_or_key)
        follow = self._board.follow(container.key)
        if follow is None or self._is_fresh(follow):
            return CommandResult(
                outcome=Outcome.NOT_NEEDED, message=_words(self.get(container.key))
            )
        self._registry.forgive(follow.reference.registry)
        looked = self._watch.request(follow)
        try:
            async with asyncio.timeout(wait_s):
                await looked.wait()
        except TimeoutError:
            return CommandResult(
                outcome=Outcome.DONE,
                message=f"{follow.reference.registry} is being asked; the answer comes later.",
            )
        return CommandResult(outcome=Outcome.DONE, message=_words(self.get(container.key)))

    async def check_all(self) -> CommandResult:
        """Have all containers looked at; answers at once."""
        self._containers.require_readable()
        follows = {
            follow.key: follow
            for key in self._board.container_keys()
            if (follow := self._board.follow(key)) and not self._is_fresh(follow)
        }
        for registry in {follow.reference.registry for follow in follows.values()}:
            self._registry.forgive(registry)
        for follow in follows.values():
            self._watch.request(follow)
        if not follows:
            return CommandResult(
                outcome=Outcome.NOT_NEEDED, message="All were looked at within the last minute."
            )
        return CommandResult(
            outcome=Outcome.DONE, message=f"{len(follows)} images are being looked at."
        )

    async def login(self, reference: ImageReference) -> RegistryLogin | None:
        """Return what the engine has to show to pull an image; None where nothing is known."""
        return await self._registry.login(reference)

    def _is_fresh(self, follow: Follow) -> bool:
        lookup = self._board.lookup(follow)
        return lookup is not None and lookup.is_fresh(self._clock(), _AGAIN)


def _words(update: ContainerUpdate) -> str:
    match update.state:
        case UpdateState.CURRENT:
            return f"{update.image} is the newest: {update.installed_version}."
        case UpdateState.AVAILABLE:
            return f"{update.latest_image} has {update.latest_version} for you."
        case _:
            return update.reason or f"{update.image}: {update.state}."
