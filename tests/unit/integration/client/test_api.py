"""Requests: what comes back typed, and what every refusal turns into."""

import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest

from custom_components.homelab.client import (
    AgentClient,
    AgentError,
    Busy,
    CannotConnect,
    CommandBody,
    Conflict,
    ContainerCommand,
    ContainerHealth,
    ContainerQuery,
    ContainerState,
    Denied,
    Endpoint,
    Failed,
    Invalid,
    KillBody,
    LogsQuery,
    NoAnswer,
    NotAnAgent,
    NotFound,
    Outcome,
    Protected,
    RateLimited,
    StopBody,
    TimedOut,
    Unauthenticated,
    Unavailable,
)
from tests.fakes import wire
from tests.fakes.agent_server import Answer, FakeAgent


async def test_who_the_agent_is_comes_typed(client: AgentClient) -> None:
    info = await client.info()
    assert (info.instance_id, info.name, info.demo) == ("5f1a2b3c", "atlas", False)
    assert info.started_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


async def test_containers_come_typed(client: AgentClient) -> None:
    (container,) = await client.containers()
    assert container.state is ContainerState.RUNNING
    assert container.health is ContainerHealth.HEALTHY
    assert container.ports[0].host_port == 8080
    assert container == await client.container("web")


async def test_one_container_that_makes_no_sense_does_not_cost_the_list(
    client: AgentClient, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    agent.put("container", "odd", wire.container("odd", restart_count="many"))
    assert [container.name for container in await client.containers()] == ["web"]
    assert "restart_count" in caplog.text
    with pytest.raises(NotAnAgent):
        await client.container("odd")


async def test_a_filter_reaches_the_agent(client: AgentClient, agent: FakeAgent) -> None:
    await client.containers(ContainerQuery(state=ContainerState.EXITED, project="media"))
    assert agent.seen[-1].query == {"state": "exited", "project": "media"}


async def test_logs_are_read_with_their_window(client: AgentClient, agent: FakeAgent) -> None:
    since = datetime(2026, 11, 21, 6, tzinfo=UTC)
    logs = await client.logs("web", LogsQuery(tail=5, since=since, search="Oops & co"))
    assert [line.text for line in logs.lines] == ["ready", "odd"]
    assert logs.truncated
    assert agent.seen[-1].query == {
        "tail": "5",
        "since": "2026-11-21T06:00:00+00:00",
        "stream": "both",
        "search": "Oops & co",
    }


async def test_a_key_with_colons_and_slashes_stays_one_part_of_the_path(
    client: AgentClient, agent: FakeAgent
) -> None:
    agent.put("container", "media:web:1", wire.container("web", key="media:web:1"))
    assert (await client.container("media:web:1")).key == "media:web:1"
    with pytest.raises(NotFound):
        await client.container("../info")


@pytest.mark.parametrize(
    ("command", "body", "sent"),
    [
        (ContainerCommand.STOP, None, {"wait_s": 30}),
        (ContainerCommand.STOP, StopBody(wait_s=5, timeout_s=3), {"wait_s": 5, "timeout_s": 3}),
        (ContainerCommand.KILL, KillBody(signal="SIGHUP"), {"wait_s": 30, "signal": "SIGHUP"}),
    ],
)
async def test_a_command_tells_the_agent_what_was_asked_for(
    client: AgentClient,
    agent: FakeAgent,
    command: ContainerCommand,
    body: CommandBody | None,
    sent: dict[str, object],
) -> None:
    result = await client.command("web", command, body)
    assert result.outcome is Outcome.DONE
    assert agent.seen[-1].body == sent


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "unauthenticated", Unauthenticated),
        (403, "denied", Denied),
        (404, "not_found", NotFound),
        (409, "conflict", Conflict),
        (409, "protected", Protected),
        (409, "busy", Busy),
        (422, "invalid", Invalid),
        (429, "rate_limited", RateLimited),
        (500, "internal", AgentError),
        (502, "failed", Failed),
        (503, "unavailable", Unavailable),
        (504, "timed_out", TimedOut),
    ],
)
async def test_each_refusal_is_an_error_one_can_act_on(
    client: AgentClient, agent: FakeAgent, status: int, code: str, error: type[AgentError]
) -> None:
    document = wire.problem(status, code, "So it is.", hint="Do this.", field="x", job_id="j1")
    agent.answers["GET /info"] = Answer(document, status)
    with pytest.raises(AgentError) as caught:
        await client.info()
    assert type(caught.value) is error
    assert (caught.value.message, caught.value.hint) == ("So it is.", "Do this.")
    assert (caught.value.field, caught.value.extra) == ("x", {"job_id": "j1"})


async def test_a_refusal_that_only_a_newer_agent_knows_is_told_by_its_status(
    client: AgentClient, agent: FakeAgent
) -> None:
    agent.answers["GET /info"] = Answer(wire.problem(409, "quota_used_up", "No more."), 409)
    with pytest.raises(Conflict, match=r"No more\.") as caught:
        await client.info()
    assert caught.value.code == "quota_used_up"


