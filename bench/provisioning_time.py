"""Where the seconds go when a container gets a name with HTTPS, and when it gives it back.

Knot with a second server, Caddy, pebble, a container and the agent are all real. A relay before
each of the others sees for how long a question of the agent was out, and the agent runs with a
record of what it waits for by itself. What is left of a step's seconds is the agent's own: its
processor time, its disk, and all that the machine did meanwhile.

It is no test of speed for the others: they stand on the same machine and answer at once.
"""

import asyncio
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import clock_gettime, monotonic, time
from typing import Any

from bench.numbers import percentile
from bench.traced_agent import NAME_SERVERS
from tests.harness.agent import CHECKOUT
from tests.lab.provisioning_world import ZONE, ProvisioningWorld, provisioning_world

WAYS = ("caddy", "dns_01")
AGENT_PYTHON = CHECKOUT / "addon" / ".venv" / "bin" / "python"
SAMPLE_S = 0.005
# As people have it: the tests give up sooner.
SETTINGS = {
    "HOMELAB_PROVISION_STEP_S": "60",
    "HOMELAB_PROVISION_PROPAGATION_S": "120",
    "HOMELAB_PROVISION_CERTIFICATE_S": "60",
}

type Span = tuple[float, float]


@dataclass(frozen=True)
class StepCost:
    """One step in one round. `paused_s` is the part of `waited_s` with no question out."""

    job: str
    step: str
    wall_s: float
    waited_s: float
    paused_s: float
    cpu_s: float
    questions: Counter[str]

    @property
    def ours_s(self) -> float:
        """What nobody else is to blame for."""
        return self.wall_s - self.waited_s


@dataclass(frozen=True)
class Waits:
    """What the agent waited for: questions that were out, by whom was asked, and pauses."""

    asked: list[tuple[Span, str]]
    paused: list[tuple[Span, str]]


class CpuMeter:
    """The processor time of a process over time, sampled while it is entered."""

    def __init__(self, pid: int) -> None:
        # As clock_getcpuclockid(3) has it: the clock of a process, in nanoseconds.
        self._clock = (~pid << 3) | 2
        self._samples: list[tuple[float, float]] = []

    @asynccontextmanager
    async def measuring(self) -> Any:
        """Sample inside."""
        task = asyncio.create_task(self._measure())
        try:
            yield
        finally:
            self._sample()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def used_s(self, span: Span) -> float:
        """Return what was used between two times of the monotonic clock."""
        return self._at(span[1]) - self._at(span[0])

    def _at(self, when_s: float) -> float:
        before = self._samples[0]
        for sample in self._samples:
            if sample[0] >= when_s:
                share = (when_s - before[0]) / ((sample[0] - before[0]) or 1)
                return before[1] + max(0.0, share) * (sample[1] - before[1])
            before = sample
        return before[1]

    async def _measure(self) -> None:
        while True:
            self._sample()
            await asyncio.sleep(SAMPLE_S)

    def _sample(self) -> None:
        self._samples.append((monotonic(), clock_gettime(self._clock)))


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the same time as spans that do not overlap."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def length_s(spans: Iterable[Span]) -> float:
    """Return how long spans are together, each moment counted once."""
    return sum(end - begin for begin, end in union(spans))


def within(spans: Iterable[Span], span: Span) -> list[Span]:
    """Return the parts of spans that are in another."""
    cut = [(max(begin, span[0]), min(end, span[1])) for begin, end in spans]
    return [each for each in cut if each[1] > each[0]]


def waits_of(world: ProvisioningWorld, log: Path) -> Waits:
    """Return all that is known by now of what the agent waited for."""
    asked = [
        ((each.began_s, each.ended_s), relay.name)
        for relay in world.relays.values()
        for each in relay.exchanges
        if each.ended_s is not None
    ]
    paused = []
    for line in log.read_text().splitlines():
        began_s, ended_s, what = line.split(" ", 2)
        found = (float(began_s), float(ended_s)), what
        (asked if what == NAME_SERVERS else paused).append(found)
    return Waits(asked, paused)


async def steps_of(world: ProvisioningWorld, name: str, job: dict[str, Any]) -> list[Any]:
    """Return the steps of a job with when each ended, as the history of the domain has it."""
    to_monotonic = monotonic() - time()

    def at(text: str) -> float:
        return datetime.fromisoformat(text).timestamp() + to_monotonic

    history = await world.asked("GET", f"/domains/{name}/events?limit=100")
    lines = [
        (line["step"], at(line["at"]))
        for line in reversed(history["events"])
        if line["job_id"] == job["id"] and line["type"] == "step"
    ]
    begun, steps = at(job["created_at"]), []
    for step, ended in lines:
        steps.append((step, (begun, ended)))
        begun = ended
    # What is written after the last step counts as part of it.
    last, (began, _) = steps[-1]
    steps[-1] = last, (began, at(job["finished_at"]))
    return steps


