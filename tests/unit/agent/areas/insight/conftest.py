"""The insight area on published resources, with time in a test's hand."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from homelab_agent.areas.containers.models import (
    CONTAINER_KIND,
    ENGINE_KEY,
    ENGINE_KIND,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.areas.host.models import (
    FILESYSTEM_KIND,
    HOST_KEY,
    HOST_SENSOR_KIND,
    HOST_STATS_KIND,
    Filesystem,
    FilesystemState,
    HostSensor,
    HostStats,
)
from homelab_agent.areas.insight.models import (
    DISK_FORECAST_KIND,
    FINDING_KIND,
    DiskForecast,
    Finding,
)
from homelab_agent.areas.insight.watch import LOOK_S, ON_DEMAND, Pace
from homelab_agent.areas.network.models import (
    NETWORK_INTERFACE_KIND,
    NETWORK_TRAFFIC_KIND,
    NetworkInterface,
    NetworkTraffic,
)
from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND, ContainerStats
from homelab_agent.platform.history.series import Point
from homelab_agent.platform.host.machine import HostSensorType
from homelab_agent.platform.host.network import InterfaceState, InterfaceType
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock, HandTime
from tests.fakes.containers import container
from tests.fakes.insight_area import InsightArea

GB = 10**9
MIB = 1024**2


@dataclass
class Homelab:
    """What is published of a homelab, and what insight makes of it."""

    resources: Resources
    store: Store
    time: HandTime

    def begin(self) -> None:
        """Start an agent's insight anew, as after a restart."""
        for kind in (FINDING_KIND, DISK_FORECAST_KIND):
            for key in self.resources.keys(kind):
                self.resources.remove(kind, key)
        clock, steady = self.time.wall, self.time.steady
        self.area = InsightArea.make(self.resources, self.store, clock, steady, Pace())
        self.history, self.watch = self.area.history, self.area.watch

    async def load(self) -> None:
        """Read what was kept."""
        await self.area.load()

    async def look(self, times: int = 1, *, every_s: float = LOOK_S) -> None:
        """Have looks, with time before each."""
        for _ in range(times):
            self.time.pass_by(every_s)
            await self.watch.look()

    @property
    def findings(self) -> dict[str, Finding]:
        """All findings by key."""
        return self.area.findings

    def forecast(self, key: str) -> DiskForecast:
        """Return the forecast of a file system."""
        return self.area.forecast(key)

    def past(self, kind: str, thing: str, values: Sequence[float], every_s: float) -> None:
        """Give a series a past: `values`, the last of them `every_s` ago."""
        now_s = self.history.now_s()
        ages = (each * every_s for each in range(len(values), 0, -1))
        points = [Point(now_s - age, value) for age, value in zip(ages, values, strict=True)]
        self.history.replace(kind, thing, points)

    def have_filesystem(
        self, key: str, available: float, *, size: float = 500 * GB, **changes: object
    ) -> None:
        """Have a file system with so much left."""
        fields: dict[str, object] = {
            "key": key,
            "device": "/dev/sda1",
            "type": "ext4",
            "state": FilesystemState.OK,
            "size_bytes": int(size),
            "used_bytes": int(size - available),
            "available_bytes": int(available),
        }
        filesystem = Filesystem.model_validate(fields | changes)
        self.resources.publish(FILESYSTEM_KIND, key, filesystem)

    def have_container(self, key: str, memory: float, **changes: object) -> None:
        """Have a container that uses so much memory."""
        limit = changes.pop("limit", None)
        fields = {"started_at": HandClock().now.replace(year=2025), **changes}
        self.resources.publish(CONTAINER_KIND, key, container(key, **fields))
        stats = ContainerStats.model_validate(
            {"key": key, "memory_bytes": int(memory), "memory_limit_bytes": limit}
        )
        self.resources.publish(CONTAINER_STATS_KIND, key, stats)

    def have_sensor(self, key: str, value: float, **changes: object) -> None:
        """Have a sensor that shows so many degrees."""
        fields = {"key": key, "name": key, "type": HostSensorType.TEMPERATURE, "value": value}
        sensor = HostSensor.model_validate(fields | changes)
        self.resources.publish(HOST_SENSOR_KIND, key, sensor)

    def have_traffic(self, key: str, received: float, sent: float = 0) -> None:
        """Have an interface through which so much went in all."""
        interface = NetworkInterface(key=key, type=InterfaceType.ETHERNET, state=InterfaceState.UP)
        self.resources.publish(NETWORK_INTERFACE_KIND, key, interface)
        traffic = NetworkTraffic(
            key=key,
            since=HandClock().now,
            receive_bytes=int(received),
            transmit_bytes=int(sent),
            receive_errors=0,
            transmit_errors=0,
            receive_drops=0,
            transmit_drops=0,
        )
        self.resources.publish(NETWORK_TRAFFIC_KIND, key, traffic)


@pytest.fixture
async def homelab(resources: Resources, store: Store, clock: HandClock) -> AsyncIterator[Homelab]:
    homelab = Homelab(resources, store, HandTime(clock))
    homelab.begin()
    status = EngineStatus(
        connection=EngineConnection.CONNECTED,
        since=clock.now,
        reason=None,
        memory_bytes=16 * 1024 * MIB,
    )
    resources.publish(ENGINE_KIND, ENGINE_KEY, status)
    resources.publish(HOST_STATS_KIND, HOST_KEY, HostStats())
    await homelab.load()
    # Somebody else listens too: what is published is looked at as it is.
    with resources.subscribe(kinds=(*ON_DEMAND, CONTAINER_STATS_KIND)):
        yield homelab