async def test_a_request_for_a_pause_says_how_long(client: AgentClient, agent: FakeAgent) -> None:
    document = wire.problem(429, "rate_limited", "Slowly.")
    agent.answers["GET /info"] = Answer(document, 429, {"Retry-After": "7"})
    with pytest.raises(RateLimited) as caught:
        await client.info()
    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize(
    "answer",
    [
        Answer("<html>router login</html>"),
        Answer("<html>not here</html>", 404),
        Answer("<html>bad gateway</html>", 502),
        Answer("", 302, {"Location": "/login"}),
        Answer({"unexpected": True}),
        Answer("[]"),
        Answer(wire.info(started_at="yesterday")),
        Answer(wire.info(started_at="2026-11-21T08:00:00")),
        Answer(wire.info(demo="no")),
        Answer("\x00\xff"),
    ],
)
async def test_whatever_is_no_agent_is_told_apart(
    client: AgentClient, agent: FakeAgent, answer: Answer
) -> None:
    agent.answers["GET /info"] = answer
    with pytest.raises(NotAnAgent):
        await client.info()


@pytest.mark.parametrize(
    ("status", "error"), [(401, Unauthenticated), (403, Denied), (503, Unavailable)]
)
async def test_a_proxy_in_between_that_refuses_is_understood(
    client: AgentClient, agent: FakeAgent, status: int, error: type[AgentError]
) -> None:
    agent.answers["GET /info"] = Answer("<html>no</html>", status)
    with pytest.raises(error):
        await client.info()


async def test_the_token_is_not_sent_where_a_redirect_points(
    client: AgentClient, agent: FakeAgent
) -> None:
    agent.answers["GET /info"] = Answer("", 307, {"Location": "/api/v1/elsewhere"})
    with pytest.raises(NotAnAgent):
        await client.info()
    assert agent.count("GET", "/elsewhere") == 0


async def test_a_failing_restart_is_sent_once_only(client: AgentClient, agent: FakeAgent) -> None:
    path = "/containers/web/restart"
    agent.answers[f"POST {path}"] = Answer(wire.problem(500, "internal", "Broken."), 500)
    with pytest.raises(AgentError):
        await client.command("web", ContainerCommand.RESTART)
    assert agent.count("POST", path) == 1


async def test_an_agent_that_never_answers_is_given_up(
    client: AgentClient, agent: FakeAgent
) -> None:
    agent.hangs.add("GET /info")
    with pytest.raises(NoAnswer):
        await client.transport.request("GET", "info", timeout_s=0.05)


async def test_an_agent_that_is_not_there_cannot_be_reached(
    client: AgentClient, agent: FakeAgent
) -> None:
    await agent.stop()
    with pytest.raises(CannotConnect):
        await client.info()
    with pytest.raises(CannotConnect):
        await client.hello()


async def test_a_field_of_a_newer_agent_does_no_harm(client: AgentClient, agent: FakeAgent) -> None:
    agent.put_container("web", mood="good", state="hibernating", health="bored")
    container = await client.container("web")
    assert container.state is ContainerState.UNKNOWN
    assert container.health is ContainerHealth.UNKNOWN


async def test_a_field_that_an_older_agent_lacks_has_its_default(
    client: AgentClient, agent: FakeAgent
) -> None:
    agent.answers["POST /containers/web/stop"] = Answer({"outcome": None, "message": "Going on."})
    result = await client.command("web", ContainerCommand.STOP)
    assert (result.outcome, result.job) == (None, None)


async def test_progress_of_a_job_is_a_number_even_where_json_has_an_integer(
    client: AgentClient, agent: FakeAgent
) -> None:
    job = {
        "id": "j1",
        "kind": "container.stop",
        "target": "web",
        "caller": "test",
        "state": "running",
        "steps": [{"name": "stop", "state": "doing"}],
        "progress": 0,
        "created_at": wire.BEGINNING,
    }
    answer = Answer({"outcome": None, "message": "Going on.", "job": job}, 202)
    agent.answers["POST /containers/web/stop"] = answer
    result = await client.command("web", ContainerCommand.STOP)
    assert result.job is not None
    assert result.job.progress == 0.0
    agent.answers["POST /containers/web/stop"] = Answer(
        {"outcome": None, "message": "", "job": job | {"progress": "half"}}, 202
    )
    with pytest.raises(NotAnAgent, match=r"job: progress: expected a number"):
        await client.command("web", ContainerCommand.STOP)


async def test_without_a_token_nothing_is_claimed(
    session: aiohttp.ClientSession, agent: FakeAgent
) -> None:
    client = AgentClient(session, Endpoint(host="127.0.0.1", port=agent.port), None)
    with pytest.raises(Unauthenticated):
        await client.info()


@pytest.mark.usefixtures("_sockets")
async def test_a_port_of_something_else_is_told_apart(session: aiohttp.ClientSession) -> None:
    async def ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_10.0\r\n\r\n")
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(ssh, "127.0.0.1", 0)
    async with server:
        endpoint = Endpoint(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        with pytest.raises(NotAnAgent):
            await AgentClient(session, endpoint, "token").info()
