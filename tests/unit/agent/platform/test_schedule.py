"""When checks begin: evenly, without drift, and never one because of another."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Self

from homelab_agent.platform.schedule import LATE_S, Schedule
from tests.harness.waiting import wait_until


class Running:
    """A schedule that runs, and what it began."""

    def __init__(self, *, most_at_once: int = 8) -> None:
        self.began: dict[str, list[float]] = {}
        self.late: list[float] = []
        self.hold: dict[str, asyncio.Event] = {}
        self.schedule = Schedule(self._check, most_at_once=most_at_once, observe=self.late.append)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.schedule.run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _check(self, key: str) -> None:
        self.began.setdefault(key, []).append(asyncio.get_running_loop().time())
        if key in self.hold:
            await self.hold[key].wait()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async def look() -> bool:
            return is_so()

        await wait_until(look, what="checks")

    def times(self, key: str) -> int:
        return len(self.began.get(key, ()))


async def test_a_check_that_hangs_keeps_no_other_from_its_time() -> None:
    async with Running(most_at_once=2) as running:
        for number in range(6):
            running.hold[f"hangs-{number}"] = asyncio.Event()
            running.schedule.put(f"hangs-{number}", 0.05)
        running.schedule.put("well", 0.05)

        await running.until(lambda: running.times("well") >= 5)

        assert all(running.times(key) <= 1 for key in running.hold)


async def test_checks_do_not_drift_whatever_they_take() -> None:
    async with Running() as running:
        running.schedule.put("web", 0.2)
        await running.until(lambda: running.times("web") >= 8)

    began = running.began["web"]
    # On a busy machine one begins late, but the plan stays: the whole is a multiple of 0.2 s.
    plan = [moment - late for moment, late in zip(began, running.late, strict=True)]
    for before, after in pairwise(plan):
        turns = (after - before) / 0.2
        assert abs(turns - round(turns)) < 0.02


async def test_many_with_the_same_interval_do_not_begin_together() -> None:
    async with Running() as running:
        for number in range(200):
            running.schedule.put(f"monitor-{number}", 1.0)
        await running.until(lambda: len(running.began) == 200)

    firsts = sorted(times[0] for times in running.began.values())
    tenths = [0] * 10
    for moment in firsts:
        tenths[min(9, int((moment - firsts[0]) * 10))] += 1
    assert max(tenths) < 80


async def test_what_a_blocked_loop_missed_is_skipped_and_nothing_comes_in_a_burst() -> None:
    async with Running() as running:
        schedule, loop = running.schedule, asyncio.get_running_loop()
        schedule.put("web", 0.05)
        await running.until(lambda: running.times("web") >= 2)
        entry = schedule._entries["web"]
        before = running.times("web")
        assert entry.timer is not None
        entry.timer.cancel()
        now_s = loop.time()
        entry.due_s = now_s - LATE_S - 60
        schedule._due(entry)

        assert running.times("web") == before
        assert now_s < entry.due_s <= loop.time() + 0.1


async def test_checking_now_is_beside_the_plan_and_never_twice_at_once() -> None:
    async with Running() as running:
        running.schedule.put("web", 3600)
        first = running.schedule.now("web")
        # It has not begun yet, and will see what both want to be seen.
        assert running.schedule.now("web") is first

        assert first is not None
        await first
        assert running.times("web") == 1
        assert running.schedule.now("somebody-else") is None


async def test_what_changes_while_it_is_looked_at_is_looked_at_again() -> None:
    async with Running() as running:
        running.hold["web"] = asyncio.Event()
        running.schedule.put("web", 3600)
        first = running.schedule.now("web")
        await running.until(lambda: running.times("web") == 1)

        second = running.schedule.now("web")
        assert first is not None
        assert second is not None
        assert running.schedule.now("web") is second, "one look is enough for all that changed"
        assert running.times("web") == 1, "never two at once"
        running.hold["web"].set()
        await second
        assert first.done()
        assert running.times("web") == 2
        third = running.schedule.now("web")
        assert third is not None
        await third
        assert running.times("web") == 3


async def test_a_monitor_that_goes_takes_its_check_along() -> None:
    async with Running() as running:
        running.hold["web"] = asyncio.Event()
        running.schedule.put("web", 3600)
        task = running.schedule.now("web")
        assert task is not None
        await running.until(lambda: running.times("web") == 1)
        following = running.schedule.now("web")
        assert following is not None

        running.schedule.drop("web")

        await asyncio.wait((task, following), timeout=5)
        assert task.cancelled()
        assert following.cancelled()
        assert running.times("web") == 1
