"""The engine misbehaves; the user is told what happened and nothing is done twice."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.errors import (
    AgentError,
    Conflict,
    Denied,
    Failed,
    NotFound,
    SettingsError,
    TimedOut,
    Unavailable,
)
from tests.fakes.docker_engine import FakeDocker, Fault, fake_docker

ADDON = Path(__file__).parents[5] / "addon"
CONNECT = """
import asyncio, sys
from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.errors import Unavailable

async def main():
    engine = DockerEngine(Transport(sys.argv[1]))
    try:
        await engine.connect()
    except Unavailable as error:
        print(error.message, error.hint)
    await engine.close()

asyncio.run(main())
"""


@pytest.fixture
async def impatient(docker: FakeDocker) -> AsyncIterator[DockerEngine]:
    made = DockerEngine(Transport(docker.url, deadline_s=0.5))
    yield made
    await made.close()


async def _refusal(url: str) -> AgentError:
    engine = DockerEngine(Transport(url, deadline_s=2))
    try:
        with pytest.raises(Unavailable) as refused:
            await engine.connect()
    finally:
        await engine.close()
    return refused.value


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "pause", "unpause", "kill"])
async def test_a_command_that_fails_is_sent_exactly_once(
    docker: FakeDocker, engine: DockerEngine, verb: str
) -> None:
    web = docker.add("web")
    docker.faults[f"POST containers/.*/{verb}"] = Fault(500, '{"message": "no space left"}')
    arguments = {"stop": (None,), "restart": (3,), "kill": ("SIGKILL",)}.get(verb, ())

    with pytest.raises(Failed, match="no space left"):
        await getattr(engine, verb)("web", *arguments)

    assert docker.calls[f"POST containers/{web.name}/{verb}"] == 1


async def test_a_container_that_does_not_stand_still_at_once_is_paused_again_but_not_for_ever(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.add("web")
    said = '{"message": "OCI runtime pause failed: unable to freeze"}'
    docker.faults["POST containers/web/pause"] = Fault(500, said)

    with pytest.raises(Failed, match="unable to freeze"):
        await engine.pause("web")

    assert docker.calls["POST containers/web/pause"] == 3


async def test_a_lost_answer_to_a_command_is_not_called_a_failure_and_not_repeated(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.add("web")
    docker.faults["POST containers/web/restart"] = Fault(cut=True, work_first=True)

    with pytest.raises(TimedOut, match="not known"):
        await engine.restart("web", 1)

    assert docker.calls["POST containers/web/restart"] == 1


async def test_a_hanging_engine_does_not_hang_the_caller(
    docker: FakeDocker, impatient: DockerEngine
) -> None:
    docker.add("web")
    docker.faults["(GET|POST) containers/web/.*"] = Fault(hang=True)

    with pytest.raises(TimedOut, match="within"):
        await impatient.inspect("web")
    with pytest.raises(TimedOut, match="whether it did is not known"):
        await impatient.pause("web")


async def test_an_engine_that_hangs_from_the_start_is_unavailable(
    docker: FakeDocker, impatient: DockerEngine
) -> None:
    docker.faults["GET version"] = Fault(hang=True)

    with pytest.raises(Unavailable, match="does not answer"):
        await impatient.connect()


async def test_a_missing_socket_says_how_to_give_the_agent_one() -> None:
    refused = await _refusal("unix:///run/no-such.sock")

    assert "There is no Docker socket at /run/no-such.sock" in refused.message
    assert "protection mode" in str(refused.hint)
    assert "-v /run/no-such.sock" in str(refused.hint)


async def test_a_stale_socket_says_that_docker_is_to_be_started(docker: FakeDocker) -> None:
    await docker.stop(keep_socket=True)

    refused = await _refusal(docker.url)

    assert "Nobody answers" in refused.message
    assert "Start Docker" in str(refused.hint)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
async def test_a_forbidden_socket_says_which_group_opens_it(docker: FakeDocker) -> None:
    docker.folder.chmod(0o755)
    docker.socket.chmod(0o600)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-c", CONNECT, docker.url),
        stdout=asyncio.subprocess.PIPE,
        user=65534,
        group=65534,
        extra_groups=[],
        env={"PYTHONPATH": str(ADDON)},
    )
    said, _ = await program.communicate()

    assert b"The agent may not open the Docker socket" in said
    assert b"--group-add" in said


async def test_an_unreachable_host_is_named() -> None:
    refused = await _refusal("tcp://127.0.0.1:9")

    assert "tcp://127.0.0.1:9" in refused.message
    assert "docker_url" in str(refused.hint)


async def test_an_address_that_is_none_is_a_wrong_setting() -> None:
    engine = DockerEngine(Transport("docker.sock"))

    with pytest.raises(SettingsError) as refused:
        await engine.connect()

    assert refused.value.field == "docker_url"
    await engine.close()


async def test_an_engine_too_old_is_refused_in_words() -> None:
    async with fake_docker(api="1.40", oldest="1.12") as docker:
        refused = await _refusal(docker.url)

    assert "too old: it speaks API 1.40" in refused.message
    assert refused.extra["cause"] == "engine_too_old"


async def test_an_engine_too_new_is_refused_in_words() -> None:
    async with fake_docker(api="1.60", oldest="1.52") as docker:
        refused = await _refusal(docker.url)

    assert "too new: it speaks API 1.52 and newer" in refused.message
    assert refused.hint == "Update the agent."


@pytest.mark.parametrize(
    ("theirs", "agreed"), [("1.41", "1.41"), ("1.47", "1.47"), ("1.51", "1.51"), ("1.60", "1.51")]
)
async def test_the_newest_version_that_both_know_is_spoken(theirs: str, agreed: str) -> None:
    async with fake_docker(api=theirs) as docker:
        engine = DockerEngine(Transport(docker.url))
        assert (await engine.connect()).api_version == agreed
        await engine.list_containers()
        await engine.close()

        assert any(query.startswith(f"/v{agreed}/containers/json") for query in docker.queries)


async def test_a_version_that_is_none_is_refused_in_words() -> None:
    async with fake_docker(api="1.51") as docker:
        docker.faults["GET version"] = Fault(200, '{"ApiVersion": "newest"}')
        refused = await _refusal(docker.url)

    assert "'newest'" in refused.message


async def test_after_a_downgrade_of_docker_the_version_is_agreed_anew(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    await engine.connect()
    docker.api = "1.43"
    with pytest.raises(Unavailable):
        await engine.list_containers()

    assert await engine.list_containers() == ()


@pytest.mark.parametrize("status", [401, 403, 405])
async def test_what_a_proxy_forbids_is_denied_and_names_the_right(
    docker: FakeDocker, engine: DockerEngine, status: int
) -> None:
    docker.add("web")
    docker.faults["POST .*"] = Fault(status, "<h1>403 Forbidden</h1>", "text/html")

    with pytest.raises(Denied) as refused:
        await engine.stop("web", 1)

    assert refused.value.extra == {"right": "containers_control"}
    assert "POST=1" in str(refused.value.hint)


async def test_what_docker_itself_forbids_is_not_put_down_to_a_proxy(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.add("web")
    said = '{"message":"failed to set up container networking: Address already in use"}'
    docker.faults["POST .*"] = Fault(403, said, "application/json")

    with pytest.raises(Conflict, match="Address already in use"):
        await engine.start("web")


async def test_a_proxy_without_its_engine_is_unavailable(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.faults["GET containers/json"] = Fault(503, "<h1>503</h1>", "text/html")

    with pytest.raises(Unavailable, match="proxy does not reach Docker"):
        await engine.list_containers()


@pytest.mark.parametrize(
    "body", ["[]", "{}", "not json", '{"message": 7}', "", '{"Id": 5}', '{"Id": "x"']
)
@pytest.mark.parametrize("status", [200, 500])
async def test_an_unreadable_answer_is_a_failure_in_words(
    docker: FakeDocker, engine: DockerEngine, body: str, status: int
) -> None:
    docker.add("web")
    docker.faults["GET containers/web/json"] = Fault(status, body)

    with pytest.raises(Failed, match="Docker could not describe the container web"):
        await engine.inspect("web")


@pytest.mark.parametrize("path", ["version", "containers/json"])
async def test_an_engine_that_answers_nonsense_is_told_of_in_words(
    docker: FakeDocker, engine: DockerEngine, path: str
) -> None:
    docker.faults[f"GET {path}"] = Fault(200, "<html>welcome</html>", "text/html")

    with pytest.raises(Failed, match="not readable"):
        await engine.list_containers()


async def test_an_engine_over_http_is_used_like_one_over_its_socket(docker: FakeDocker) -> None:
    docker.add("web")
    port = await docker.listen_on_tcp()
    for url in (f"tcp://127.0.0.1:{port}", f"http://127.0.0.1:{port}/"):
        engine = DockerEngine(Transport(url))
        assert [row.name for row in await engine.list_containers()] == ["web"]
        await engine.close()


async def test_an_engine_over_https_is_not_asked_without_it(docker: FakeDocker) -> None:
    port = await docker.listen_on_tcp()

    refused = await _refusal(f"https://127.0.0.1:{port}")

    assert f"https://127.0.0.1:{port}" in refused.message


async def test_a_path_that_is_no_socket_is_named() -> None:
    refused = await _refusal(f"unix:///{'x' * 300}")

    assert "cannot be reached at /xxx" in refused.message


async def test_an_answer_cut_in_its_middle_is_a_hang_up(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.faults["GET containers/json"] = Fault(half=True)

    with pytest.raises(Unavailable, match="hung up"):
        await engine.list_containers()


async def test_one_container_that_docker_cannot_describe_does_not_hide_the_others(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    broken = docker.add("broken", health="healthy")
    docker.add("web")
    docker.faults[f"GET containers/{broken.id}/json"] = Fault(500, '{"message": "layer gone"}')

    rows = {row.name: row for row in await engine.list_containers()}

    assert set(rows) == {"broken", "web"}
    assert rows["broken"].state is ContainerState.RUNNING
    assert rows["broken"].health == "healthy"
    assert rows["broken"].ports[0].host_port == 8080


async def test_a_container_removed_while_listing_is_left_out(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    gone = docker.add("gone")
    docker.faults[f"GET containers/{gone.id}/json"] = Fault(404, '{"message": "No such container"}')

    assert await engine.list_containers() == ()


async def test_an_engine_lost_while_listing_is_one_error_not_many(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    for number in range(20):
        docker.add(f"web{number}")
    docker.faults["GET containers/[0-9a-f]{64}/json"] = Fault(cut=True)

    with pytest.raises(Unavailable, match="hung up"):
        await engine.list_containers()


async def test_a_log_that_cannot_be_read_back_says_which_drivers_can(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.add("web")
    docker.faults["GET containers/.*/logs"] = Fault(
        501, '{"message": "configured logging driver does not support reading"}'
    )

    with pytest.raises(Conflict) as refused:
        await engine.logs("web", tail=5, since=None, until=None)

    assert "json-file" in str(refused.value.hint)


async def test_an_engine_that_does_not_describe_its_host_is_still_used(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.faults["GET info"] = Fault(403, "no", "text/plain")

    info = await engine.connect()

    assert info.version == "28.5.2"
    assert info.host_name is None
    assert info.memory_bytes is None


async def test_no_message_carries_a_full_container_id(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    web = docker.add("web", running=False)

    with pytest.raises(Conflict) as refused:
        await engine.pause(web.id)

    assert web.id not in refused.value.message
    assert web.id[:12] in refused.value.message


async def test_a_cancelled_call_leaves_no_connection_behind(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.add("web")
    docker.faults["GET containers/web/json"] = Fault(hang=True)
    await engine.connect()

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            await engine.inspect("web")

    docker.faults.clear()
    assert (await engine.inspect("web")).name == "web"


async def test_a_stream_that_is_forbidden_is_denied(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.faults["GET events"] = Fault(403, "no", "text/plain")

    with pytest.raises(Denied) as refused:
        async with engine.events(None):
            pass

    assert refused.value.extra == {"right": "events"}


async def test_an_unknown_container_is_named(engine: DockerEngine) -> None:
    with pytest.raises(NotFound, match="nextcloud"):
        await engine.inspect("nextcloud")
