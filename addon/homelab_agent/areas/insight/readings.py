"""What one look at containers, sensors and interfaces adds to the history, and what it means."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from homelab_agent.areas.containers.models import (
    CONTAINER_KIND,
    ENGINE_KEY,
    ENGINE_KIND,
    Container,
    EngineStatus,
)
from homelab_agent.areas.host.models import HOST_SENSOR_KIND, HostSensor
from homelab_agent.areas.insight.kept import MEMORY, RECEIVED, SENT, TEMPERATURE
from homelab_agent.areas.insight.models import FindingType
from homelab_agent.areas.insight.noticed import Known, Noticed
from homelab_agent.areas.insight.rules.memory import WINDOWS_S, leak
from homelab_agent.areas.insight.rules.temperature import too_hot
from homelab_agent.areas.insight.rules.traffic import too_much
from homelab_agent.areas.insight.rules.usual import usual_now
from homelab_agent.areas.network.models import (
    NETWORK_INTERFACE_KIND,
    NETWORK_TRAFFIC_KIND,
    NetworkInterface,
    NetworkTraffic,
)
from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND, ContainerStats
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.history.samples import History
from homelab_agent.platform.host.machine import HostSensorType
from homelab_agent.platform.host.network import InterfaceType
from homelab_agent.platform.resources import Resources

HOT_LOOKS = 3
"""A sensor is as hot as in the middle one of these: a short peak is nothing."""

BUSY_LOOKS = 6
"""An interface has as much traffic as in the calmest of these: an hour of it, and no less."""

_TOUCHING = frozenset({InterfaceType.ETHERNET, InterfaceType.WIRELESS, InterfaceType.BOND})
"""Interfaces to others; bridges and tunnels only carry the same once more."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What was found of a container with its lows up to a time."""

    until_s: float
    found: Noticed | None


class ContainerMemory:
    """The memory of containers, each since its own start."""

    def __init__(self, history: History, resources: Resources, clock: Clock) -> None:
        self._history = history
        self._resources = resources
        self._clock = clock
        self._started: dict[str, datetime | None] = {}
        self._verdicts: dict[str, _Verdict] = {}

    async def look(self) -> tuple[Noticed, ...]:
        """Record what is published, and return what may leak."""
        seen: list[tuple[Container, ContainerStats]] = []
        for stats in self._resources.every(CONTAINER_STATS_KIND, ContainerStats):
            container = self._resources.get(CONTAINER_KIND, stats.key)
            if stats.memory_bytes is not None and isinstance(container, Container):
                self._begin_anew_after_a_start(container)
                self._history.record(MEMORY, stats.key, float(stats.memory_bytes))
                seen.append((container, stats))
        known = {container.key for container, _ in seen}
        self._started = {key: at for key, at in self._started.items() if key in known}
        # With hundreds of containers some tenths of a second: others need not wait for it.
        self._verdicts = await asyncio.to_thread(self._judge, seen, self._host_bytes())
        return tuple(each.found for each in self._verdicts.values() if each.found)

    def _judge(
        self, seen: Iterable[tuple[Container, ContainerStats]], host_bytes: int | None
    ) -> dict[str, _Verdict]:
        """Judge those anew of which one more hour is known."""
        verdicts: dict[str, _Verdict] = {}
        since_s = self._history.now_s() - WINDOWS_S[0]
        for container, stats in seen:
            until_s = self._history.closed_until_s(MEMORY, container.key)
            if until_s is None:
                continue
            verdict = self._verdicts.get(container.key)
            if verdict is None or verdict.until_s != until_s:
                lows = self._history.closed(MEMORY, container.key, since_s=since_s)
                verdict = _Verdict(until_s, leak(container, stats, lows, host_bytes))
            verdicts[container.key] = verdict
        return verdicts

    def is_anything_running(self) -> bool:
        """Return whether there is anything that uses memory."""
        containers = self._resources.every(CONTAINER_KIND, Container)
        return any(each.state is ContainerState.RUNNING for each in containers)

    def _begin_anew_after_a_start(self, container: Container) -> None:
        key, started_at = container.key, container.started_at
        if key in self._started and self._started[key] == started_at:
            return
        is_seen_starting = key in self._started
        self._started[key] = started_at
        known = self._history.points(MEMORY, key)
        if not known or started_at is None:
            return
        # Right after the agent's start only the age tells whether it is still the same run.
        age_s = (self._clock() - started_at).total_seconds()
        if is_seen_starting or known[-1].at_s < self._history.now_s() - age_s:
            self._history.forget(MEMORY, key)

    def _host_bytes(self) -> int | None:
        engine = self._resources.get(ENGINE_KIND, ENGINE_KEY)
        return engine.memory_bytes if isinstance(engine, EngineStatus) else None


