"""The platform of the agent with one kind of job of three steps, in a process that can be killed.

usage: program.py FOLDER GO_ON|UNDO [start]

Each step makes a half mark in FOLDER/marks and then a whole one; undoing removes it. In the middle
a step looks for FOLDER/hold-<do|undo>-<step>: where that is, it says so with FOLDER/reached-... and
waits for ever. FOLDER/fail-<step> makes a step fail. The job at its end goes to FOLDER/ended.json.
"""

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.errors import Conflict
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store

STEPS = ("1", "2", "3")


class Nothing(Model):
    """No arguments."""


class ThreeSteps:
    """What the steps do to the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks = folder / "marks"
        self._marks.mkdir(exist_ok=True)

    def kind(self, recovery: Recovery) -> JobKind[Nothing]:
        """Return the kind of job."""
        steps = (Step(name, partial(self._do, name), partial(self._undo, name)) for name in STEPS)
        return JobKind("test.three_steps", Nothing, tuple(steps), recovery)

    async def _do(self, name: str, context: StepContext[Nothing]) -> StepResult:
        mark = self._marks / name
        mark.write_text("half")
        await self._meet(f"do-{name}")
        if (self._folder / f"fail-{name}").exists():
            raise Conflict(f"step {name} was told to fail")
        mark.write_text("whole")
        return StepResult({f"again_{name}": context.again})

    async def _undo(self, name: str, _context: StepContext[Nothing]) -> None:
        mark = self._marks / name
        mark.write_text("half")
        await self._meet(f"undo-{name}")
        mark.unlink()

    async def _meet(self, where: str) -> None:
        if (self._folder / f"hold-{where}").exists():
            (self._folder / f"reached-{where}").touch()
            await asyncio.Event().wait()


async def main(folder: Path, recovery: Recovery, *, start: bool) -> None:
    """Take up what was interrupted, or start the job; write down its end; live until SIGTERM."""
    told_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_end.set)
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/homelab.db", folder)
    await store.claim()
    runner = JobRunner(store, Resources(), utc_now, Audit(store, utc_now))
    runner.register(ThreeSteps(folder).kind(recovery))
    recovered = await runner.recover()
    if start:
        caller = Caller(name="phone", scope=Scope.OPERATE)
        job = await runner.start("test.three_steps", "web", Nothing(), caller)
        recovered = (job.id,)
    writing = asyncio.create_task(write_end(folder, runner, recovered))
    await told_to_end.wait()
    writing.cancel()
    await runner.close(grace_s=0.5)
    await store.close()


async def write_end(folder: Path, runner: JobRunner, job_ids: tuple[str, ...]) -> None:
    """Write down each job when it has ended."""
    for job_id in job_ids:
        job = await runner.wait(job_id, timeout_s=None)
        written = folder / "ended.new"
        written.write_text(job.model_dump_json())
        written.replace(folder / "ended.json")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Recovery[sys.argv[2]], start="start" in sys.argv[3:]))
