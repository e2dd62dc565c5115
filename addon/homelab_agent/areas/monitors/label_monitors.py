"""Follows containers: monitors that their labels ask for come and go with them."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from homelab_agent.areas.containers.models import (
    CONTAINER_KIND,
    ENGINE_KEY,
    ENGINE_KIND,
    Container,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.areas.monitors.board import Board
from homelab_agent.areas.monitors.desk import Desk
from homelab_agent.areas.monitors.labels import Wish, settings_of, wishes
from homelab_agent.areas.monitors.models import (
    Monitor,
    MonitorSettings,
    MonitorSource,
    MonitorState,
    MonitorTier,
    Slo,
)
from homelab_agent.areas.monitors.names import label_key
from homelab_agent.areas.monitors.published import published_host
from homelab_agent.areas.monitors.watched import Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.errors import AgentError, Conflict, Denied, Invalid
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.outbound.connections import where
from homelab_agent.platform.resources import Change, Overflow, Resources

KEEP_GONE = timedelta(days=30)
"""How long the past of a monitor is kept whose container is gone."""

_AGAIN_S = 10.0

_log = get_logger(__name__)


class Addresses(Protocol):
    """What tells where the ports of containers are."""

    async def addresses(self, container_id: str, port: int) -> tuple[str, ...]:
        """Return where a port of a running container may be reached, as host:port."""
        ...


class LabelMonitors:
    """Makes monitors of labels. `troubled` are those that cannot be made, by key.

    `machine` is the machine's address as seen from here; None where no way leads there.
    """

    def __init__(
        self,
        desk: Desk,
        board: Board,
        addresses: Addresses,
        resources: Resources,
        clock: Clock,
        *,
        machine: str | None,
    ) -> None:
        self.troubled: dict[str, Monitor] = {}
        self._desk = desk
        self._board = board
        self._addresses = addresses
        self._resources = resources
        self._clock = clock
        self._machine = machine
        self._keys: dict[str, set[str]] = {}
        self._seen: dict[str, Container] = {}
        self._failed: set[str] = set()
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Follow the containers until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._try_again())

    async def _follow(self) -> None:
        while True:
            with self._resources.subscribe(kinds=(CONTAINER_KIND, ENGINE_KIND)) as changes:
                start = changes.start
                await self._take(start if isinstance(start, tuple) else start.resources)
                try:
                    async for batch in changes.batches():
                        await self._take(batch)
                except Overflow:
                    continue

    async def _try_again(self) -> None:
        """Docker or the store was away: nobody tells when it can be done."""
        while True:
            await asyncio.sleep(_AGAIN_S)
            async with self._turn:
                for key in tuple(self._failed):
                    self._failed.discard(key)
                    container = self._resources.get(CONTAINER_KIND, key)
                    if isinstance(container, Container):
                        await self._settle(container)

    async def _take(self, changes: Iterable[Change]) -> None:
        newest = {change.key: change.data for change in changes if change.kind == CONTAINER_KIND}
        async with self._turn:
            for key, container in newest.items():
                if isinstance(container, Container):
                    await self._settle(container)
                elif self._is_engine_there():
                    self._leave(key, set())
            await self._sweep()

    async def _settle(self, container: Container) -> None:
        before = self._seen.get(container.key)
        if before is not None and _matters(before) == _matters(container):
            return
        self._seen[container.key] = container
        wanted: set[str] = set()
        for wish in wishes(container.labels):
            key = label_key(container.key, wish.suffix)
            wanted.add(key)
            await self._fulfil(key, wish, container)
        self._leave(container.key, wanted)
        if wanted:
            self._keys[container.key] = wanted

    async def _fulfil(self, key: str, wish: Wish, container: Container) -> None:
        try:
            settings = await self._settings(key, wish, container)
            self._untrouble(key)
            await self._watch(key, settings)
        except (Invalid, Conflict, Denied) as error:
            self._trouble(key, wish, container, error.message)
        except AgentError as error:
            self._seen.pop(container.key, None)
            self._failed.add(container.key)
            _log.warning("label_monitor_failed", key=key, why=error.message)

    async def _settings(self, key: str, wish: Wish, container: Container) -> MonitorSettings:
        if wish.problem is not None:
            raise Invalid(wish.problem, field=wish.label)
        address = None
        if wish.port is not None:
            address = await self._address(container, wish.port)
            known = self._desk.watched.get(key)
            if address is None and known is not None:
                # It does not run, or not yet again: it is watched where it was.
                return known.settings
            if address is None:
                raise Invalid(
                    f"Where port {wish.port} of {container.name} is cannot be seen: "
                    + (
                        "no such port is published, and it has no address of its own"
                        if container.state is ContainerState.RUNNING
                        else "the container does not run"
                    ),
                    field=wish.label,
                )
        return settings_of(wish, container=container.key, name=container.name, address=address)

    async def _address(self, container: Container, port: int) -> str | None:
        if container.state is not ContainerState.RUNNING:
            return None
        # As people reach it, where we can reach it like that.
        for each in container.ports:
            host = published_host(each, self._machine)
            if each.container_port == port and host is not None:
                return where(host, each.host_port or port)
        found = await self._addresses.addresses(container.id, port)
        return found[0] if found else None

    async def _watch(self, key: str, settings: MonitorSettings) -> None:
        known = self._desk.watched.get(key)
        if known is None:
            if not self._desk.checks.has(settings.check.type):
                raise Invalid(f"This agent has no check {settings.check.type}")
            await self._desk.add(key, MonitorSource.LABEL, settings)
            return
        if known.is_gone:
            self._desk.come_back(known)
        await self._desk.change(known, settings, anew=False)

    def _trouble(self, key: str, wish: Wish, container: Container, why: str) -> None:
        known = self._desk.watched.get(key)
        if known is not None and not known.is_gone:
            self._desk.leave(known, self._clock())
        monitor = Monitor(
            key=key,
            name=(wish.options.get("name") or container.name)[:64],
            type=wish.type,
            target=wish.text[:200],
            tier=MonitorTier.OPTIONAL,
            source=MonitorSource.LABEL,
            interval_s=MonitorSettings.model_fields["interval_s"].default,
            container=container.key,
            state=MonitorState.UNKNOWN,
            reason=why,
            slo=Slo(),
        )
        self.troubled[key] = monitor
        self._board.show_monitor(monitor)

    def _untrouble(self, key: str) -> None:
        if self.troubled.pop(key, None) is not None:
            self._board.take_away(key)

    def _leave(self, container: str, wanted: set[str]) -> None:
        for key in self._keys.pop(container, set()) - wanted:
            self._untrouble(key)
            known = self._desk.watched.get(key)
            if known is not None and not known.is_gone:
                self._desk.leave(known, self._clock())
        if self._resources.get(CONTAINER_KIND, container) is None:
            self._seen.pop(container, None)

    async def _sweep(self) -> None:
        """Leave what no container asks for any more, and forget what is gone for long."""
        if not self._is_engine_there():
            return
        wanted = {key for keys in self._keys.values() for key in keys}
        now = self._clock()
        for watched in tuple(self._desk.watched.values()):
            if watched.source is not MonitorSource.LABEL or watched.key in wanted:
                continue
            if not watched.is_gone:
                self._desk.leave(watched, now)
            elif self._is_old(watched):
                await self._forget(watched)

    async def _forget(self, watched: Watched) -> None:
        try:
            await self._desk.remove(watched)
        except AgentError as error:
            _log.warning("label_monitor_not_removed", key=watched.key, why=error.message)

    def _is_old(self, watched: Watched) -> bool:
        gone_since = watched.condition.now.gone_since
        return gone_since is not None and self._clock() - gone_since > KEEP_GONE

    def _is_engine_there(self) -> bool:
        engine = self._resources.get(ENGINE_KIND, ENGINE_KEY)
        return (
            isinstance(engine, EngineStatus)
            and engine.connection is EngineConnection.CONNECTED
            and engine.counts is not None
        )


def _matters(container: Container) -> tuple[object, ...]:
    """Return what of a container its monitors depend on."""
    labels = tuple(
        sorted(item for item in container.labels.items() if item[0].startswith("homelab.monitor"))
    )
    return (labels, container.id, container.name, container.state, container.started_at)
