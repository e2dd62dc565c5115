"""The real client talks to the real agent: what each says is what the other understands."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from custom_components.homelab.client import (
    AgentClient,
    AgentError,
    Backoff,
    Change,
    Container,
    ContainerCommand,
    ContainerQuery,
    ContainerState,
    Denied,
    Endpoint,
    LogsQuery,
    NotFound,
    Outcome,
    Protected,
    StreamClient,
    Unauthenticated,
)
from tests.harness.agent import Agent

pytestmark = pytest.mark.asyncio(loop_scope="module")

CADDY = "edge:caddy:1"
PROTECTED = "edge:wireguard:1"
ARRIVES_WITHIN_S = 60


class Mirror:
    """Keeps what the stream tells."""

    def __init__(self) -> None:
        self.resources: dict[tuple[str, str], object] = {}
        self.losses: list[AgentError] = []
        self.snapshots = 0
        self._changed = asyncio.Event()

    def on_snapshot(self, resources: Sequence[Change], *, continued: bool) -> None:  # noqa: ARG002
        self.snapshots += 1
        self.resources = {(each.kind, each.key): each.data for each in resources}
        self._changed.set()

    def on_changes(self, changes: Sequence[Change]) -> None:
        for each in changes:
            self.resources[each.kind, each.key] = each.data
        self._changed.set()

    def on_lost(self, error: AgentError) -> None:
        self.losses.append(error)
        self._changed.set()

    def container(self, key: str) -> Container | None:
        found = self.resources.get(("container", key))
        return found if isinstance(found, Container) else None

    def container_keys(self) -> set[str]:
        return {key for kind, key in self.resources if kind == "container"}

    async def until(self, check: Callable[[], bool]) -> None:
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            while not check():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def mirrored(client: AgentClient) -> AsyncIterator[Mirror]:
    mirror = Mirror()
    stream = StreamClient(client.transport, mirror, backoff=Backoff(first_s=0.05, longest_s=0.2))
    following = asyncio.create_task(stream.run())
    try:
        await mirror.until(lambda: bool(mirror.snapshots or mirror.losses))
        yield mirror
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_the_stream_and_the_list_tell_of_the_same_containers(client: AgentClient) -> None:
    async with mirrored(client) as mirror:
        await mirror.until(lambda: mirror.container(CADDY) is not None)
        assert mirror.container_keys() == {each.key for each in await client.containers()}


async def test_a_command_is_done_when_it_is_answered_and_the_stream_tells_it(
    client: AgentClient,
) -> None:
    async with mirrored(client) as mirror:
        result = await client.command(CADDY, ContainerCommand.STOP)
        assert result.outcome is Outcome.DONE
        assert (await client.container(CADDY)).state is ContainerState.EXITED
        await mirror.until(lambda: _state(mirror) is ContainerState.EXITED)
        await client.command(CADDY, ContainerCommand.START)
        await mirror.until(lambda: _state(mirror) is ContainerState.RUNNING)


def _state(mirror: Mirror) -> ContainerState | None:
    container = mirror.container(CADDY)
    return container.state if container else None


async def test_a_command_that_changes_nothing_says_so(client: AgentClient) -> None:
    result = await client.command(CADDY, ContainerCommand.START)
    assert result.outcome is Outcome.NOT_NEEDED


async def test_containers_are_found_by_their_docker_name_and_by_state(client: AgentClient) -> None:
    caddy = await client.container(CADDY)
    assert (await client.container(caddy.name)).key == CADDY
    running = await client.containers(ContainerQuery(state=ContainerState.RUNNING))
    assert running
    assert all(each.state is ContainerState.RUNNING for each in running)


async def test_logs_have_no_more_lines_than_asked_for(client: AgentClient) -> None:
    logs = await client.logs(CADDY, LogsQuery(tail=3))
    assert len(logs.lines) == 3
    assert logs.truncated


async def test_an_unknown_container_is_named_in_the_answer(client: AgentClient) -> None:
    with pytest.raises(NotFound, match="no-such-thing"):
        await client.command("no-such-thing", ContainerCommand.STOP)


async def test_a_protected_container_goes_on_running(client: AgentClient) -> None:
    with pytest.raises(Protected) as refused:
        await client.command(PROTECTED, ContainerCommand.KILL)
    assert refused.value.message
    assert (await client.container(PROTECTED)).state is ContainerState.RUNNING


async def test_a_token_that_may_only_read_cannot_stop_anything(
    agent: Agent, session: ClientSession
) -> None:
    reader = AgentClient(
        session,
        Endpoint(host=agent.host, port=agent.port),
        await agent.create_token("reader", "read"),
    )
    with pytest.raises(Denied):
        await reader.command(CADDY, ContainerCommand.STOP)
    assert (await reader.container(CADDY)).state is ContainerState.RUNNING


async def test_a_revoked_token_ends_an_open_stream(agent: Agent, session: ClientSession) -> None:
    secret = await agent.create_token("leaver")
    leaver = AgentClient(session, Endpoint(host=agent.host, port=agent.port), secret)
    mirror = Mirror()
    following = asyncio.create_task(StreamClient(leaver.transport, mirror).run())
    await mirror.until(lambda: mirror.snapshots > 0)
    await agent.command("token", "revoke", "leaver")
    async with asyncio.timeout(120):  # it is noticed within 30 s
        with pytest.raises(Unauthenticated):
            await following


async def test_the_stream_is_right_again_after_the_agent_was_killed(
    client: AgentClient, agent: Agent
) -> None:
    async with mirrored(client) as mirror:
        before = mirror.snapshots
        await agent.kill()
        await agent.start()
        await mirror.until(lambda: mirror.snapshots > before)
        await mirror.until(lambda: mirror.container(CADDY) is not None)
        assert mirror.container_keys() == {each.key for each in await client.containers()}
