"""On a real Docker: what is published is right, behind a proxy and through a recreate too."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.engine.models import ContainerState, EngineRight
from homelab_agent.platform.errors import Denied
from tests.fakes.commanded import commanded
from tests.fakes.socket_proxy import only_reads, socket_proxy
from tests.fakes.watched import Watched, watched
from tests.harness.docker import SLEEP_FOREVER, SOCKET, Docker

pytestmark = pytest.mark.skipif(not Path(SOCKET).exists(), reason="no Docker here")

URL = f"unix://{SOCKET}"
PERSON = Caller(name="person", scope=Scope.OPERATE)


@pytest.fixture
async def docker() -> AsyncIterator[Docker]:
    async with Docker() as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"real-{secrets.token_hex(4)}"


async def _is(live: Watched, key: str, state: ContainerState) -> None:
    def holds() -> bool:
        found = live.container(key)
        return found is not None and found.state is state

    await live.until(holds, within_s=60)


async def test_the_whole_life_of_a_container_is_followed(docker: Docker, name: str) -> None:
    async with watched(URL) as live:
        await live.connected()
        await docker.create(name, start=False)
        await _is(live, name, ContainerState.CREATED)
        await docker.start(name)
        await _is(live, name, ContainerState.RUNNING)
        await docker.pause(name)
        await _is(live, name, ContainerState.PAUSED)
        await docker.unpause(name)
        await _is(live, name, ContainerState.RUNNING)
        await docker.stop(name)
        await _is(live, name, ContainerState.EXITED)
        assert live.shown(name).exit_code == 0
        await docker.remove(name)
        await live.until(lambda: live.container(name) is None)


async def test_a_health_verdict_arrives_and_goes_when_the_container_stops(
    docker: Docker, name: str
) -> None:
    async with watched(URL) as live:
        await live.connected()
        await docker.call(
            "POST",
            "/containers/create",
            params={"name": name},
            json={
                "Image": "busybox",
                "Cmd": list(SLEEP_FOREVER),
                "HostConfig": {"NetworkMode": "none"},
                "Healthcheck": {
                    "Test": ["CMD", "test", "!", "-e", "/tmp/bad"],  # noqa: S108 - in a container
                    "Interval": 1_000_000_000,
                    "Retries": 1,
                },
            },
        )
        try:
            await docker.start(name)
            await live.until(
                lambda: (c := live.container(name)) and c.health == "healthy", within_s=60
            )
            await docker.stop(name)
            await _is(live, name, ContainerState.EXITED)
            await live.until(lambda: live.shown(name).health == "none")
        finally:
            await docker.remove(name)


async def test_a_crash_loop_is_known_as_one_with_its_count(docker: Docker, name: str) -> None:
    async with watched(URL) as live:
        await live.connected()
        await docker.create(
            name,
            command=("sh", "-c", "exit 3"),
            RestartPolicy={"Name": "always"},
        )
        await live.until(
            lambda: (
                (c := live.container(name))
                and c.state is ContainerState.RESTARTING
                and c.restart_count >= 2
                and c.exit_code == 3
                and c.restart_loop
            ),
            within_s=60,
        )


async def test_each_command_shows_its_effect_when_it_answers(
    docker: Docker, name: str, tmp_path: Path
) -> None:
    async with commanded(URL, tmp_path) as agent:
        await agent.live.connected()
        await docker.create(name)
        await _is(agent.live, name, ContainerState.RUNNING)
        for verb, state in (
            ("pause", ContainerState.PAUSED),
            ("stop", ContainerState.EXITED),
            ("start", ContainerState.RUNNING),
            ("pause", ContainerState.PAUSED),
            ("unpause", ContainerState.RUNNING),
            ("restart", ContainerState.RUNNING),
            ("kill", ContainerState.EXITED),
            ("restart", ContainerState.RUNNING),
        ):
            result = await agent.service.command(verb, name, PERSON, wait_s=30)
            assert result.outcome is Outcome.DONE, (verb, result)
            assert agent.live.shown(name).state is state, verb
        assert agent.live.shown(name).started_at is not None


async def test_a_proxy_that_only_reads_keeps_the_states_live_and_denies_commands(
    docker: Docker, name: str, tmp_path: Path
) -> None:
    async with socket_proxy(SOCKET, only_reads) as proxy, commanded(proxy.url, tmp_path) as agent:
        await agent.live.connected()
        assert EngineRight.CONTAINERS_CONTROL in agent.live.status.missing_rights
        await docker.create(name)
        await _is(agent.live, name, ContainerState.RUNNING)

        with pytest.raises(Denied, match="containers_control"):
            await agent.service.command("stop", name, PERSON, wait_s=10)

        assert (await docker.inspect(name))["State"]["Running"]
        await docker.pause(name)
        await _is(agent.live, name, ContainerState.PAUSED)


async def _compose(folder: Path, *arguments: str) -> None:
    program = await asyncio.create_subprocess_exec(
        *("docker", "compose", "--project-directory", str(folder), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate()
    assert program.returncode == 0, said.decode()


async def test_a_real_compose_recreate_never_takes_the_container_away(
    name: str, tmp_path: Path
) -> None:
    service = {"image": "busybox", "command": list(SLEEP_FOREVER), "network_mode": "none"}
    (tmp_path / "compose.yaml").write_text(json.dumps({"name": name, "services": {"web": service}}))
    key = f"{name}:web:1"
    async with watched(URL) as live:
        await live.connected()
        try:
            await _compose(tmp_path, "up", "--detach")
            await _is(live, key, ContainerState.RUNNING)
            old = live.shown(key).id
            async with live.recorded() as changes:
                await _compose(tmp_path, "up", "--detach", "--force-recreate")
                await live.until(
                    lambda: (
                        live.shown(key).id != old
                        and live.shown(key).state is ContainerState.RUNNING
                        and live.shown(key).name == f"{name}-web-1"
                    )
                )
            ours = [change for change in changes if change.key.startswith(name)]
            assert {change.key for change in ours} == {key}
            assert all(change.data is not None for change in ours)
        finally:
            await _compose(tmp_path, "down", "--timeout", "1")


async def test_each_change_is_published_by_its_event_and_not_with_the_next_list(
    docker: Docker, name: str
) -> None:
    async with watched(URL, resync_interval_s=86400) as live:
        await live.connected()
        identity = await docker.create(name)
        await _is(live, name, ContainerState.RUNNING)
        keys = [f"{name}-{number}" for number in range(20)]
        async with live.recorded() as changes:
            for key in keys:
                # Renaming is the change that costs Docker least.
                await docker.call("POST", f"/containers/{identity}/rename", params={"name": key})
                await live.until(lambda key=key: live.container(key))  # type: ignore[misc]
        ours = [change.key for change in changes if change.data is not None]
        assert [key for key in dict.fromkeys(ours) if key in keys] == keys
