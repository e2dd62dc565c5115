"""The agent is killed at every step of getting a certificate: afterwards it is there, whole.

`pytest -s` prints the table.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.acme_front import (
    CERTIFICATE,
    CHALLENGE,
    FINALIZE,
    NEW_ACCOUNT,
    NEW_ORDER,
    AcmeFront,
    acme_front,
)
from tests.harness.waiting import wait_until
from tests.lab.renewal_world import ZONE, RenewalWorld

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

type Reach = Callable[["KillTable", str], Awaitable[None]]

REACHED_S, ENDED_S = 60, 120


class KillTable:
    """One world for all rows."""

    def __init__(self, world: RenewalWorld, front: AcmeFront) -> None:
        self.world = world
        self.front = front
        self.rows: list[str] = []

    async def begin(self, key: str) -> None:
        """Order, or renew, without waiting for it."""
        path = f"/managed-certificates/{key}/renew"
        status, _ = await self.world.ask("GET", f"/managed-certificates/{key}")
        if status == 200:
            await self.world.done("POST", path, {"wait_s": 0})
        else:
            await self.world.issue(key, wait_s=0)

    async def until_step(self, key: str, step: str) -> None:
        """Return as soon as the job is at a step."""

        async def there() -> bool:
            path = f"/jobs?state=running&target=certificate:{key}"
            jobs: list[dict[str, Any]] = (await self.world.done("GET", path))["jobs"]
            return any(
                each["name"] == step and each["state"] == "doing"
                for job in jobs
                for each in job["steps"]
            )

        await wait_until(there, what=f"{key} to be at {step}", within_s=REACHED_S)

    async def hit(self) -> None:
        """Kill the agent as a power cut would."""
        await self.world.agent.kill()


def at_request(path: str, *, after: bool) -> Reach:
    """Kill at a request to the authority: before it arrives, or with its answer on the way."""

    async def reach(table: KillTable, key: str) -> None:
        hold = table.front.hold(path, after=after)
        await table.begin(key)
        await asyncio.wait_for(hold.reached.wait(), REACHED_S)
        await table.hit()
        hold.go_on.set()

    return reach


async def while_writing_to_the_dns(table: KillTable, key: str) -> None:
    """Kill while the name server hangs: what was sent to it arrives later."""
    hold = table.front.hold(NEW_ORDER, after=True)
    await table.begin(key)
    await asyncio.wait_for(hold.reached.wait(), REACHED_S)
    table.world.knot.primary.pause()
    hold.go_on.set()
    await table.until_step(key, "challenge")
    await table.hit()
    table.world.knot.primary.resume()


async def while_waiting_for_the_second_server(table: KillTable, key: str) -> None:
    """Kill while one of the name servers is behind."""
    table.world.knot.transfers.hold()
    await table.begin(key)
    await table.until_step(key, "propagation")
    await table.hit()
    table.world.knot.transfers.release()


async def as_the_files_appear(table: KillTable, key: str) -> None:
    """Kill with the first file of the new version."""
    folder = table.world.certificates / key / ".versions"

    def versions() -> set[str]:
        return {each.name for each in folder.glob("[0-9]*")} if folder.exists() else set()

    before = await asyncio.to_thread(versions)
    await table.begin(key)

    async def appeared() -> bool:
        return await asyncio.to_thread(versions) != before

    await wait_until(appeared, what="a new version", within_s=REACHED_S)
    await table.hit()


ROWS: dict[str, Reach] = {
    "account, before": at_request(NEW_ACCOUNT, after=False),
    "account, after": at_request(NEW_ACCOUNT, after=True),
    "order, before": at_request(NEW_ORDER, after=False),
    "order, after": at_request(NEW_ORDER, after=True),
    "challenge, during": while_writing_to_the_dns,
    "propagation, during": while_waiting_for_the_second_server,
    "validation, before": at_request(CHALLENGE, after=False),
    "validation, after": at_request(CHALLENGE, after=True),
    "finalize, before": at_request(FINALIZE, after=False),
    "finalize, after": at_request(FINALIZE, after=True),
    "certificate, before": at_request(CERTIFICATE, after=False),
    "certificate, after": at_request(CERTIFICATE, after=True),
    "store, during": as_the_files_appear,
}
ORDERED_TWICE = frozenset({"order, after"})
"""The authority has made an order whose address never arrived: there is nothing to go on with."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def table(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KillTable]:
    folder: Path = tmp_path_factory.mktemp("renewal")
    async with (
        RenewalWorld(folder) as world,
        acme_front(world.pebble.port, world.pebble.folder) as front,
    ):
        await world.set_account(front.directory)
        table = KillTable(world, front)
        yield table
        print("\n" + "\n".join(table.rows))  # noqa: T201 - the table is what -s is for


@pytest.mark.parametrize("renewing", [False, True], ids=["first", "renewal"])
@pytest.mark.parametrize("row", ROWS)
async def test_killed_at_any_step_it_is_whole_afterwards(
    table: KillTable,
    row: str,
    renewing: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    world, key = table.world, f"{row.replace(', ', '-')}-{renewing:d}.{ZONE}".lower()
    before = None
    if renewing:
        # The renewal of another one Pebble refuses at first: it would be ordered twice.
        before = await world.issue_replaceable(key)
    ordered = table.front.counted[NEW_ORDER]
    await ROWS[row](table, key)
    if before is not None:
        # What serves it may be started again at just this moment.
        await world.require_fits(key)
    await world.agent.start()

    async def finished() -> bool:
        path = f"/jobs?state=running&target=certificate:{key}"
        return not (await world.done("GET", path))["jobs"]

    await wait_until(finished, what="the job to end", within_s=ENDED_S)
    after = await world.certificate(key)
    orders = table.front.counted[NEW_ORDER] - ordered
    left = await world.txt_left()
    name = f"{row} ({'renewal' if renewing else 'first'})"
    table.rows.append(f"{name:32} {after['state']:8} orders {orders}  left in the DNS {len(left)}")
    assert after["state"] == "valid", after
    assert before is None or after["serial"] != before["serial"]
    assert left == []
    assert orders == (2 if row in ORDERED_TWICE else 1)
    await world.require_fits(key)
