"""What the agent knows of itself."""

import asyncio
from contextlib import suppress

from homelab_agent.areas.agent.models import (
    AGENT_KEY,
    AGENT_KIND,
    ActiveSettings,
    AgentDetails,
    AgentInfo,
    Health,
    HealthStatus,
)
from homelab_agent.areas.containers.models import (
    ENGINE_KEY,
    ENGINE_KIND,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.areas.statistics.models import (
    ENGINE_STATS_KEY,
    ENGINE_STATS_KIND,
    EngineStats,
)
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.resources import Overflow, Resources
from homelab_agent.platform.store.database import Store


class AgentService:
    """Publishes who the agent is and answers how it is.

    With `follow_host_name` the agent takes the name of the engine's host once it is known: the
    host name that a container sees is a meaningless one.
    """

    def __init__(
        self,
        info: AgentInfo,
        settings: ActiveSettings,
        resources: Resources,
        store: Store,
        *,
        follow_host_name: bool,
    ) -> None:
        self._info = info
        self._settings = settings
        self._resources = resources
        self._store = store
        self._follow_host_name = follow_host_name
        self._first_status = self._engine()
        self._publish()

    @property
    def info(self) -> AgentInfo:
        """Who the agent is now."""
        return self._info

    async def health(self) -> Health:
        """Return whether everything the agent needs is there."""
        engine = self._engine()
        fine = engine is not None and engine.connection is EngineConnection.CONNECTED
        if fine:
            fine = await self._store_answers()
        return Health(
            status=HealthStatus.OK if fine else HealthStatus.DEGRADED,
            version=self._info.version,
            instance_id=self._info.instance_id,
            contract=self._info.contract,
        )

    def details(self) -> AgentDetails:
        """Return everything the agent says of itself."""
        statistics = self._resources.get(ENGINE_STATS_KIND, ENGINE_STATS_KEY)
        return AgentDetails(
            **dict(self._info),
            engine=self._engine(),
            statistics=statistics if isinstance(statistics, EngineStats) else None,
            settings=self._settings,
        )

    async def wait_for_engine(self, longest_s: float) -> None:
        """Return when the engine was looked at for the first time, whether it is there or not."""
        with (
            suppress(TimeoutError, Overflow),
            self._resources.subscribe(kinds=(ENGINE_KIND,)) as subscription,
        ):
            if self._engine() is self._first_status:
                async with asyncio.timeout(longest_s):
                    await anext(subscription.batches())

    async def follow_engine(self) -> None:
        """Keep the name up to date with the engine's host, until cancelled."""
        while True:
            with self._resources.subscribe(kinds=(ENGINE_KIND,)) as subscription:
                self._take_host_name()
                try:
                    async for _ in subscription.batches():
                        self._take_host_name()
                except Overflow:
                    continue

    async def _store_answers(self) -> bool:
        try:
            await self._store.check()
        except Unavailable:
            return False
        return True

    def _take_host_name(self) -> None:
        engine = self._engine()
        if self._follow_host_name and engine is not None and engine.host_name:
            self._info = self._info.model_copy(update={"name": engine.host_name})
            self._publish()

    def _engine(self) -> EngineStatus | None:
        known = self._resources.get(ENGINE_KIND, ENGINE_KEY)
        return known if isinstance(known, EngineStatus) else None

    def _publish(self) -> None:
        self._resources.publish(AGENT_KIND, AGENT_KEY, self._info)
