"""What a person is told when a certificate is not to be had, and that nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.acme_front import (
    CHALLENGE,
    FINALIZE,
    NEW_NONCE,
    NEW_ORDER,
    AcmeFront,
    acme_front,
)
from tests.harness.knot import Knot
from tests.harness.pebble import PebbleOptions
from tests.lab.renewal_world import ZONE, RenewalWorld

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

FORBIDDEN = f"forbidden.{ZONE}"
RETRY_AFTER_S = 7200
ENDS_WITHIN_S, ANSWERS_WITHIN_S = 25, 20
"""Before the agent gives up what it asked the authority."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RenewalWorld]:
    folder: Path = tmp_path_factory.mktemp("renewal")
    options = PebbleOptions(refused_domains=(FORBIDDEN,))
    async with RenewalWorld(folder, options) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def front(world: RenewalWorld) -> AsyncIterator[AcmeFront]:
    async with acme_front(world.pebble.port, world.pebble.folder) as front:
        await world.set_account(front.directory)
        yield front


async def failed(world: RenewalWorld, key: str, answer: tuple[int, Any]) -> dict[str, Any]:
    """Return why a certificate failed; nothing of it may be left in the DNS."""
    status, problem = answer
    assert status >= 400, problem
    found = await world.certificate(key)
    assert found["failure"] is not None, found
    assert found["state"] == "none"
    assert problem["hint"] == found["failure"]["what_to_do"]
    assert datetime.fromisoformat(found["failure"]["next_try_at"]) > datetime.now(UTC)
    assert await world.txt_left() == []
    why: dict[str, Any] = found["failure"]
    return why


async def test_a_name_that_the_authority_refuses_is_told_in_its_words(world: RenewalWorld) -> None:
    await world.set_account(world.pebble.directory)
    why = await failed(world, FORBIDDEN, await world.issue(FORBIDDEN))
    assert why["step"] == "order"
    assert "policy" in why["authority_says"].lower()
    assert "name" in why["what_to_do"]


async def test_an_authority_that_is_down_is_told_and_tried_again(world: RenewalWorld) -> None:
    await world.set_account(world.pebble.directory)
    await world.pebble.stop()
    answer = await world.issue(f"down.{ZONE}")
    why = await failed(world, f"down.{ZONE}", answer)
    assert answer[1]["code"] == "unavailable"
    assert why["step"] == "account"
    assert "cannot be reached" in why["message"]
    await world.pebble.start()
    await world.renew(f"down.{ZONE}")
    assert (await world.certificate(f"down.{ZONE}"))["state"] == "valid"


async def test_an_authority_that_goes_away_midway_is_gone_on_with_the_same_order(
    world: RenewalWorld, front: AcmeFront
) -> None:
    key = f"midway.{ZONE}"
    front.cut(CHALLENGE)
    why = await failed(world, key, await world.issue(key))
    assert why["step"] == "validation"
    front.work()
    front.cut(FINALIZE)
    status, _ = await world.ask("POST", f"/managed-certificates/{key}/renew", {"wait_s": 60})
    assert status >= 500
    assert (await world.certificate(key))["failure"]["attempts"] == 2
    front.work()
    await world.renew(key)
    found = await world.certificate(key)
    assert (found["state"], found["failure"]) == ("valid", None)
    assert front.counted[NEW_ORDER] == 1


async def test_who_is_rate_limited_waits_for_as_long_as_it_was_told(
    world: RenewalWorld, front: AcmeFront
) -> None:
    key, says = f"limited.{ZONE}", "too many certificates (5) already issued for this set of names"
    front.refuse(NEW_ORDER, "rateLimited", says, status=429, retry_after=str(RETRY_AFTER_S))
    why = await failed(world, key, await world.issue(key))
    assert why["authority_says"] == says
    waits = datetime.fromisoformat(why["next_try_at"]) - datetime.fromisoformat(why["at"])
    assert waits >= timedelta(seconds=RETRY_AFTER_S)


async def test_an_authority_that_answers_rubbish_is_no_mistake_of_the_agent(
    world: RenewalWorld, front: AcmeFront
) -> None:
    for number, body in enumerate(("<html>Bad gateway</html>", {"status": "what?"})):
        key = f"rubbish{number}.{ZONE}"
        front.answer(NEW_ORDER, 502 if number == 0 else 201, body)
        why = await failed(world, key, await world.issue(key))
        assert "not understood" in why["message"]


async def test_a_wrong_clock_is_named_before_anything_is_ordered(
    world: RenewalWorld, front: AcmeFront
) -> None:
    front.date = "Sat, 01 Feb 2025 10:00:00 GMT"
    why = await failed(world, f"clock.{ZONE}", await world.issue(f"clock.{ZONE}"))
    assert "The clock of this machine is off by" in why["message"]
    assert front.counted[NEW_ORDER] == 0


async def test_an_authority_that_hangs_holds_up_nobody_and_no_end_of_the_agent(
    world: RenewalWorld, front: AcmeFront
) -> None:
    key = f"hangs.{ZONE}"
    hold = front.hold(NEW_NONCE, after=False)
    status, _ = await world.issue(key, wait_s=0)
    assert status == 202
    await asyncio.wait_for(hold.reached.wait(), 60)
    begun = monotonic()
    assert (await world.certificate(key))["state"] == "issuing"
    assert monotonic() - begun < ANSWERS_WITHIN_S
    begun = monotonic()
    await world.agent.stop()
    assert monotonic() - begun < ENDS_WITHIN_S
    hold.go_on.set()
    await world.agent.start()
    await world.until_state(key, "valid")
    assert await world.txt_left() == []


async def test_a_name_server_that_is_away_is_told_and_nothing_stays_there(
    world: RenewalWorld,
) -> None:
    await world.set_account(world.pebble.directory)
    key = f"nodns.{ZONE}"
    await world.knot.primary.stop()
    status, problem = await world.issue(key)
    await world.knot.primary.start()
    assert status >= 400, problem
    why = (await world.certificate(key))["failure"]
    assert why["step"] == "challenge"
    await world.renew(key)
    assert (await world.certificate(key))["state"] == "valid"
    assert await world.txt_left() == []


async def test_a_zone_that_the_world_sees_otherwise_fails_with_the_authoritys_words(
    tmp_path: Path,
) -> None:
    key = f"split.{ZONE}"
    seen = Knot({ZONE: "_acme-challenge.split 60 TXT an-old-proof"}, second=False)
    async with seen, RenewalWorld(tmp_path, asks=seen.primary.server) as world:
        why = await failed(world, key, await world.issue(key))
    assert why["step"] == "validation"
    assert key in why["authority_says"]
    assert "name servers" in why["what_to_do"]


async def test_the_clock_of_the_machine_itself_years_ahead(tmp_path: Path) -> None:
    settings = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME": "+400d"}
    prefix = ("env", "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
    async with RenewalWorld(tmp_path, settings=settings, prefix=prefix) as world:
        status, problem = await world.issue(f"future.{ZONE}")
    assert status >= 400
    assert "The clock of this machine is off by" in problem["detail"]
    assert "400 days" in problem["detail"]
