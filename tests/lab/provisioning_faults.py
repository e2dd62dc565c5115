"""What hits provisioning, exactly at a step: a server that fails or hangs, or the agent's end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.fakes.gated_relay import Way
from tests.harness.waiting import wait_until
from tests.lab.provisioning_world import ProvisioningWorld

REACHED_S = 60
_UPDATE = 5
_OPCODE_AT = 4


class Hit(StrEnum):
    """What happens at a step.

    BEFORE: the agent is killed as the step asks its first question, which nobody hears. DURING: it
    is killed when its first change was made, and it does not know yet; where it changes nothing,
    its first question was answered. AFTER: the last step is done, and so is the job. (After any
    other step is before the next one: the journal says both in one.)
    """

    FAIL = "fail"
    HANG = "hang"
    BEFORE = "kill before"
    DURING = "kill during"
    AFTER = "kill after"


CHANGING = frozenset({"dns_apply", "reload"})
"""The steps that ask before they change something."""

type Deed = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class RealFault:
    """A fault of a real part: `begin` it when the step begins, `end` it when the job goes back.

    `is_watched`: the step asks nobody that could be held, and is seen at the job instead.
    """

    begin: Deed
    end: Deed
    is_watched: bool = False


def is_change(relay: str, question: bytes) -> bool:
    """Return whether a question changes something at the server."""
    if relay == "dns":
        return len(question) > _OPCODE_AT and (question[_OPCODE_AT] >> 3) & 0xF == _UPDATE
    return relay == "caddy" and not question.startswith(b"GET")


def once_at(world: ProvisioningWorld, name: str, step: str, deed: Deed) -> None:
    """Have something be done by somebody else as a step asks its first question."""
    doing: asyncio.Task[None] | None = None

    async def gate(_relay: str, _question: bytes) -> Way:
        nonlocal doing
        if doing is None and await world.step_of(name) == step:
            doing = doing or asyncio.create_task(_done(deed))
        if doing is not None:
            # Others ask as well, as who looks at the proxy now and then: all wait for it.
            await asyncio.shield(doing)
        return Way.PASS

    world.set_gate(gate)


async def _done(deed: Deed) -> None:
    await deed()


class Fault:
    """Stops the world at one step of the job of one domain, however it is begun."""

    def __init__(
        self,
        world: ProvisioningWorld,
        name: str,
        step: str,
        hit: Hit,
        real: RealFault | None = None,
    ) -> None:
        self._world = world
        self._name = name
        self._step = step
        self._hit = hit
        self._real = real
        self._reached = asyncio.Event()
        self._beginning: asyncio.Task[None] | None = None

    def arm(self) -> None:
        """Decide about every call from now on."""
        self._world.set_gate(self._decide)

    async def happen(self) -> None:
        """Let it happen, and see the agent up again where it was killed."""
        world = self._world
        await wait_until(self._is_reached, what=f"the step {self._step}", within_s=REACHED_S)
        if self._hit in (Hit.FAIL, Hit.HANG):
            await wait_until(self._is_over, what="the job to give up", within_s=REACHED_S)
            if self._real:
                await self._real.end()
            world.open_gates()
            return
        await world.agent.kill()
        world.open_gates()
        if self._real:
            await self._real.end()
        await world.agent.start()

    async def _is_reached(self) -> bool:
        if self._hit is Hit.AFTER:
            return await self._world.has_ended(self._name)
        # What asks nobody that could be held is watched instead.
        if self._real and self._real.is_watched and await self._at() == self._step:
            return self._hit is not Hit.DURING or await self._world.is_waiting(self._name)
        return self._reached.is_set()

    async def _is_over(self) -> bool:
        return await self._at() != self._step

    async def _at(self) -> str | None:
        return await self._world.step_of(self._name)

    async def _begin(self, fault: RealFault) -> None:
        await fault.begin()
        self._reached.set()

    async def _decide(self, relay: str, question: bytes) -> Way:
        if self._hit is Hit.AFTER or await self._at() != self._step:
            return Way.PASS
        return await self._decide_at(relay, question)

    async def _decide_at(self, relay: str, question: bytes) -> Way:
        if self._real:
            # Others ask as well, as who looks at the proxy now and then: all wait for it.
            self._beginning = self._beginning or asyncio.create_task(self._begin(self._real))
            await asyncio.shield(self._beginning)
            return Way.PASS
        if self._hit is Hit.DURING:
            if self._step in CHANGING and not is_change(relay, question):
                return Way.PASS
            self._reached.set()
            return Way.DO_AND_HOLD
        self._reached.set()
        return Way.CUT if self._hit is Hit.FAIL else Way.HOLD
