"""Publishes what the machine is, and while somebody listens also what it does."""

import asyncio

from homelab_agent.areas.host.figures import activities, block_device, host_sensor, host_stats
from homelab_agent.areas.host.info import host_info
from homelab_agent.areas.host.models import (
    BLOCK_DEVICE_KIND,
    HOST_INFO_KIND,
    HOST_KEY,
    HOST_SENSOR_KIND,
    HOST_STATS_KIND,
    HostInfo,
)
from homelab_agent.platform.host.machine import Machine, MachineSample
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources

ON_DEMAND = (HOST_STATS_KIND, HOST_SENSOR_KIND, BLOCK_DEVICE_KIND)
"""What is read only while somebody listens to it."""

FACTS_INTERVAL_S = 300.0
FIRST_PAUSE_S = 1.0
"""From the first look to the second: whoever comes does not wait a whole interval for rates."""


class HostWatch:
    """Looks again and again, each time one thread's short work. `always`: listeners or not."""

    def __init__(
        self,
        machine: Machine,
        resources: Resources,
        *,
        interval_s: float,
        always: bool = False,
        facts_interval_s: float = FACTS_INTERVAL_S,
    ) -> None:
        self._machine = machine
        self._resources = resources
        self._interval_s = interval_s
        self._always = always
        self._facts_interval_s = facts_interval_s
        self._users_count: int | None = None
        self._fresh = False

    @property
    def is_fresh(self) -> bool:
        """Whether what is published has rates, and is not older than an interval."""
        return self._fresh

    @property
    def users_count(self) -> int | None:
        """How many are logged in, as last seen."""
        return self._users_count

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_facts())
            group.create_task(self._follow_stats())

    async def read_facts(self) -> HostInfo:
        """Read, publish and return what the machine is."""
        facts = await self._machine.facts()
        info = host_info(facts, self._machine.view)
        self._users_count = None if facts.users is None else len(facts.users)
        self._resources.publish(HOST_INFO_KIND, HOST_KEY, info)
        return info

    async def _follow_facts(self) -> None:
        while True:
            await self.read_facts()
            await asyncio.sleep(self._facts_interval_s)

    async def _follow_stats(self) -> None:
        while True:
            if not self._always:
                await self._resources.listener(*ON_DEMAND)
            await self._look_while_wanted()
            self._withdraw()

    async def _look_while_wanted(self) -> None:
        loop = asyncio.get_running_loop()
        before: MachineSample | None = None
        while self._always or self._resources.has_listener(*ON_DEMAND):
            began = loop.time()
            now = await self._machine.sample()
            self._publish(before, now)
            pause_s = self._interval_s if before else min(FIRST_PAUSE_S, self._interval_s)
            before = now
            await asyncio.sleep(max(pause_s - (loop.time() - began), 0))

    def _publish(self, before: MachineSample | None, now: MachineSample) -> None:
        """Publish everything in one turn; what is no longer there goes."""
        stats = host_stats(before, now, self._users_count)
        self._resources.publish(HOST_STATS_KIND, HOST_KEY, stats)
        devices = {each.disk.name: block_device(each) for each in activities(before, now)}
        self._replace(BLOCK_DEVICE_KIND, devices)
        sensors = {reading.key: host_sensor(reading) for reading in now.sensors}
        self._replace(HOST_SENSOR_KIND, sensors)
        self._fresh = before is not None

    def _withdraw(self) -> None:
        """Take the figures away: they would be old."""
        self._fresh = False
        self._resources.remove(HOST_STATS_KIND, HOST_KEY)
        self._replace(BLOCK_DEVICE_KIND, {})
        self._replace(HOST_SENSOR_KIND, {})

    def _replace[Shown: Model](self, kind: str, shown: dict[str, Shown]) -> None:
        for key in self._resources.keys(kind):
            if key not in shown:
                self._resources.remove(kind, key)
        for key, each in shown.items():
            self._resources.publish(kind, key, each)
