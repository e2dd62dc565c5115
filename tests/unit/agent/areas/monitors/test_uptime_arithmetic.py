"""Uptime against an independent reference: 30 days with everything that can get in the way."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.models import MaintenanceBody
from homelab_agent.areas.monitors.tally import Tally
from homelab_agent.areas.monitors.windows import Window
from homelab_agent.platform.store.database import Store
from tests.unit.agent.areas.monitors.one_agent import OneAgent, Times

DAYS = 30
LENGTHS = {
    Window.HOUR: timedelta(hours=1),
    Window.SIX_HOURS: timedelta(hours=6),
    Window.DAY: timedelta(days=1),
    Window.WEEK: timedelta(days=7),
    Window.MONTH: timedelta(days=30),
    Window.YEAR: timedelta(days=365),
}
BEGINS_AT_WHOLE = {
    Window.HOUR: {"second": 0, "microsecond": 0},
    Window.SIX_HOURS: {"second": 0, "microsecond": 0},
    Window.DAY: {"second": 0, "microsecond": 0},
    Window.WEEK: {"minute": 0, "second": 0, "microsecond": 0},
    Window.MONTH: {"minute": 0, "second": 0, "microsecond": 0},
    Window.YEAR: {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A result as the reference knows it. `run`: those of one unbroken run have the same."""

    run: int
    steady_ms: int
    wall: datetime
    ok: bool
    counts: bool


@dataclass(slots=True)
class Reference:
    """A plain list of what happened, evaluated by brute force."""

    longest_ms: int
    results: list[Seen] = field(default_factory=list)
    written: int = 0

    def measured(self, window: Window, now: datetime) -> tuple[int, int, int, int, int]:
        """Return time up and down in ms, checks, failed checks, and answers in time."""
        begin = (now - LENGTHS[window]).replace(**BEGINS_AT_WHOLE[window])
        up = down = timedelta()
        for former, latter in zip(self.results, self.results[1:], strict=False):
            took_ms = latter.steady_ms - former.steady_ms
            if not (former.counts and latter.counts and former.run == latter.run):
                continue
            if took_ms > self.longest_ms:
                continue
            end = former.wall + timedelta(milliseconds=took_ms)
            inside = max(timedelta(), end - max(begin, former.wall))
            if former.ok:
                up += inside
            else:
                down += inside
        counted = [each for each in self.results if each.counts and each.wall >= begin]
        return (
            round(up / timedelta(milliseconds=1)),
            round(down / timedelta(milliseconds=1)),
            len(counted),
            sum(not each.ok for each in counted),
            sum(each.ok for each in counted),
        )

    def crash(self) -> None:
        """Forget what was not written yet."""
        del self.results[self.written :]


