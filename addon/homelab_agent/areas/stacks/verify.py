"""Whether a stack that was brought up really runs."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from homelab_agent.areas.stacks.inventory import ENDS_FOR_GOOD
from homelab_agent.areas.stacks.labels import SERVICE
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT
from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
)
from homelab_agent.platform.errors import AgentError, Failed, NotFound
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.secrets import SecretFilter

HEALTHY_S = 300.0
STAYS_UP_S = 3.0
"""How long a container without a health check has to run to be believed."""

RECOVERS_S = 30.0
"""How long a container may end and be started again, as many do until their database is there."""

_LOOK_AGAIN_S = 0.5
_LAST_LINES = 5


@dataclass(frozen=True, slots=True)
class _Life:
    """How often a container was restarted in all, and since when it was not again."""

    restarts: int
    since: float


class Verification:
    """Waits until every container of a stack is as it should be."""

    def __init__(
        self,
        engine: Engine,
        secrets: SecretFilter,
        *,
        healthy_s: float = HEALTHY_S,
        stays_up_s: float = STAYS_UP_S,
        recovers_s: float = RECOVERS_S,
    ) -> None:
        self._engine = engine
        self._secrets = secrets
        self._healthy_s = healthy_s
        self._stays_up_s = stays_up_s
        self._recovers_s = recovers_s

    async def run(self, stack: str, services: Collection[str]) -> str:
        """Return when all of it runs, is healthy or has done its work; say so.

        Raises:
            Failed: one of its containers does not; the message names it and its last words.
        """
        now = asyncio.get_running_loop().time
        began = now()
        # What was restarted before counts for nothing: it may be an old container that stays.
        lives = {
            row.id: _Life(row.restart_count, began) for row in await self._rows_of(stack, services)
        }
        while True:
            # Before they are asked: what an answer says that is late was so then.
            waiting, asked_at = [], now()
            for row in await self._look(lives):
                await self._require_well(row, may_recover=now() - began < self._recovers_s)
                life = lives[row.id]
                if row.restart_count != life.restarts or row.state is ContainerState.RESTARTING:
                    life = lives[row.id] = _Life(row.restart_count, now())
                if not _is_settled(row, stayed_up=asked_at - life.since >= self._stays_up_s):
                    waiting.append(row.name)
            if not waiting:
                return f"{stack} runs."
            if now() - began > self._healthy_s:
                raise Failed(f"{', '.join(waiting)} did not get well in {self._healthy_s:g} s.")
            report(None, f"waiting for {', '.join(waiting)}")
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _rows_of(self, stack: str, services: Collection[str]) -> list[EngineContainer]:
        return [
            row
            for row in await self._engine.list_containers()
            if row.labels.get(COMPOSE_PROJECT) == stack and row.labels.get(SERVICE) in services
        ]

    async def _look(self, ids: Iterable[str]) -> list[EngineContainer]:
        try:
            return [await self._engine.inspect(each) for each in ids]
        except NotFound as error:
            raise Failed("A container of the stack was removed while it was watched.") from error

    async def _require_well(self, row: EngineContainer, *, may_recover: bool) -> None:
        trouble = None
        if row.health is ContainerHealth.UNHEALTHY:
            trouble = "is unhealthy"
        elif row.state is ContainerState.RESTARTING:
            trouble = None if may_recover else "ends again and again"
        elif row.exit_code is not None and not _has_done_its_work(row):
            trouble = f"exited with code {row.exit_code}"
        if trouble:
            raise Failed(f"{row.name} {trouble}{await self._last_words(row)}")

    async def _last_words(self, row: EngineContainer) -> str:
        try:
            lines = await self._engine.logs(row.id, tail=_LAST_LINES, since=None, until=None)
        except AgentError:
            return "."
        said = [self._secrets.mask(line.text)[:200] for line in lines if line.text.strip()]
        return f". Its last words: {' | '.join(said)}" if said else ", and said nothing."


def _is_settled(row: EngineContainer, *, stayed_up: bool) -> bool:
    if _has_done_its_work(row):
        return True
    if row.has_health_check:
        return row.health is ContainerHealth.HEALTHY
    return row.state is ContainerState.RUNNING and stayed_up


def _has_done_its_work(row: EngineContainer) -> bool:
    return row.exit_code == 0 and row.restart_policy in ENDS_FOR_GOOD
