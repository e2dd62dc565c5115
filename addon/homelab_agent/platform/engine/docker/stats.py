"""The real engine's statistics: the kernel's files where they can be seen, else Docker."""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import override

from pydantic import BaseModel, Field, ValidationError

from homelab_agent.platform.engine.cgroups.containers import Cgroups
from homelab_agent.platform.engine.cgroups.search import Place
from homelab_agent.platform.engine.docker.errors import Call, unreadable
from homelab_agent.platform.engine.docker.few_at_once import few_at_once
from homelab_agent.platform.engine.docker.one_shot import OneShot
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.stats import (
    Sample,
    StatsEngine,
    StatsSource,
    StatsTarget,
    Sweep,
)
from homelab_agent.platform.logging import get_logger

_LOOKUPS_AT_ONCE = 8
_DEADLINE_S = 5.0
_LOOK_AGAIN_S = 300.0
"""How long Docker is asked before the files are tried again: somebody may have mounted them."""

_log = get_logger(__name__)


class _State(BaseModel):
    pid: int = Field(default=0, alias="Pid")


class _HostConfig(BaseModel):
    network_mode: str = Field(default="", alias="NetworkMode")


class _Inspected(BaseModel):
    state: _State = Field(alias="State")
    host_config: _HostConfig = Field(alias="HostConfig")


class DockerStats(StatsEngine):
    """Implements `StatsEngine` over the engine's shared transport, which it does not close."""

    def __init__(
        self,
        transport: Transport,
        *,
        cgroups: Cgroups | None = None,
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._transport = transport
        self._cgroups = cgroups or Cgroups()
        self._one_shot = OneShot(transport, deadline_s=deadline_s)
        self._deadline_s = deadline_s
        self._places: dict[StatsTarget, Place] = {}
        self._blind_until: float | None = None
        self._said: tuple[StatsSource, str | None] | None = None

    @override
    async def sample(self, targets: Sequence[StatsTarget]) -> Sweep:
        await self._look_up([target for target in targets if target not in self._places])
        places = {target: self._places[target] for target in targets if target in self._places}
        if self._blind_until is not None and monotonic() < self._blind_until:
            return self._sweep(StatsSource.ONE_SHOT, await self._one_shot.read(places))
        return await self._from_files(places)

    @override
    async def forget(self, targets: Sequence[StatsTarget]) -> None:
        for target in targets:
            self._places.pop(target, None)
        await asyncio.to_thread(self._cgroups.forget, targets)

    async def _from_files(self, places: Mapping[StatsTarget, Place]) -> Sweep:
        new = {target: place for target, place in places.items() if not self._cgroups.knows(target)}
        seen = await asyncio.to_thread(self._cgroups.read, places, new)
        if not seen.unseen:
            source = self._cgroups.source or StatsSource.ONE_SHOT
            self._blind_until = None
            return self._sweep(source, seen.samples)
        # Those that have just ended are not found either: Docker tells which of them live.
        asked = await self._one_shot.read({target: places[target] for target in seen.unseen})
        if asked and not seen.samples:
            await asyncio.to_thread(self._cgroups.start_again)
            self._blind_until = monotonic() + _LOOK_AGAIN_S
            return self._sweep(StatsSource.ONE_SHOT, asked)
        return self._sweep(self._cgroups.source or StatsSource.ONE_SHOT, seen.samples | asked)

    def _sweep(self, source: StatsSource, samples: Mapping[StatsTarget, Sample]) -> Sweep:
        reason = self._cgroups.reason
        if samples and self._said != (source, reason):
            self._said = (source, reason)
            _log.info("statistics_source", source=source, reason=reason)
        return Sweep(source=source, reason=reason, samples=samples)

    async def _look_up(self, targets: Sequence[StatsTarget]) -> None:
        if targets:
            self._places |= await few_at_once(
                targets, self._place, at_once=_LOOKUPS_AT_ONCE, deadline_s=self._deadline_s
            )

    async def _place(self, target: StatsTarget) -> Place | None:
        call = Call(f"describe the container {target.id}", EngineRight.CONTAINERS_READ)
        body = await self._transport.read(f"containers/{target.id}/json", call)
        try:
            read = _Inspected.model_validate_json(body)
        except ValidationError as error:
            raise unreadable(call, str(error)) from None
        if read.state.pid <= 0:  # it has ended meanwhile
            return None
        return Place(pid=read.state.pid, network_mode=read.host_config.network_mode)
