"""Asking for containers and telling them what to do: what the caller gets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homelab_agent.areas.containers.models import ContainerQuery, EngineConnection, LogsQuery
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.errors import (
    AgentError,
    Busy,
    Conflict,
    Denied,
    Failed,
    Invalid,
    NotFound,
    Protected,
    TimedOut,
    Unavailable,
)
from homelab_agent.platform.jobs.models import JobState
from tests.fakes.commanded import Commanded, commanded
from tests.fakes.docker_engine import FakeDocker, Fault, frame
from tests.fakes.socket_proxy import only_reads, socket_proxy, without

PERSON = Caller(name="person", scope=Scope.OPERATE)


@pytest.fixture
async def agent(docker: FakeDocker, tmp_path: Path) -> AsyncIterator[Commanded]:
    docker.add("web")
    docker.add("job", running=False)
    docker.add("vault")
    async with commanded(docker.url, tmp_path, listed=("vault",)) as made:
        await made.live.connected()
        yield made


async def test_a_command_answers_when_it_is_done_and_its_effect_is_published(
    agent: Commanded,
) -> None:
    for verb, state, words in (
        ("pause", ContainerState.PAUSED, "web was paused."),
        ("unpause", ContainerState.RUNNING, "web was unpaused."),
        ("restart", ContainerState.RUNNING, "web was restarted."),
        ("stop", ContainerState.EXITED, "web was stopped and ended with exit code 143."),
        ("start", ContainerState.RUNNING, "web was started."),
        ("kill", ContainerState.EXITED, "web was sent SIGKILL and ended with exit code 137."),
        ("restart", ContainerState.RUNNING, "web was restarted."),
    ):
        result = await agent.service.command(verb, "web", PERSON, wait_s=10)

        assert (result.outcome, result.message) == (Outcome.DONE, words)
        assert agent.live.shown("web").state is state
        assert result.job is not None
        assert (result.job.caller, result.job.target) == ("person", "web")


@pytest.mark.parametrize(
    ("verb", "name", "words"),
    [
        ("start", "web", "web is running."),
        ("stop", "job", "job is not running."),
        ("kill", "job", "job is not running."),
        ("unpause", "web", "web is not paused."),
    ],
)
async def test_what_is_so_already_is_not_needed_and_not_sent(
    docker: FakeDocker, agent: Commanded, verb: str, name: str, words: str
) -> None:
    # The probing for rights has called each verb once, on nobody.
    result = await agent.service.command(verb, name, PERSON, wait_s=10)

    assert (result.outcome, result.message) == (Outcome.NOT_NEEDED, words)
    assert docker.history == []


async def test_pausing_twice_is_not_needed(agent: Commanded) -> None:
    await agent.service.command("pause", "web", PERSON, wait_s=10)

    result = await agent.service.command("pause", "web", PERSON, wait_s=10)

    assert result.outcome is Outcome.NOT_NEEDED


@pytest.mark.parametrize(
    ("verb", "arguments", "error", "words"),
    [
        ("pause", {}, Conflict, "is not running"),
        ("unpause", {}, Conflict, "is not paused"),
        ("kill", {"signal": "SIGHUP"}, Conflict, "is not running"),
    ],
)
async def test_what_the_state_does_not_allow_is_a_conflict_in_words(
    agent: Commanded, verb: str, arguments: dict[str, str], error: type[AgentError], words: str
) -> None:
    with pytest.raises(error, match=words) as refused:
        await agent.service.command(verb, "job", PERSON, wait_s=10, **arguments)

    assert refused.value.extra["job_id"]


async def test_a_signal_that_does_not_exist_is_invalid(agent: Commanded) -> None:
    with pytest.raises(Invalid, match="invalid signal") as refused:
        await agent.service.command("kill", "web", PERSON, wait_s=10, signal="SIGFUN")

    assert refused.value.field == "signal"


async def test_a_restart_that_docker_fails_is_tried_once_and_the_job_is_named(
    docker: FakeDocker, agent: Commanded
) -> None:
    web = agent.live.shown("web").id
    docker.faults["POST .*/restart"] = Fault(500, '{"message": "port is already allocated"}')

    with pytest.raises(Failed, match="port is already allocated") as failed:
        await agent.service.command("restart", "web", PERSON, wait_s=10)

    assert docker.calls[f"POST containers/{web}/restart"] == 1
    job = await agent.runner.get(str(failed.value.extra["job_id"]))
    assert job.outcome is Outcome.FAILED
    assert "restart the container web" in failed.value.message


async def test_a_long_command_answers_in_time_and_goes_on(
    docker: FakeDocker, agent: Commanded
) -> None:
    docker.faults["POST .*/stop"] = Fault(hang=True)

    result = await agent.service.command("stop", "web", PERSON, wait_s=0, timeout_s=1)

    assert (result.outcome, result.message) == (None, "web is still being stopped.")
    assert result.job is not None
    assert result.job.state is JobState.RUNNING
    with pytest.raises(Busy) as busy:
        await agent.service.command("start", "web", PERSON, wait_s=10)
    assert busy.value.extra["job_id"] == result.job.id


async def test_a_command_whose_answer_is_lost_is_not_called_done(
    docker: FakeDocker, agent: Commanded
) -> None:
    docker.faults["POST .*/stop"] = Fault(cut=True)

    with pytest.raises(TimedOut, match="not known"):
        await agent.service.command("stop", "web", PERSON, wait_s=10, timeout_s=1)


async def test_a_command_is_done_even_when_its_effect_cannot_be_looked_at(
    docker: FakeDocker, agent: Commanded
) -> None:
    web = docker.containers[agent.live.shown("web").id]
    docker.faults["POST .*/pause"] = Fault(204, work_first=True)
    docker.fail_after[f"POST containers/{web.id}/pause"] = (
        f"GET containers/{web.id}/json",
        Fault(500, '{"message": "no"}'),
    )

    result = await agent.service.command("pause", "web", PERSON, wait_s=10)

    assert (result.outcome, result.message) == (Outcome.DONE, "web was paused.")


async def test_a_container_that_vanished_meanwhile_is_named(
    docker: FakeDocker, agent: Commanded
) -> None:
    del docker.containers[agent.live.shown("web").id]

    with pytest.raises(NotFound, match="web does not exist any more"):
        await agent.service.command("stop", "web", PERSON, wait_s=10)


async def test_an_unknown_container_is_named(agent: Commanded) -> None:
    with pytest.raises(NotFound, match="nextcloud"):
        agent.service.get("nextcloud")
    with pytest.raises(NotFound):
        await agent.service.command("stop", "nextcloud", PERSON, wait_s=10)
    with pytest.raises(NotFound):
        await agent.service.protected_reason("nextcloud")


async def test_a_protected_container_says_why_by_name_and_by_key(agent: Commanded) -> None:
    assert "`protect`" in str(await agent.service.protected_reason("vault"))
    assert await agent.service.protected_reason("web") is None


@pytest.mark.parametrize("verb", ["stop", "restart", "pause", "kill"])
async def test_a_container_that_became_protected_after_the_gate_looked_is_left_alone(
    docker: FakeDocker, agent: Commanded, verb: str
) -> None:
    vault = docker.containers[agent.live.shown("vault").id]

    with pytest.raises(Protected, match="`protect`") as refused:
        await agent.service.command(verb, "vault", PERSON, wait_s=10)

    assert refused.value.extra["job_id"]
    assert docker.calls[f"POST containers/{vault.id}/{verb}"] == 0


async def test_a_protected_container_may_be_started_and_thawed(
    docker: FakeDocker, agent: Commanded
) -> None:
    vault = docker.containers[agent.live.shown("vault").id]
    docker.end(vault, 0)
    assert (await agent.service.command("start", "vault", PERSON, wait_s=10)).outcome
    docker.change(vault, "pause")
    assert (await agent.service.command("unpause", "vault", PERSON, wait_s=10)).outcome
    assert vault.status == "running"


async def test_the_list_is_by_name_and_can_be_narrowed(
    docker: FakeDocker, agent: Commanded
) -> None:
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "db"}
    docker.emit("create", docker.add("shop-db-1", labels=labels))
    await agent.live.until(lambda: agent.live.container("shop:db:1"))

    def names(**query: object) -> list[str]:
        return [c.name for c in agent.service.list(ContainerQuery(**query)).containers]

    assert names() == ["job", "shop-db-1", "vault", "web"]
    assert names(state=ContainerState.CREATED) == ["job"]
    assert names(project="shop") == ["shop-db-1"]
    assert names(project="shop", state=ContainerState.CREATED) == []
    assert agent.service.get("shop-db-1") == agent.service.get("shop:db:1")


async def test_while_the_engine_is_away_everything_says_so_and_since_when(
    docker: FakeDocker, agent: Commanded
) -> None:
    await docker.stop()
    await agent.live.until(lambda: agent.live.status.connection is EngineConnection.UNAVAILABLE)
    since = agent.live.status.since.isoformat()

    with pytest.raises(Unavailable) as listed:
        agent.service.list(ContainerQuery())
    assert listed.value.extra == {"since": since}
    assert "mount" in str(listed.value.hint)
    with pytest.raises(Unavailable):
        agent.service.get("web")
    with pytest.raises(Unavailable):
        await agent.logs.read("web", LogsQuery())
    with pytest.raises(Unavailable):
        await agent.service.command("stop", "web", PERSON, wait_s=1)
    with pytest.raises(Unavailable):
        await agent.service.protected_reason("web")


async def test_an_engine_that_is_lost_this_very_moment_is_away_since_then(
    docker: FakeDocker, agent: Commanded
) -> None:
    docker.faults["GET containers/[0-9a-f]{64}/json"] = Fault(cut=True)

    with pytest.raises(Unavailable) as unread:
        await agent.logs.read("web", LogsQuery())
    with pytest.raises(Unavailable) as undone:
        await agent.service.command("stop", "web", PERSON, wait_s=10)

    assert agent.live.status.connection is EngineConnection.CONNECTED
    for error in (unread.value, undone.value):
        since = datetime.fromisoformat(str(error.extra["since"]))
        assert agent.live.status.since < since <= datetime.now(UTC)
    assert undone.value.extra["job_id"]


async def test_behind_a_proxy_that_only_reads_a_command_is_denied_and_the_right_named(
    docker: FakeDocker, tmp_path: Path
) -> None:
    web = docker.add("web")
    async with (
        socket_proxy(str(docker.socket), only_reads) as proxy,
        commanded(proxy.url, tmp_path) as agent,
    ):
        await agent.live.connected()
        assert agent.service.get("web").state is ContainerState.RUNNING

        with pytest.raises(Denied, match="containers_control") as refused:
            await agent.service.command("stop", "web", PERSON, wait_s=10)
        job = await agent.runner.wait(str(refused.value.extra["job_id"]), 5)

    assert refused.value.extra["right"] == "containers_control"
    assert job.outcome is Outcome.REFUSED
    assert web.status == "running"


async def test_behind_a_proxy_that_hides_containers_reading_them_is_denied(
    docker: FakeDocker, tmp_path: Path
) -> None:
    async with (
        socket_proxy(str(docker.socket), without("/containers")) as proxy,
        commanded(proxy.url, tmp_path) as agent,
    ):
        await agent.live.connected()
        with pytest.raises(Denied) as refused:
            agent.service.list(ContainerQuery())

    assert refused.value.extra == {"right": "containers_read"}


async def test_logs_come_without_the_secrets_the_agent_knows(
    docker: FakeDocker, agent: Commanded
) -> None:
    time = b"2026-11-21T08:00:00.000000000Z "
    docker.containers[agent.live.shown("web").id].log = b"".join(
        frame(1, time + text + b"\n") for text in (b"one", b"password is hunter2hunter2", b"three")
    )
    agent.secrets.add("hunter2hunter2")

    logs = await agent.logs.read("web", LogsQuery(tail=2))

    assert [line.text for line in logs.lines] == ["password is ***", "three"]
    assert logs.truncated
    assert not (await agent.logs.read("web", LogsQuery(tail=4))).truncated


@pytest.mark.parametrize("field", ["since", "until"])
async def test_a_time_without_a_zone_is_not_guessed(agent: Commanded, field: str) -> None:
    query = LogsQuery.model_validate({field: datetime(2026, 11, 21, 8)})  # noqa: DTZ001

    with pytest.raises(Invalid) as refused:
        await agent.logs.read("web", query)

    assert refused.value.field == field
    aware = LogsQuery.model_validate({field: datetime(2026, 11, 21, 8, tzinfo=UTC)})
    await agent.logs.read("web", aware)


async def _interrupted(
    docker: FakeDocker,
    folder: Path,
    verb: str,
    *,
    done: bool,
    unseen: Callable[[], None] = lambda: None,
    **arguments: object,
) -> str:
    """Let the agent crash while Docker works on a command; return the job.

    `unseen`: what becomes of a container before the command, and the agent has not seen yet.
    """
    posted = asyncio.Event()
    docker.on_call[f"POST .*/{verb}"] = posted
    docker.faults[f"POST containers/[0-9a-f]+/{verb}"] = Fault(hang=True, work_first=done)
    async with commanded(docker.url, folder) as agent:
        await agent.live.connected()
        unseen()
        result = await agent.service.command(verb, "web", PERSON, wait_s=0, **arguments)
        await asyncio.wait_for(posted.wait(), 10)
    docker.faults.clear()
    docker.calls.clear()
    assert result.job is not None
    return result.job.id


async def _recovered(
    docker: FakeDocker, folder: Path, job_id: str, *, listed: tuple[str, ...] = ()
) -> tuple[Outcome | None, str]:
    async with commanded(docker.url, folder, listed=listed) as agent:
        assert await agent.runner.recover() == (job_id,)
        job = await agent.runner.wait(job_id, 15)
        return job.outcome, str(job.error.message if job.error else job.message)


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(
    ("verb", "state", "words"),
    [
        ("stop", "exited", "web was stopped"),
        ("restart", "running", "web was restarted"),
        ("pause", "paused", "web was paused"),
        ("kill", "exited", "web was"),
    ],
)
async def test_a_command_cut_off_by_a_crash_is_done_once_after_the_restart(
    docker: FakeDocker, tmp_path: Path, verb: str, state: str, words: str, *, done: bool
) -> None:
    web = docker.add("web")
    job_id = await _interrupted(docker, tmp_path, verb, done=done)

    outcome, message = await _recovered(docker, tmp_path, job_id)

    assert outcome is Outcome.DONE
    assert message.startswith(words)
    assert web.status == state
    assert docker.calls[f"POST containers/{web.id}/{verb}"] == (0 if done else 1)


async def test_a_command_cut_off_by_a_crash_spares_what_is_protected_since(
    docker: FakeDocker, tmp_path: Path
) -> None:
    web = docker.add("web")
    job_id = await _interrupted(docker, tmp_path, "stop", done=False)

    outcome, message = await _recovered(docker, tmp_path, job_id, listed=("web",))

    assert outcome is Outcome.FAILED
    assert "`protect`" in message
    assert web.status == "running"


async def test_a_start_cut_off_by_a_crash_is_done_once_after_the_restart(
    docker: FakeDocker, tmp_path: Path
) -> None:
    web = docker.add("web", running=False)
    job_id = await _interrupted(docker, tmp_path, "start", done=True)

    assert (await _recovered(docker, tmp_path, job_id))[0] is Outcome.DONE
    assert web.status == "running"


async def test_a_restart_cut_off_between_stop_and_start_leaves_the_container_running(
    docker: FakeDocker, tmp_path: Path
) -> None:
    web = docker.add("web")
    job_id = await _interrupted(docker, tmp_path, "restart", done=False)
    docker.end(web, 143)

    assert (await _recovered(docker, tmp_path, job_id))[0] is Outcome.DONE

    assert web.status == "running"
    assert docker.calls[f"POST containers/{web.id}/restart"] == 0


@pytest.mark.parametrize("verb", ["stop", "kill"])
async def test_a_container_started_by_somebody_after_the_crash_is_left_running(
    docker: FakeDocker, tmp_path: Path, verb: str
) -> None:
    web = docker.add("web")
    job_id = await _interrupted(docker, tmp_path, verb, done=True)
    docker.change(web, "start")

    outcome, message = await _recovered(docker, tmp_path, job_id)

    assert outcome is Outcome.DONE
    assert "started again since" in message
    assert web.status == "running"


@pytest.mark.parametrize("verb", ["stop", "kill"])
@pytest.mark.parametrize("was_running", [False, True])
async def test_a_container_that_was_only_just_started_is_not_left_running_after_the_crash(
    docker: FakeDocker, tmp_path: Path, verb: str, *, was_running: bool
) -> None:
    web = docker.add("web", running=was_running)

    def start() -> None:
        # Where it was seen, the engine's own time follows that of the event.
        early = datetime.now(UTC) - timedelta(seconds=5 if was_running else 0)
        web.status, web.started = "running", early.isoformat()

    job_id = await _interrupted(docker, tmp_path, verb, done=False, unseen=start)

    outcome, message = await _recovered(docker, tmp_path, job_id)

    assert outcome is Outcome.DONE, message
    assert web.status == "exited", message


async def test_a_signal_cut_off_by_a_crash_is_not_sent_twice(
    docker: FakeDocker, tmp_path: Path
) -> None:
    web = docker.add("web")
    job_id = await _interrupted(docker, tmp_path, "kill", done=True, signal="SIGHUP")

    outcome, message = await _recovered(docker, tmp_path, job_id)

    assert outcome is Outcome.FAILED
    assert "not sent twice" in message
    assert docker.calls[f"POST containers/{web.id}/kill"] == 0


async def test_a_job_taken_up_again_waits_for_an_engine_that_comes_later(
    docker: FakeDocker, tmp_path: Path
) -> None:
    web = docker.add("web")
    job_id = await _interrupted(docker, tmp_path, "stop", done=False)
    await docker.stop()

    async with commanded(docker.url, tmp_path) as agent:
        await agent.runner.recover()
        await agent.live.until(lambda: "no Docker socket" in str(agent.live.status.reason))
        await docker.start()
        job = await agent.runner.wait(job_id, 15)

    assert job.outcome is Outcome.DONE
    assert web.status == "exited"


async def test_a_job_taken_up_again_does_not_wait_for_ever(
    docker: FakeDocker, tmp_path: Path
) -> None:
    docker.add("web")
    job_id = await _interrupted(docker, tmp_path, "stop", done=False)
    await docker.stop()

    async with commanded(docker.url, tmp_path, return_s=0) as agent:
        await agent.runner.recover()
        job = await agent.runner.wait(job_id, 15)

    assert job.outcome is Outcome.FAILED
    assert job.error is not None
    assert job.error.code == "unavailable"
