"""Everything that a monitor's result passes through, with time in a test's hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from homelab_agent.areas.monitors.board import Board
from homelab_agent.areas.monitors.check_settings import CheckType, TcpCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.registry import Checks
from homelab_agent.areas.monitors.desk import Desk
from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.history_store import HistoryStore
from homelab_agent.areas.monitors.intake import Intake
from homelab_agent.areas.monitors.maintenance_book import MaintenanceBook
from homelab_agent.areas.monitors.models import (
    MONITOR_EVENT_KIND,
    Monitor,
    MonitorEvent,
    MonitorSettings,
    MonitorSource,
)
from homelab_agent.areas.monitors.store import MonitorStore
from homelab_agent.areas.monitors.timeline import Timeline
from homelab_agent.areas.monitors.watched import Watched
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.vault import Vault

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UP = CheckOutcome(ok=True, response_ms=20.0)
DOWN = CheckOutcome(ok=False, code="refused", reason="Connection refused")
UNKNOWN = CheckOutcome(ok=False, known=False, reason="Docker is away")


@dataclass(slots=True)
class Times:
    """The three clocks of a machine, in milliseconds; they stand still until a test moves them."""

    steady_ms: int = 1_000_000
    wall_ms: int = field(default_factory=lambda: round(START.timestamp() * 1000))
    asleep_ms: int = 0

    def wall(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self.wall_ms)

    def steady(self) -> float:
        return self.steady_ms / 1000

    def boot(self) -> float:
        return (self.steady_ms + self.asleep_ms) / 1000

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        ms = round(seconds * 1000)
        self.steady_ms += ms
        self.wall_ms += ms

    def sleep(self, seconds: float) -> None:
        """Have the machine sleep."""
        ms = round(seconds * 1000)
        self.asleep_ms += ms
        self.wall_ms += ms

    def set_wall(self, by_s: float) -> None:
        """Set the clock on the wall."""
        self.wall_ms += round(by_s * 1000)


class NoCheck:
    """A check that nobody calls: tests hand outcomes in."""

    type = CheckType.TCP

    async def run(self, *_: object, **__: object) -> CheckOutcome:
        raise AssertionError("nobody asks here")

    def target(self, settings: TcpCheckSettings) -> str:
        return f"{settings.host}:{settings.port}"


def settings(name: str = "Web", **changes: object) -> MonitorSettings:
    check = TcpCheckSettings(host="192.0.2.1", port=80)
    return MonitorSettings.model_validate({"name": name, "check": check} | changes)


class OneAgent:
    """The monitors of one run of the agent. Another one on the same store is its restart."""

    def __init__(self, store: Store, times: Times, *, vault_key: bytes = bytes(32)) -> None:
        self.times = times
        self.resources = Resources()
        self.past = HistoryStore(store, keep_checks_h=24)
        self.history = History(self.past)
        self.timeline = Timeline(times.wall, times.steady, times.boot)
        self.board = board = Board(self.resources, times.wall)
        self.intake = Intake(self.history, board)
        self.store = MonitorStore(store, times.wall, Vault(vault_key, SecretFilter()))
        self.desk = Desk(
            self.store,
            self.history,
            self.intake,
            board,
            Checks((NoCheck(),)),
            self.timeline,
            SecretFilter(),
            most_at_once=8,
        )
        self.book = MaintenanceBook(
            self.store, self.resources, self.intake, self.desk.watched, times.wall
        )

    async def load(self) -> None:
        await self.book.load()
        await self.desk.load()

    async def add(self, **changes: object) -> Watched:
        return await self.desk.add("web", MonitorSource.PERSON, settings(**changes))

    def take(self, watched: Watched, outcome: CheckOutcome) -> bool:
        """Take in a result that took no time."""
        now = self.timeline.now()
        return self.intake.take(watched, outcome, now, now)

    def shown(self, key: str = "web") -> Monitor:
        found = self.resources.get("monitor", key)
        assert isinstance(found, Monitor)
        return found

    def told(self, key: str = "web") -> MonitorEvent | None:
        found = self.resources.get(MONITOR_EVENT_KIND, key)
        assert found is None or isinstance(found, MonitorEvent)
        return found
