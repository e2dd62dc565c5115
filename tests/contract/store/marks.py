"""A kind of job whose steps leave marks, can be held and can be told to fail."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.model import Model

PHONE = Caller(name="phone", scope=Scope.OPERATE)


class Word(Model):
    """The arguments of the job."""

    text: str = "hello"


@dataclass
class Marks:
    """What the steps did to the world, and what they are to do next."""

    there: set[str] = field(default_factory=set)
    seen: list[StepContext[Word]] = field(default_factory=list)
    errors: dict[str, Exception | None] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    reached: dict[str, asyncio.Event] = field(default_factory=dict)
    needless: set[str] = field(default_factory=set)

    def hold(self, what: str) -> tuple[asyncio.Event, asyncio.Event]:
        """Let `what` wait in its middle; return the events "it is there" and "go on"."""
        self.reached[what], self.held[what] = asyncio.Event(), asyncio.Event()
        return self.reached[what], self.held[what]

    def kind(
        self,
        recovery: Recovery = Recovery.GO_ON,
        *,
        names: tuple[str, ...] = ("one", "two", "three"),
        without_undo: tuple[str, ...] = (),
        name: str = "test.mark",
    ) -> JobKind[Word]:
        """Return the kind of job."""
        steps = (
            Step(
                each,
                partial(self._do, each),
                None if each in without_undo else partial(self._undo, each),
            )
            for each in names
        )
        return JobKind(name, Word, tuple(steps), recovery)

    async def _do(self, name: str, context: StepContext[Word]) -> StepResult:
        self.seen.append(context)
        needed = name not in self.there
        if name in self.needless:
            return StepResult(needed=False)
        self.there.add(name)
        await self._meet(name)
        return StepResult({f"mark_{name}": context.arguments.text}, needed=needed)

    async def _undo(self, name: str, context: StepContext[Word]) -> None:
        self.seen.append(context)
        await self._meet(f"undo {name}")
        self.there.discard(name)

    async def _meet(self, what: str) -> None:
        if what in self.reached:
            self.reached[what].set()
            await self.held[what].wait()
        if error := self.errors.get(what):
            raise error
