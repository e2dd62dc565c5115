"""The insight area on published resources, with clocks of a test."""

from dataclasses import dataclass
from typing import Self

from homelab_agent.areas.insight.board import PATIENCE, Board
from homelab_agent.areas.insight.forecasts import Forecasts
from homelab_agent.areas.insight.kept import PLANS
from homelab_agent.areas.insight.models import (
    DISK_FORECAST_KIND,
    FINDING_KIND,
    DiskForecast,
    Finding,
)
from homelab_agent.areas.insight.readings import ContainerMemory, Temperatures, Traffic
from homelab_agent.areas.insight.rules.clock import ClockWatch
from homelab_agent.areas.insight.rules.disks import DiskFacts
from homelab_agent.areas.insight.store import FindingMemory
from homelab_agent.areas.insight.watch import InsightWatch, Pace, Senses
from homelab_agent.platform.clock import Clock, Steady
from homelab_agent.platform.history.samples import History
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store


@dataclass(frozen=True)
class InsightArea:
    """The parts, and what a person would see."""

    resources: Resources
    history: History
    board: Board
    watch: InsightWatch

    @classmethod
    def make(
        cls, resources: Resources, store: Store, clock: Clock, steady: Steady, pace: Pace
    ) -> Self:
        """Return the area of an agent that starts now; nothing is loaded yet."""
        history = History(store, clock, PLANS, steady=steady)
        board = Board(resources, FindingMemory(store), clock, PATIENCE, steady=steady)
        senses = Senses(
            disks=DiskFacts(steady),
            forecasts=Forecasts(history, resources, clock),
            memory=ContainerMemory(history, resources, clock),
            temperatures=Temperatures(history, resources),
            traffic=Traffic(history, resources),
            clock=ClockWatch(clock, steady),
        )
        return cls(resources, history, board, InsightWatch(history, board, senses, resources, pace))

    async def load(self) -> None:
        """Read what was kept."""
        await self.history.load()
        await self.board.load()

    @property
    def findings(self) -> dict[str, Finding]:
        """All findings by key."""
        return {each.key: each for each in self.resources.every(FINDING_KIND, Finding)}

    def forecast(self, key: str) -> DiskForecast:
        """Return the forecast of a file system."""
        found = self.resources.get(DISK_FORECAST_KIND, key)
        assert isinstance(found, DiskForecast)
        return found