class Temperatures:
    """The temperatures of the machine."""

    def __init__(self, history: History, resources: Resources) -> None:
        self._history = history
        self._resources = resources
        self._recent: dict[str, deque[float]] = {}

    def look(self, known: Known) -> Iterator[Noticed]:
        """Record what is published, and yield what is too hot."""
        sensors = self._resources.every(HOST_SENSOR_KIND, HostSensor)
        recent = {each.key: self._recent.get(each.key, deque(maxlen=HOT_LOOKS)) for each in sensors}
        self._recent = recent
        for sensor in sensors:
            if sensor.type is not HostSensorType.TEMPERATURE:
                continue
            self._history.record(TEMPERATURE, sensor.key, sensor.value)
            values = recent[sensor.key]
            values.append(sensor.value)
            if len(values) < HOT_LOOKS:
                continue
            before = self._history.closed(TEMPERATURE, sensor.key)
            usual = usual_now(before, self._history.now_s())
            severity = known(FindingType.TEMPERATURE_UNUSUAL, sensor.key)
            found = too_hot(sensor, median(values), usual, severity)
            if found is not None:
                yield found


class Traffic:
    """What goes through the machine's interfaces, as means from look to look."""

    def __init__(self, history: History, resources: Resources) -> None:
        self._history = history
        self._resources = resources
        self._last: dict[str, tuple[float, NetworkTraffic]] = {}
        self._recent: dict[tuple[str, str], deque[float]] = {}

    def look(self) -> Iterator[Noticed]:
        """Record what is published, and yield what is far above the usual."""
        now_s = self._history.now_s()
        interfaces = self._resources.every(NETWORK_INTERFACE_KIND, NetworkInterface)
        touching = {each.key for each in interfaces if each.type in _TOUCHING}
        before, self._last = self._last, {}
        for traffic in self._resources.every(NETWORK_TRAFFIC_KIND, NetworkTraffic):
            if traffic.key not in touching:
                continue
            self._last[traffic.key] = (now_s, traffic)
            if traffic.key in before:
                yield from self._compare(*before[traffic.key], traffic, now_s)

    def _compare(
        self, then_s: float, then: NetworkTraffic, now: NetworkTraffic, now_s: float
    ) -> Iterator[Noticed]:
        seconds = now_s - then_s
        if seconds <= 0 or now.since != then.since:
            return
        received = (now.receive_bytes - then.receive_bytes) / seconds
        sent = (now.transmit_bytes - then.transmit_bytes) / seconds
        for kind, direction, rate in (
            (RECEIVED, "receives", received),
            (SENT, "sends", sent),
        ):
            found = self._judge(kind, direction, now.key, rate, now_s)
            if found is not None:
                yield found
                return

    def _judge(
        self, kind: str, direction: str, key: str, rate: float, now_s: float
    ) -> Noticed | None:
        self._history.record(kind, key, rate)
        recent = self._recent.setdefault((kind, key), deque(maxlen=BUSY_LOOKS))
        recent.append(rate)
        if len(recent) < BUSY_LOOKS:
            return None
        usual = usual_now(self._history.closed(kind, key), now_s)
        return too_much(key, direction, min(recent), usual)
