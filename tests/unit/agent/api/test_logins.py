import asyncio
from collections.abc import AsyncIterator

import pytest

from homelab_agent.api.login_throttle import MAX_WAITERS_PER_PEER, LoginThrottle
from homelab_agent.api.rate_limit import MAX_CALLERS, RateLimit
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.errors import RateLimited
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import activity
from homelab_agent.platform.tokens import Tokens
from tests.unit.agent.api.conftest import Door, Doors


class HandTime:
    """Seconds that a test owns, and sleeps that end when it says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.wake = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.wake.wait()


@pytest.fixture
async def time() -> AsyncIterator[HandTime]:
    time = HandTime()
    yield time
    time.wake.set()


@pytest.mark.parametrize(
    "token", ["hl_00000000_" + "x" * 43, "x", "hl_", "ü" * 10, "x" * 5000, " "]
)
async def test_a_wrong_token_is_refused(door: Door, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    answer = await door.ask("/api/v1/try", token="", headers=headers)
    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path", ["/api/v1/try", "/api/v1/openapi.json", "/api/v1/stream", "/metrics"]
)
async def test_nothing_but_the_open_is_told_without_a_token(door: Door, path: str) -> None:
    assert (await door.ask(path, token="")).status == 401
    headers = {"Authorization": "Basic YTpi"}
    assert (await door.ask(path, token="", headers=headers)).status == 401
    assert (await door.ask("/api/v1/try/open", token="")).status == 200


async def test_a_token_that_may_only_read_cannot_command(door: Door, tokens: Tokens) -> None:
    reader = await tokens.create("reader", Scope.READ)
    assert (await door.ask("/api/v1/try", token=reader)).json["caller"] == "reader"
    answer = await door.ask("/api/v1/done", method="POST", token=reader)
    assert (answer.status, answer.json["code"]) == (403, "denied")
    # What it sends is not even looked at.
    answer = await door.ask("/api/v1/need", method="POST", token=reader, data=b"{")
    assert answer.status == 403
    assert (await door.ask("/api/v1/try/box", method="DELETE")).status == 403


async def test_every_refusal_can_be_read_afterwards(door: Door, store: Store) -> None:
    await door.ask("/api/v1/try", token="")
    async with store.read() as connection:
        row = (await connection.execute(activity.select())).one()
    assert (row.action, row.outcome, row.code) == ("try.list", "refused", "unauthenticated")


async def test_what_is_protected_is_refused_and_says_why(door: Door, tokens: Tokens) -> None:
    async def protect(name: str) -> str | None:
        return "It holds up the roof." if name == "pillar" else None

    door.gate.protect("thing", protect)
    admin = await tokens.create("boss", Scope.ADMIN)
    answer = await door.ask("/api/v1/try/pillar", method="DELETE", token=admin)
    assert (answer.status, answer.json["code"]) == (409, "protected")
    assert answer.json["detail"] == "It holds up the roof."
    assert (await door.ask("/api/v1/try/chair", method="DELETE", token=admin)).status == 200


async def test_guessing_gets_slow_after_five_and_a_good_token_stays_fast(
    doors: Doors, time: HandTime
) -> None:
    door = await doors.open(throttle=LoginThrottle(clock=time, sleep=time.sleep))
    for _ in range(5):
        assert (await door.ask("/api/v1/try", token="wrong")).status == 401
    assert time.slept == []
    sixth = asyncio.ensure_future(door.ask("/api/v1/try", token="wrong"))
    assert (await door.ask("/api/v1/try")).status == 200
    assert not sixth.done()
    time.wake.set()
    assert (await sixth).status == 401
    for _ in range(6):
        await door.ask("/api/v1/try", token="wrong")
    assert time.slept == [1, 2, 3, 4, 5, 5, 5]


async def test_a_peer_is_forgiven_after_a_while(time: HandTime) -> None:
    throttle = LoginThrottle(clock=time, sleep=time.sleep)
    for _ in range(5):
        await throttle.failed("peer")
    time.now += 901
    await throttle.failed("peer")
    assert time.slept == []


async def test_answers_that_are_held_back_cannot_fill_the_agent(time: HandTime) -> None:
    throttle = LoginThrottle(clock=time, sleep=time.sleep)
    for _ in range(5):
        await throttle.failed("peer")
    async with asyncio.TaskGroup() as group:
        for _ in range(MAX_WAITERS_PER_PEER):
            group.create_task(throttle.failed("peer"))
        await asyncio.sleep(0)
        with pytest.raises(RateLimited) as refused:
            await throttle.failed("peer")
        assert refused.value.retry_after_s == 5
        await throttle.failed("another peer")
        time.wake.set()


async def test_peers_without_end_are_not_remembered_without_end(time: HandTime) -> None:
    throttle = LoginThrottle(clock=time, sleep=time.sleep)
    for number in range(5000):
        await throttle.failed(f"peer {number}")
    assert len(throttle._peers) == 4096


async def test_too_many_requests_are_told_when_to_come_again(
    doors: Doors, tokens: Tokens, time: HandTime
) -> None:
    door = await doors.open(limit=RateLimit(per_s=0.5, burst=3, clock=time))
    for _ in range(3):
        assert (await door.ask("/api/v1/try")).status == 200
    answer = await door.ask("/api/v1/try")
    assert (answer.status, answer.json["code"]) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == "2"
    other = await tokens.create("other", Scope.READ)
    assert (await door.ask("/api/v1/try", token=other)).status == 200
    time.now += 2
    assert (await door.ask("/api/v1/try")).status == 200
    assert (await door.ask("/api/v1/try")).status == 429


async def test_strangers_are_counted_together(doors: Doors, time: HandTime) -> None:
    door = await doors.open(limit=RateLimit(per_s=1, burst=2, clock=time))
    await door.ask("/api/v1/try/open", token="")
    await door.ask("/api/v1/try", token="wrong")
    assert (await door.ask("/api/v1/try/open", token="")).status == 429
    assert (await door.ask("/api/v1/try")).status == 200


def test_callers_without_end_are_not_remembered_without_end() -> None:
    limit = RateLimit()
    for number in range(MAX_CALLERS + 10):
        limit.take(str(number))
    assert len(limit._buckets) == MAX_CALLERS