class Simulation:
    """One monitor, one machine, one mischievous month."""

    def __init__(self, store: Store, seed: int) -> None:
        self.dice = Random(seed)  # noqa: S311 - nothing secret is drawn
        self.store = store
        self.times = Times(
            wall_ms=round(datetime(2026, 2, 11, 7, 13, 5, 123000, UTC).timestamp() * 1000)
        )
        self.interval_s = self.dice.choice((300, 301.7, 480))
        self.run = 0
        self.agent = OneAgent(store, self.times)
        self.reference = Reference(0)
        self.compared = 0
        self.happened: dict[str, int] = {}

    async def begin(self) -> None:
        watched = await self.agent.add(interval_s=self.interval_s, confirm_down=2)
        self.reference.longest_ms = watched.longest_ms
        await self.agent.history.load(self.agent.timeline.now().wall_ms)

    async def month(self) -> None:
        end_ms = self.times.steady_ms + DAYS * 86_400_000
        happenings = (
            self.pause,
            self.maintenance,
            self.restart,
            self.crash,
            self.gap,
            self.sleep,
            self.clock_back,
            self.clock_forward,
            self.not_known,
        )
        while self.times.steady_ms < end_ms:
            outage = self.dice.random() < 0.15
            # As the agent does it; else seldom, so that the test does not take all day.
            always = self.dice.random() < 0.08
            for _ in range(self.dice.randint(5, 90)):
                self.check(ok=not outage or self.dice.random() < 0.1)
                self.times.pass_(self.interval_s + round(self.dice.uniform(-0.9, 0.9), 3))
                if always:
                    await self.write()
            happening = self.dice.choice(happenings)
            self.happened[happening.__name__] = self.happened.get(happening.__name__, 0) + 1
            await happening()
            if self.dice.random() < 0.1:
                await self.compare()
        await self.compare()

    def check(self, *, ok: bool, known: bool = True, counts: bool = True) -> None:
        watched = self.agent.desk.watched["web"]
        outcome = CheckOutcome(ok=ok, response_ms=self.dice.uniform(1, 900), known=known)
        self.agent.take(watched, outcome)
        counts = known and counts
        self.reference.results.append(
            Seen(self.run, self.times.steady_ms, self.times.wall(), ok, counts)
        )
        if not counts:
            self.run += 1

    async def write(self) -> None:
        await self.agent.history.write()
        await self.agent.history.move(self.agent.timeline.now().wall_ms)
        self.reference.written = len(self.reference.results)

    async def pause(self) -> None:
        watched = self.agent.desk.watched["web"]
        self.agent.desk.pause(watched)
        self.times.pass_(self.dice.uniform(10, 20_000))
        self.agent.desk.resume(watched)
        self.run += 1

    async def maintenance(self) -> None:
        body = MaintenanceBody(
            name="Work", starts_at=self.times.wall(), duration_s=self.dice.choice((60, 4000))
        )
        window = await self.agent.book.add(body)
        self.run += 1
        if self.dice.random() < 0.7:
            for _ in range(self.dice.randint(1, 9)):
                self.check(ok=False, counts=False)
                self.times.pass_(1.0)
        # A window may also come and go between two checks.
        await self.agent.book.remove(window.key)
        self.run += 1

    async def restart(self) -> None:
        await self.write()
        await self._start_again()

    async def crash(self) -> None:
        self.reference.crash()
        await self._start_again()

    async def _start_again(self) -> None:
        self.times.pass_(self.dice.uniform(1, 8000))
        self.agent = OneAgent(self.store, self.times)
        await self.agent.load()
        await self.agent.history.load(self.agent.timeline.now().wall_ms)
        await self.agent.past.prune(self.agent.timeline.now().wall_ms)
        self.run += 1

    async def gap(self) -> None:
        # Around what is still one run, so that both sides of the border are tried.
        self.times.pass_(self.dice.choice((1, 20, 3000)) + self.dice.random())

    async def sleep(self) -> None:
        self.times.sleep(self.dice.uniform(5, 7200))
        self.run += 1

    async def clock_back(self) -> None:
        self.times.set_wall(-self.dice.choice((2, 61, 3600)))

    async def clock_forward(self) -> None:
        self.times.set_wall(self.dice.choice((2, 600, 86_400)))
        if self.dice.random() < 0.5:
            self.check(ok=True)
            self.times.pass_(self.interval_s)
            self.check(ok=True)
            await self.write()
            await self.agent.past.prune(self.agent.timeline.now().wall_ms)
            self.times.set_wall(-self.dice.choice((5, 86_400)))

    async def not_known(self) -> None:
        self.check(ok=False, known=False)

    async def compare(self) -> None:
        """Compare what is held in memory, and what a restart would find, with the reference."""
        await self.write()
        now = self.agent.timeline.now()
        after_restart = History(self.agent.past)
        await after_restart.load(now.wall_ms)
        monitor_id = self.agent.desk.watched["web"].id
        in_memory, anew = self.agent.history.tallies(monitor_id), after_restart.tallies(monitor_id)
        assert in_memory is not None
        assert anew is not None
        for window in Window:
            expected = self.reference.measured(window, now.at)
            assert numbers(in_memory[window]) == expected, (window, now.at)
            assert numbers(anew[window]) == expected, (window, now.at)
        self.compared += 1


def numbers(tally: Tally) -> tuple[int, int, int, int, int]:
    answered = sum(tally.responses.values())
    return tally.up_ms, tally.down_ms, tally.checks, tally.errors, answered


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(2))
async def test_thirty_days_of_trouble_are_added_up_to_the_millisecond(
    store: Store, seed: int
) -> None:
    simulation = Simulation(store, seed)
    await simulation.begin()

    await simulation.month()

    assert simulation.compared > 5
    assert len(simulation.happened) == 9
    month = simulation.reference.measured(Window.YEAR, simulation.times.wall())
    assert month[0] > 0
    assert month[1] > 0
