"""Going on when the engine comes back, instead of failing because it was away for a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.errors import AgentError, TimedOut, Unavailable
from homelab_agent.platform.jobs.kinds import StepContext
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model

RETURN_S = 300.0
_LOOK_AGAIN_S = 0.5
_TRIES = 3

_log = get_logger(__name__)


class Patience:
    """Repeats a step while the engine is away; every step stands being repeated."""

    def __init__(self, engine: Engine, *, return_s: float = RETURN_S) -> None:
        self._engine = engine
        self._return_s = return_s

    async def insist[Arguments: Model, Result](
        self,
        step: Callable[[StepContext[Arguments]], Awaitable[Result]],
        context: StepContext[Arguments],
        *,
        once_more: bool = True,
    ) -> Result:
        """Return what the step returns, once the engine let it.

        `once_more`: repeat it also where the engine seems to have been there all the time.
        Raises the step's error when that did not help, or the engine stays away.
        """
        for _ in range(_TRIES - 1):
            try:
                return await step(context)
            except (Unavailable, TimedOut) as error:
                if not (await self._came_back() or once_more):
                    raise
                _log.info("step_repeated", job=context.job_id, why=error.message)
                context = replace(context, again=True)
        return await step(context)

    async def _came_back(self) -> bool:
        """Return whether the engine was away and is there again."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._return_s
        was_away = False
        while not await self._answers():
            was_away = True
            if loop.time() > give_up:
                break
            report(None, "Waiting for Docker")
            await asyncio.sleep(_LOOK_AGAIN_S)
        return was_away

    async def _answers(self) -> bool:
        try:
            await self._engine.connect()
        except AgentError:
            return False
        return True
