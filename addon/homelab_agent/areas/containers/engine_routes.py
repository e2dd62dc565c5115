"""The engine's routes."""

import asyncio
from typing import Final

from homelab_agent.areas.containers.models import EngineConnection, EngineStatus
from homelab_agent.areas.containers.status import EngineState
from homelab_agent.areas.containers.watch import ContainerWatch
from homelab_agent.platform.commands import Outcome, Scope, command
from homelab_agent.platform.errors import TimedOut
from homelab_agent.platform.jobs.models import CommandResult

LOOK_S: Final = 20.0
"""An engine that hangs is not waited for longer."""


class EngineRoutes:
    """The Docker engine of this host: have it looked at."""

    def __init__(self, watch: ContainerWatch, state: EngineState) -> None:
        self._watch = watch
        self._state = state

    @command(
        "engine.look",
        "POST",
        "/engine/look",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def look(self) -> CommandResult:
        """Look now whether the engine answers and what it allows, instead of within minutes."""
        try:
            async with asyncio.timeout(LOOK_S):
                await self._watch.look()
        except TimeoutError:
            raise TimedOut(
                f"Docker did not answer within {LOOK_S:.0f} seconds.",
                hint="The agent goes on looking by itself.",
            ) from None
        return CommandResult(outcome=Outcome.DONE, message=_in_words(self._state.status))


def _in_words(status: EngineStatus) -> str:
    if status.connection is not EngineConnection.CONNECTED:
        return f"Docker is away: {status.reason}"
    if status.missing_rights:
        return f"Docker answers, and forbids: {', '.join(status.missing_rights)}."
    return "Docker answers, and forbids nothing."
