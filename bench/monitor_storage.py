"""What a year of 100 monitors at 30 s takes in the store, and what the report costs then.

Beside the first day's, in the same run. Times are processor time: other work does not show. The
last days pass check by check through the agent's own history; what is older is rolled up with the
same code from smaller buckets, in bulk.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.numbers import percentile
from homelab_agent.areas.monitors.budget import report
from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.history_store import KEEP_S, BucketId, HistoryStore
from homelab_agent.areas.monitors.models import MonitorReport, Slo
from homelab_agent.areas.monitors.tally import DAY_S, HOUR_S, MINUTE_S, Tally, response_slot
from homelab_agent.platform.store.database import Store

INTERVAL_S = 30
NOW_S = 1_795_219_200 + 11 * HOUR_S + 23 * MINUTE_S
"""In the middle of a day, so that no window begins where a large bucket does."""

WRITE_S = 600
ERRORS = 0.001


@dataclass(frozen=True)
class Measured:
    """What a store takes, and what can be asked of it."""

    load_s: float
    report_ms: float
    minute_ms: float
    reports: tuple[MonitorReport, ...]


class Invented:
    """Services that are down now and then."""

    def __init__(self, monitors: int) -> None:
        self.ids = range(1, monitors + 1)
        self._dice = Random(11)  # noqa: S311 - nothing secret is drawn

    def outcome(self, monitor_id: int) -> tuple[bool, float]:
        """Return whether a check went well, and how long it took in ms."""
        usual_ms = 2.0 * monitor_id
        return self._dice.random() > ERRORS, usual_ms * self._dice.lognormvariate(0, 0.3)

    def hour(self, monitor_id: int) -> Tally:
        """Return an hour of checks."""
        tally = Tally()
        for _ in range(HOUR_S // INTERVAL_S):
            ok, response_ms = self.outcome(monitor_id)
            tally.count(ok=ok, slot=response_slot(ok=ok, response_ms=response_ms))
            tally.spend(INTERVAL_S * 1000, up=ok)
        return tally


async def check_by_check(history: History, invented: Invented, begin_s: int, end_s: int) -> None:
    """Let time pass as it does in the agent."""
    for at_s in range(begin_s, end_s, INTERVAL_S):
        for monitor_id in invented.ids:
            ok, response_ms = invented.outcome(monitor_id)
            at_ms = at_s * 1000 + monitor_id * 7
            history.spend(monitor_id, at_ms - INTERVAL_S * 1000, INTERVAL_S * 1000, up=ok)
            code = None if ok else "timed_out"
            history.count(monitor_id, at_ms, ok=ok, response_ms=response_ms, code=code)
        if at_s % WRITE_S == 0:
            await history.write()
    await history.write()


async def in_bulk(store: HistoryStore, invented: Invented, upto_s: int) -> None:
    """Roll up what is older: hours into days."""
    first_hour_s = (NOW_S - KEEP_S[HOUR_S]) // DAY_S * DAY_S
    first_day_s = (NOW_S - KEEP_S[DAY_S]) // DAY_S * DAY_S
    for monitor_id in invented.ids:
        pool = [invented.hour(monitor_id) for _ in range(7 * 24)]
        buckets: dict[BucketId, Tally] = {}
        for number, day_s in enumerate(range(first_day_s, upto_s, DAY_S)):
            day = buckets[DAY_S, day_s, monitor_id] = Tally()
            for hour_of_day in range(24):
                hour = pool[(number * 5 + hour_of_day * 11) % len(pool)]
                day.add(hour)
                if day_s >= first_hour_s:
                    buckets[HOUR_S, day_s + hour_of_day * HOUR_S, monitor_id] = hour
        await store.add(buckets)


async def measure(past: HistoryStore, ids: Iterable[int]) -> Measured:
    """Ask for the reports as a restarted agent does, and as one that runs."""
    ids = tuple(ids)
    await past.prune(NOW_S * 1000)
    history = History(past)
    began = time.process_time()
    await history.load(NOW_S * 1000)
    load_s = time.process_time() - began

    def reports() -> tuple[MonitorReport, ...]:
        found = []
        for monitor_id in ids:
            tallies = history.tallies(monitor_id)
            if tallies is None:
                raise RuntimeError("nothing was loaded")
            found.append(report(str(monitor_id), Slo(), INTERVAL_S, tallies))
        return tuple(found)

    minutes: list[float] = []
    for minute in range(1, 31):
        began = time.process_time()
        await history.move((NOW_S + minute * MINUTE_S) * 1000)
        minutes.append((time.process_time() - began) * 1000)
    return Measured(
        load_s=load_s,
        report_ms=percentile([_took_ms(reports) for _ in range(21)], 50),
        minute_ms=percentile(minutes, 50),
        reports=reports(),
    )


def _took_ms(what: Callable[[], object]) -> float:
    began = time.process_time()
    what()
    return (time.process_time() - began) * 1000


async def after(folder: Path, days: int, monitors: int) -> Measured:
    """Fill a store with so many days, and measure it."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/homelab.db", folder)
    past, invented = HistoryStore(store, keep_checks_h=24), Invented(monitors)
    begin_s = NOW_S - DAY_S
    if days > 1:
        begin_s = (NOW_S - KEEP_S[MINUTE_S]) // DAY_S * DAY_S
        await in_bulk(past, invented, begin_s)
    await check_by_check(History(past), invented, begin_s, NOW_S)
    measured = await measure(past, invented.ids)
    await store.close()
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--monitors", type=int, default=100)
    given = parser.parse_args()
    for name, days in (("first day", 1), ("year", 365)):
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(after(Path(folder), days, given.monitors))
            # Closed: nothing is left beside it in its log.
            size_mb = (Path(folder) / "homelab.db").stat().st_size / 1024**2
        year = found.reports[0].year
        sys.stdout.write(
            f"{name:<10} store {size_mb:6.1f} MB  all reports {found.report_ms:6.2f} ms  "
            f"a minute's move {found.minute_ms:6.2f} ms  read anew after a restart "
            f"{found.load_s:5.2f} s  (checks in its longest report {year.checks}; "
            f"filled in {time.perf_counter() - began:.0f} s)\n"
        )


if __name__ == "__main__":
    main()
