"""Whatever is asked, on the way there and back: it is lost, or the agent is killed at it.

The kill table hits each step at its first question or change. Here it is any question: which, and
by what, is thrown by a seed that is printed.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.gated_relay import Way
from tests.harness.waiting import wait_until
from tests.lab.provisioning_faults import once_at
from tests.lab.provisioning_world import (
    QUICK_BUT_FOR_CERTIFICATES,
    ZONE,
    ProvisioningWorld,
    provisioning_world,
)

FIRST = int(os.environ.get("HOMELAB_CHAOS_SEED", "0"))
ROUNDS = int(os.environ.get("HOMELAB_CHAOS_ROUNDS", "6"))
QUESTIONS = {"provision": 45, "deprovision": 16}
"""About so many are asked."""

QUESTIONS_BACK = 6
CUTS = 3

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


class Hit(StrEnum):
    """What becomes of the question. TWICE: the agent is killed again while it takes up the job."""

    CUT = "lost"
    KILL = "killed before it is heard"
    KILL_AFTER = "killed after it was done"
    TWICE = "killed twice"


@dataclass
class Chance:
    """Hits one question, and all that come after it.

    `goes_back`: the name of a domain; only questions while its job takes everything back count.
    """

    world: ProvisioningWorld
    number: int
    hit: Hit
    goes_back: str | None = None
    asked: int = 0

    def __post_init__(self) -> None:
        self.reached = asyncio.Event()

    async def gate(self, _relay: str, _question: bytes) -> Way:
        """Decide about a question."""
        if self.goes_back and await self.world.step_of(self.goes_back) is not None:
            return Way.PASS
        self.asked += 1
        if self.asked < self.number:
            return Way.PASS
        self.reached.set()
        if self.hit is Hit.CUT:
            return Way.CUT if self.asked < self.number + CUTS else Way.PASS
        return Way.DO_AND_HOLD if self.hit is Hit.KILL_AFTER else Way.HOLD

    async def happen(self, job_id: str, pause_s: float = 0) -> dict[str, Any]:
        """Let it happen, unless the job ends before; return how the job ended."""
        reached = asyncio.create_task(self.reached.wait())
        ended = asyncio.create_task(self.world.ended(job_id))
        await asyncio.wait((reached, ended), return_when=asyncio.FIRST_COMPLETED)
        is_hit = self.reached.is_set() and self.hit is not Hit.CUT
        if is_hit:
            ended.cancel()
            await self.world.agent.kill()
            self.world.open_gates()
            await self.world.agent.start()
        if is_hit and self.hit is Hit.TWICE:
            await asyncio.sleep(pause_s)
            await self.world.agent.kill()
            await self.world.agent.start()
        reached.cancel()
        job = await self.world.ended(job_id)
        self.world.open_gates()
        return job


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProvisioningWorld]:
    async with provisioning_world(
        tmp_path_factory.mktemp("world"), settings=QUICK_BUT_FOR_CERTIFICATES
    ) as made:
        yield made


@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS))
async def test_any_question_may_be_lost_and_the_agent_be_killed_at_it(
    world: ProvisioningWorld, seed: int
) -> None:
    dice, name = random.Random(seed), f"chance-{seed}.{ZONE}"  # noqa: S311 - not for secrets
    down = await world.picture()
    for way, questions in QUESTIONS.items():
        if way == "deprovision" and not await world.serves(name):
            break
        chance = Chance(world, dice.randrange(questions), dice.choice(tuple(Hit)))
        up = await world.picture()
        # Asking for it is hit by nobody: who is refused begins nothing.
        begin = world.provision(name, certificate="dns_01")
        if way == "deprovision":
            begin.close()
            begin = world.deprovision(name)
        job_id = await begin
        world.set_gate(chance.gate)
        job = await chance.happen(job_id, pause_s=dice.random() * 3)
        said = f"| {seed} | {way} | {chance.number} {chance.hit} | {job['outcome']} |"
        print(said, flush=True)  # noqa: T201
        now = await world.picture()
        served = await world.serves(name)
        reached = served if way == "provision" else now == down
        kept = now == down if way == "provision" else served and now["zone"] == up["zone"]
        assert reached if job["outcome"] == "done" else kept, (said, job, now)
        assert job["outcome"] in {"done", "undone"}, (said, job)
    if await world.serves(name):
        back = await world.ended(await world.deprovision(name))
        assert back["outcome"] == "done", back
    assert await world.picture() == down


@pytest.mark.parametrize("number", range(1, QUESTIONS_BACK))
async def test_an_agent_killed_while_it_takes_everything_back_goes_on_with_that(
    world: ProvisioningWorld, number: int
) -> None:
    name, hit = f"back-{number}.{ZONE}", Hit.KILL_AFTER if number % 2 else Hit.KILL
    before = await world.picture()
    chance = Chance(world, number, hit, goes_back=name)
    stopped = asyncio.Event()

    async def stop() -> None:
        await world.docker.stop(world.container)
        stopped.set()

    # Not before: without its container nothing is begun.
    once_at(world, name, "https_health", stop)
    job_id = await world.provision(name, certificate="dns_01")
    try:
        await asyncio.wait_for(stopped.wait(), 60)
        world.set_gate(chance.gate)
        job = await chance.happen(job_id)
        assert job["outcome"] == "undone", job
        assert chance.reached.is_set()
    finally:
        world.open_gates()
        await world.docker.start(world.container)
    assert await world.picture() == before
    await wait_until(lambda: _runs(world), what="the container to run again")


async def _runs(world: ProvisioningWorld) -> bool:
    _, found = await world.ask("GET", f"/containers/{world.container}")
    return bool(found["state"] == "running")
