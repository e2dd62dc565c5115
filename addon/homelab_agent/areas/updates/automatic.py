"""Updates containers by themselves: within their window, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from homelab_agent.areas.updates.board import UpdateBoard
from homelab_agent.areas.updates.models import ContainerUpdate, UpdatePolicy, UpdateState
from homelab_agent.areas.updates.verdict import Attempt
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import SYSTEM, Caller
from homelab_agent.platform.errors import AgentError, Busy, RateLimited, TimedOut, Unavailable
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult, Job
from homelab_agent.platform.logging import get_logger

type WaitForJob = Callable[[str, float | None], Awaitable[Job]]

TICK_S = 30.0

_NOT_NOW = (Busy, RateLimited, TimedOut, Unavailable)
"""Says nothing about the new image: it is tried again in the next window."""

_log = get_logger(__name__)


class Updater(Protocol):
    """Who updates containers."""

    async def update(
        self, name_or_key: str, caller: Caller, *, image: str | None, wait_s: float
    ) -> CommandResult:
        """Start an update that proves itself or is taken back."""


class AutomaticUpdates:
    """Starts the updates of containers with the policy `automatic`."""

    def __init__(
        self,
        board: UpdateBoard,
        updater: Updater,
        wait: WaitForJob,
        clock: Clock,
        *,
        tick_s: float = TICK_S,
    ) -> None:
        self._board = board
        self._updater = updater
        self._wait = wait
        self._clock = clock
        self._tick_s = tick_s
        self._postponed: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Look for what may be updated, until cancelled."""
        while True:
            await asyncio.sleep(self._tick_s)
            for key in sorted(self._board.container_keys()):
                update = self._board.get(key)
                if update is None or update.latest_digest is None:
                    continue
                if not self._in_window(key):
                    self._postponed.discard((key, update.latest_digest))
                elif self._wanted(update, update.latest_digest):
                    await self._update(update, update.latest_digest)

    def _in_window(self, key: str) -> bool:
        policy = self._board.policy(key)
        return policy is not None and policy.window.holds(self._clock().astimezone())

    def _wanted(self, update: ContainerUpdate, digest: str) -> bool:
        return (
            update.policy is UpdatePolicy.AUTOMATIC
            and update.state is UpdateState.AVAILABLE
            and not self._board.protected(update.key)
            and not self._board.was_tried(update.key, digest)
            and (update.key, digest) not in self._postponed
        )

    async def _update(self, update: ContainerUpdate, digest: str) -> None:
        _log.info("automatic_update", container=update.key, to=update.latest_version)
        # Whatever comes of it, once in a window is enough.
        self._postponed.add((update.key, digest))
        try:
            result = await self._updater.update(
                update.key, SYSTEM, image=update.latest_image, wait_s=0
            )
            if result.outcome is None and result.job is not None:
                answer(await self._wait(result.job.id, None), meanwhile="It goes on.")
        except _NOT_NOW as error:
            _log.warning("automatic_update_put_off", container=update.key, why=error.message)
        except AgentError as error:
            _log.warning("automatic_update_not_kept", container=update.key, why=error.message)
            attempt = Attempt(digest=digest, at=self._clock(), reason=error.message)
            await self._board.note_attempt(update.key, attempt)