async def one_job(
    world: ProvisioningWorld, log: Path, name: str, title: str, begin: Callable[[], Awaitable[str]]
) -> tuple[list[StepCost], Counter[str]]:
    """Run a job; return what its steps cost, and the seconds paused by who paused."""
    meter = CpuMeter(world.agent.pid)
    async with meter.measuring():
        # Asked seldom: each question costs the agent something.
        job_id = await begin()
        job = await world.job(job_id)
        while job["state"] != "finished":
            await asyncio.sleep(0.25)
            job = await world.job(job_id)
    if job["outcome"] != "done":
        raise RuntimeError(f"{title} ended as {job['outcome']}: {job['error']}")
    waits, costs, pauses = waits_of(world, log), [], Counter[str]()
    for step, span in await steps_of(world, name, job):
        asked = within((each for each, _ in waits.asked), span)
        paused = within((each for each, _ in waits.paused), span)
        waited_s = length_s([*asked, *paused])
        for each, who in waits.paused:
            pauses[who] += length_s(within([each], span))
        costs.append(
            StepCost(
                job=title,
                step=step,
                wall_s=span[1] - span[0],
                waited_s=waited_s,
                paused_s=waited_s - length_s(asked),
                cpu_s=meter.used_s(span),
                questions=Counter(
                    who for (begin_s, _), who in waits.asked if span[0] <= begin_s < span[1]
                ),
            )
        )
    return costs, +pauses


async def measure(rounds: int) -> None:
    """Provision and take back in rounds, the first of them to warm up; print where time went."""
    costs: list[list[StepCost]] = []
    pauses: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory(prefix="homelab-bench-") as folder:
        log = Path(folder) / "waits"
        log.touch()
        prefix = (str(AGENT_PYTHON), "-m", "bench.traced_agent", str(log))
        async with provisioning_world(Path(folder), settings=SETTINGS, prefix=prefix) as world:
            for number in range(rounds + 1):
                for way in WAYS:
                    name = f"{way.replace('_', '-')}-{number}.{ZONE}"
                    jobs = {
                        f"{way}, there": lambda n=name, w=way: world.provision(n, certificate=w),
                        f"{way}, back": lambda n=name: world.deprovision(n),
                    }
                    for title, begin in jobs.items():
                        found, paused = await one_job(world, log, name, title, begin)
                        if number:
                            costs.append(found)
                            pauses[title] += paused
    _print(rounds, costs, pauses)


def _print(
    rounds: int, costs: Sequence[Sequence[StepCost]], pauses: dict[str, Counter[str]]
) -> None:
    by_step: dict[tuple[str, str], list[StepCost]] = defaultdict(list)
    by_job: dict[str, list[StepCost]] = defaultdict(list)
    for job in costs:
        for each in job:
            by_step[each.job, each.step].append(each)
        by_job[job[0].job].append(_sum(job))
    load = os.getloadavg()[0]
    _say(f"provisioning: median of {rounds} rounds, load of the machine {load:.1f}; seconds")
    heads = " ".join(f"{each:>7}" for each in ("all", "others", "paused", "ours", "CPU", "asked"))
    _say(f"{'job':<14} {'step':<16} {heads}")
    for (title, step), found in by_step.items():
        _row(title, step, found)
    for title, found in by_job.items():
        _row(title, "together", found)
    _say(
        "others: a question was out, or the agent paused before it asked again (paused: only that)"
    )
    for title, found in by_job.items():
        asked = sum((each.questions for each in found), Counter[str]())
        told = ", ".join(f"{who} {count / rounds:.0f}" for who, count in asked.most_common())
        _say(f"{title:<14} asked a round: {told}")
        for who, seconds in pauses[title].most_common():
            _say(f"{title:<14} paused {seconds / rounds:.2f} s a round at {who}")


def _sum(job: Sequence[StepCost]) -> StepCost:
    return StepCost(
        job=job[0].job,
        step="together",
        wall_s=sum(each.wall_s for each in job),
        waited_s=sum(each.waited_s for each in job),
        paused_s=sum(each.paused_s for each in job),
        cpu_s=sum(each.cpu_s for each in job),
        questions=sum((each.questions for each in job), Counter()),
    )


def _row(title: str, step: str, found: Sequence[StepCost]) -> None:
    columns = (
        [each.wall_s for each in found],
        [each.waited_s for each in found],
        [each.paused_s for each in found],
        [each.ours_s for each in found],
        [each.cpu_s for each in found],
    )
    figures = " ".join(f"{percentile(each, 50):7.3f}" for each in columns)
    questions = percentile([each.questions.total() for each in found], 50)
    _say(f"{title:<14} {step:<16} {figures} {questions:7.0f}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
