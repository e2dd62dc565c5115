"""The stream: always the agent's present state, whatever happens in between."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from custom_components.homelab.client import (
    AgentClient,
    AgentError,
    AgentTooNew,
    AgentTooOld,
    Backoff,
    CannotConnect,
    Change,
    Container,
    ContainerState,
    NotAnAgent,
    OtherAgent,
    RateLimited,
    Resource,
    StreamClient,
    Unauthenticated,
)
from custom_components.homelab.client.kinds import KINDS
from tests.fakes import wire
from tests.fakes.agent_server import Answer, FakeAgent

FAST = Backoff(first_s=0.01, longest_s=0.05, settled_s=3600)
DEADLINE_S = 30


class Mirror:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.resources: dict[tuple[str, str], Resource] = {}
        self.snapshots = 0
        self.continued: list[bool] = []
        self.losses: list[AgentError] = []
        self.follow: Callable[[Collection[str]], None] = lambda _kinds: None
        self._changed = asyncio.Event()

    def on_snapshot(self, resources: Sequence[Change], *, continued: bool) -> None:
        self.resources = {(c.kind, c.key): c.data for c in resources if c.data}
        self.snapshots += 1
        self.continued.append(continued)
        self._changed.set()

    def on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.data is None:
                self.resources.pop((change.kind, change.key), None)
            else:
                self.resources[change.kind, change.key] = change.data
        self._changed.set()

    def on_lost(self, error: AgentError) -> None:
        self.losses.append(error)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the mirror shows something."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def state(self, key: str = "web") -> ContainerState | None:
        """Return the state of a container as mirrored."""
        found = self.resources.get(("container", key))
        return found.state if isinstance(found, Container) else None

    async def loses(self, kind: type[AgentError]) -> None:
        """Wait until a loss of that kind was told."""
        await self.until(lambda: any(type(error) is kind for error in self.losses))


@asynccontextmanager
async def following(
    client: AgentClient, *, backoff: Backoff = FAST, instance_id: str | None = None
) -> AsyncGenerator[Mirror]:
    """Follow an agent for the length of the context."""
    mirror = Mirror()
    stream = StreamClient(client.transport, mirror, backoff=backoff, instance_id=instance_id)
    mirror.follow = stream.follow
    task = asyncio.create_task(stream.run())
    try:
        yield mirror
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_change_arrives_by_itself(client: AgentClient, agent: FakeAgent) -> None:
    async with following(client) as mirror:
        await mirror.until(lambda: mirror.state() is ContainerState.RUNNING)
        agent.change_container("web", state="exited", exit_code=137)
        await mirror.until(lambda: mirror.state() is ContainerState.EXITED)
        agent.put_container("db")
        await mirror.until(lambda: mirror.state("db") is not None)
        agent.remove("container", "db")
        await mirror.until(lambda: mirror.state("db") is None)
    assert mirror.snapshots == 1


async def test_only_what_is_shown_is_asked_for(client: AgentClient, agent: FakeAgent) -> None:
    async with following(client) as mirror:
        await mirror.until(lambda: mirror.snapshots == 1)
    assert set(agent.subscriptions[0]["kinds"]) == {kind.name for kind in KINDS}


ALL_KINDS = {kind.name for kind in KINDS}


async def test_fewer_kinds_are_no_loss_and_miss_nothing(
    client: AgentClient, agent: FakeAgent
) -> None:
    async with following(client) as mirror:
        await mirror.until(lambda: mirror.snapshots == 1)
        mirror.follow(ALL_KINDS - {"container_stats"})
        # Asked twice in one turn: the second is what counts.
        mirror.follow(ALL_KINDS - {"container_stats", "engine_stats"})
        agent.change_container("web", state="paused")
        await mirror.until(lambda: mirror.state() is ContainerState.PAUSED)
        await mirror.until(lambda: len(agent.subscriptions) == 2)
    assert set(agent.subscriptions[1]["kinds"]) == ALL_KINDS - {"container_stats", "engine_stats"}
    assert agent.subscriptions[1]["resume"] is not None
    assert (mirror.snapshots, mirror.losses) == (1, [])


async def test_a_kind_that_is_wanted_again_is_told_as_a_whole(
    client: AgentClient, agent: FakeAgent
) -> None:
    agent.put("container_stats", "web", wire.statistics())
    async with following(client) as mirror:
        await mirror.until(lambda: mirror.snapshots == 1)
        mirror.follow(ALL_KINDS - {"container_stats"})
        await mirror.until(lambda: len(agent.subscriptions) == 2)
        agent.change_container("web", state="paused")
        await mirror.until(lambda: mirror.state() is ContainerState.PAUSED)
        mirror.follow(ALL_KINDS)
        await mirror.until(lambda: mirror.snapshots == 2)
    assert ("container_stats", "web") in mirror.resources
    assert agent.subscriptions[2]["resume"] is None
    # The agent has run on: what differs between the two happened just now.
    assert mirror.continued == [False, True]
    assert mirror.losses == []


async def test_after_a_cut_what_was_missed_is_made_up_for(
    client: AgentClient, agent: FakeAgent
) -> None:
    async with following(client) as mirror:
        await mirror.until(lambda: mirror.state() is ContainerState.RUNNING)
        agent.cut()
        agent.change_container("web", state="paused")
        await mirror.until(lambda: mirror.state() is ContainerState.PAUSED)
    assert [type(error) for error in mirror.losses] == [CannotConnect]
    # The agent still knew what was missed: no second snapshot was needed.
    assert mirror.snapshots == 1
    assert agent.subscriptions[1]["resume"] == {"epoch": "1", "seq": 3}


async def test_after_a_restart_of_the_agent_nothing_old_is_left(
    client: AgentClient, agent: FakeAgent
) -> None:
    async with following(client) as mirror:
        await mirror.until(lambda: mirror.state() is not None)
        await agent.stop()
        await mirror.loses(CannotConnect)
        del agent.resources["container", "web"]
        await agent.start()
        await mirror.until(lambda: mirror.snapshots == 2)
    assert mirror.state() is None
    assert agent.subscriptions[1]["resume"] is None


async def test_a_client_that_was_too_slow_catches_up_without_showing_a_loss(
    client: AgentClient, agent: FakeAgent
) -> None:
    async with following(client, backoff=Backoff(settled_s=0)) as mirror:
        await mirror.until(lambda: agent.open_streams == 1)
        agent.change_container("web", state="dead")
        await agent.close_streams(4008)
        await mirror.until(lambda: mirror.state() is ContainerState.DEAD)
    assert mirror.losses == []


async def test_a_client_that_is_always_too_slow_says_so(
    client: AgentClient, agent: FakeAgent
) -> None:
    async def cut_off(socket: web.WebSocketResponse) -> None:
        await agent.greet(socket)
        await socket.receive()
        await socket.close(code=4008)

    agent.stream_script = cut_off
    async with following(client) as mirror:
        await mirror.until(lambda: len(mirror.losses) > 1)


async def test_a_refused_token_is_not_tried_again(client: AgentClient, agent: FakeAgent) -> None:
    agent.token = "another"
    mirror = Mirror()
    with pytest.raises(Unauthenticated):
        await StreamClient(client.transport, mirror, backoff=FAST).run()
    assert len(mirror.losses) == 1


async def test_a_revoked_token_ends_the_stream_for_good(
    client: AgentClient, agent: FakeAgent
) -> None:
    mirror = Mirror()
    stream = asyncio.create_task(StreamClient(client.transport, mirror, backoff=FAST).run())
    await mirror.until(lambda: agent.open_streams == 1 and mirror.snapshots == 1)
    await agent.close_streams(4001)
    with pytest.raises(Unauthenticated, match="revoked"):
        await stream


async def _say(socket: web.WebSocketResponse, text: str) -> None:
    await socket.send_str(text)
    await socket.receive()


GARBAGE: dict[str, Callable[[FakeAgent, web.WebSocketResponse], Awaitable[None]]] = {
    "no JSON": lambda _, socket: _say(socket, "hello there"),
    "no object": lambda _, socket: _say(socket, "[1]"),
    "no greeting": lambda _, socket: _say(socket, '{"type": "welcome"}'),
    "half a greeting": lambda _, socket: _say(socket, '{"type": "hello", "contract": 1}'),
}


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_a_stream_that_carries_garbage_heals_once_it_makes_sense(
    client: AgentClient, agent: FakeAgent, garbage: str
) -> None:
    agent.stream_script = lambda socket: GARBAGE[garbage](agent, socket)
    async with following(client) as mirror:
        await mirror.loses(NotAnAgent)
        agent.stream_script = None
        await mirror.until(lambda: mirror.state() is ContainerState.RUNNING)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "snapshot", "seq": 1},
        {"type": "snapshot", "seq": 1, "resources": {}},
        {
            "type": "snapshot",
            "seq": 1,
            "resources": [{"kind": "engine", "key": "docker", "data": {"key": "web"}}],
        },
    ],
)
async def test_a_resource_that_makes_no_sense_is_not_shown(
    client: AgentClient, agent: FakeAgent, message: wire.Json
) -> None:
    async def lie(socket: web.WebSocketResponse) -> None:
        await agent.greet(socket)
        await socket.receive()
        await socket.send_json(message)
        await socket.receive()

    agent.stream_script = lie
    async with following(client) as mirror:
        await mirror.loses(NotAnAgent)
        assert mirror.resources == {}
        agent.stream_script = None
        await mirror.until(lambda: mirror.snapshots == 1)


@pytest.mark.parametrize(
    "odd",
    [{"exit_code": 1e300}, {"created_at": "someday"}, {"labels": None}, {"ports": [{"a": 1}]}],
)
async def test_one_container_that_makes_no_sense_does_not_cost_the_others(
    client: AgentClient, agent: FakeAgent, caplog: pytest.LogCaptureFixture, odd: wire.Json
) -> None:
    agent.put("container", "odd", wire.container("odd", **odd))
    agent.put_container("db")
    async with following(client) as mirror:
        await mirror.until(lambda: mirror.snapshots == 1)
        assert (mirror.state(), mirror.state("db")) == (ContainerState.RUNNING,) * 2
        assert mirror.state("odd") is None
        agent.put("container", "odd", wire.container("odd", **odd, image="another"))
        agent.put_container("odd")
        await mirror.until(lambda: mirror.state("odd") is ContainerState.RUNNING)
        # What is known of it is not true any more.
        agent.put("container", "odd", wire.container("odd", **odd))
        await mirror.until(lambda: mirror.state("odd") is None)
        assert mirror.losses == []
    # Said once, and once more after it had made sense.
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 2
    assert "container odd" in warnings[0]


async def test_what_only_a_newer_agent_says_is_passed_over(
    client: AgentClient, agent: FakeAgent
) -> None:
    async def chatty(socket: web.WebSocketResponse) -> None:
        await agent.greet(socket)
        await socket.receive()
        await socket.send_json({"type": "weather", "rain": True})
        await socket.send_json(agent.snapshot())
        await socket.send_json({"type": "weather", "rain": False})
        change = {"kind": "container", "key": "web", "data": wire.container(state="paused")}
        await socket.send_json({"type": "changes", "seq": 99, "changes": [change]})
        await socket.receive()

    agent.put("stack", "media", {"services": 3})
    agent.stream_script = chatty
    async with following(client) as mirror:
        await mirror.until(lambda: mirror.state() is ContainerState.PAUSED)
    assert ("stack", "media") not in mirror.resources
    assert mirror.losses == []


@pytest.mark.parametrize(
    ("hello", "error"),
    [
        ({"contract": 0, "oldest": 0}, AgentTooOld),
        ({"contract": 12, "oldest": 9}, AgentTooNew),
    ],
)
async def test_versions_that_do_not_fit_are_refused_in_words_and_heal_after_the_update(
    client: AgentClient, agent: FakeAgent, hello: wire.Json, error: type[AgentError]
) -> None:
    agent.hello = hello
    with pytest.raises(error, match=r"agent 0\.1\.0 is too (old|new)") as caught:
        await client.hello()
    assert caught.value.hint
    async with following(client) as mirror:
        await mirror.loses(error)
        agent.hello = {"contract": 2, "oldest": 1}
        await mirror.until(lambda: mirror.snapshots == 1)


async def test_another_agent_at_the_address_is_not_taken_for_this_one(
    client: AgentClient, agent: FakeAgent
) -> None:
    agent.info = wire.info(instance_id="somebody-else")
    async with following(client, instance_id="5f1a2b3c") as mirror:
        await mirror.loses(OtherAgent)
        assert mirror.resources == {}
        agent.info = wire.info()
        await mirror.until(lambda: mirror.snapshots == 1)


async def test_a_subscription_that_is_not_understood_is_an_error_not_a_silence(
    client: AgentClient, agent: FakeAgent
) -> None:
    async def refuse(socket: web.WebSocketResponse) -> None:
        await agent.greet(socket)
        await socket.receive()
        await socket.close(code=4002)

    agent.stream_script = refuse
    async with following(client) as mirror:
        await mirror.loses(NotAnAgent)


async def test_an_agent_that_hangs_up_after_its_greeting_is_a_loss(
    client: AgentClient, agent: FakeAgent
) -> None:
    async def hang_up(socket: web.WebSocketResponse) -> None:
        await agent.greet(socket)
        agent.cut()

    agent.stream_script = hang_up
    async with following(client) as mirror:
        await mirror.loses(CannotConnect)


async def test_a_stream_behind_something_that_knows_no_websockets_is_told_apart(
    client: AgentClient, agent: FakeAgent
) -> None:
    agent.answers["GET /stream"] = Answer("<html></html>", 404)
    with pytest.raises(NotAnAgent, match="404"):
        await client.hello()


async def test_a_request_for_a_pause_is_kept(client: AgentClient, agent: FakeAgent) -> None:
    agent.answers["GET /stream"] = Answer("", 429, {"Retry-After": "3600"})
    async with following(client) as mirror:
        await mirror.loses(RateLimited)
        agent.answers.clear()
        assert mirror.snapshots == 0
    assert mirror.losses[0].retry_after_s == 3600


async def test_a_pause_without_end_is_not_kept(client: AgentClient, agent: FakeAgent) -> None:
    agent.answers["GET /stream"] = Answer("", 429, {"Retry-After": "9" * 30})
    async with following(client, backoff=Backoff(longest_asked_s=0.01)) as mirror:
        await mirror.loses(RateLimited)
        agent.answers.clear()
        await mirror.until(lambda: mirror.snapshots == 1)


@pytest.mark.parametrize(
    ("failures", "wait_s"), [(1, 0), (2, 0.5), (3, 1), (4, 2), (8, 30), (5000, 30)]
)
def test_attempts_come_ever_more_slowly_up_to_a_limit(failures: int, wait_s: float) -> None:
    assert Backoff().wait_s(failures) == wait_s
