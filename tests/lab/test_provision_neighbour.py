"""Another person's site behind the same Caddy answers all the time while domains come and go."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientError

from tests.harness.caddy import NEIGHBOUR, NEIGHBOUR_SAYS
from tests.lab.provisioning_world import ZONE, ProvisioningWorld, provisioning_world

ROUNDS = int(os.environ.get("HOMELAB_NEIGHBOUR_ROUNDS", "10"))
PAUSE_S = 0.02
_ROUND_S = 40

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(120 + ROUNDS * _ROUND_S),
]


class Visitor:
    """Somebody who looks at the neighbour's site again and again, each time anew."""

    def __init__(self, world: ProvisioningWorld) -> None:
        self.asked = 0
        self.lost: list[str] = []
        self._caddy = world.caddy

    async def visit(self) -> None:
        """Ask until cancelled."""
        while True:
            self.asked += 1
            try:
                answer = await self._caddy.get(NEIGHBOUR)
            except (ClientError, OSError, TimeoutError) as error:
                self.lost.append(repr(error))
            else:
                if answer.status != 200 or NEIGHBOUR_SAYS not in answer.text:
                    self.lost.append(f"{answer.status} {answer.text[:100]}")
            await asyncio.sleep(PAUSE_S)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProvisioningWorld]:
    async with provisioning_world(tmp_path_factory.mktemp("world")) as made:
        yield made


async def test_the_neighbours_site_loses_no_request_while_domains_come_and_go(
    world: ProvisioningWorld,
) -> None:
    visitor = Visitor(world)
    before = await world.picture()
    visiting = asyncio.create_task(visitor.visit())
    try:
        for number in range(ROUNDS):
            # The ways with and without a certificate of the agent's take turns.
            way = ("caddy", "dns_01")[number % 2]
            name = f"round-{number % 4}.{ZONE}"
            up = await world.ended(await world.provision(name, certificate=way))
            assert up["outcome"] == "done", up
            down = await world.ended(await world.deprovision(name))
            assert down["outcome"] == "done", down
    finally:
        visiting.cancel()
        await asyncio.gather(visiting, return_exceptions=True)
    print(  # noqa: T201
        f"\n{ROUNDS} rounds, {visitor.asked} requests to the neighbour, {len(visitor.lost)} lost"
    )
    assert visitor.lost == []
    assert visitor.asked > ROUNDS
    assert await world.picture() == before
