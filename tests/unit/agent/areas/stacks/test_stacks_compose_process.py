"""Running docker compose: a small program stands for docker, as badly behaved as it can be."""

from pathlib import Path

import pytest

from homelab_agent.areas.stacks.compose_process import ComposeProcess
from homelab_agent.platform.errors import Failed, TimedOut, Unavailable
from tests.harness.waiting import wait_until

TOOLS = "/usr/bin:/bin"


class FakeDocker:
    """A folder with a program `docker` that does what a test says, and the process that runs it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._program = folder / "bin" / "docker"
        self._program.parent.mkdir()
        monkeypatch.setenv("PATH", f"{self._program.parent}:{TOOLS}")
        monkeypatch.setenv("HOMELAB_SECRET", "of-the-agent")
        self.process = ComposeProcess("unix:///run/docker.sock", folder)

    def does(self, script: str) -> None:
        """Say what the program does."""
        self._program.write_text(f"#!/bin/bash\n{script}\n")
        self._program.chmod(0o755)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    return FakeDocker(tmp_path, monkeypatch)


async def test_nothing_of_the_agents_environment_reaches_compose(docker: FakeDocker) -> None:
    docker.does("export -p; echo told >&2; exit 3")
    heard: list[str] = []
    ended = await docker.process.run(("config",), deadline_s=10, hear=heard.append)
    assert "of-the-agent" not in ended.output
    assert (ended.code, ended.told, heard) == (3, ("told",), ["told"])


async def test_what_hangs_is_ended_with_all_it_started(docker: FakeDocker) -> None:
    pid_file = docker.folder / "pid"
    docker.does(f"sleep 100 & echo $! > {pid_file}; wait")
    with pytest.raises(TimedOut):
        await docker.process.run(("config",), deadline_s=0.5)
    child = Path("/proc") / pid_file.read_text().strip()

    async def gone() -> bool:
        return not child.exists() or "zombie" in (child / "status").read_text()

    await wait_until(gone, what="the child to be gone")


async def test_endless_output_is_cut_off(docker: FakeDocker) -> None:
    docker.does("while :; do printf '%65536s\\n' x; done")
    with pytest.raises(Failed, match="16 MiB"):
        await docker.process.run(("config",), deadline_s=60)


async def test_a_line_without_end_is_no_trouble(docker: FakeDocker) -> None:
    docker.does("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo last >&2")
    ended = await docker.process.run(("up",), deadline_s=30)
    assert ended.told[-1] == "last"


async def test_its_memory_is_bounded(docker: FakeDocker) -> None:
    docker.does("ulimit -v")
    ended = await docker.process.run(("config",), deadline_s=10)
    assert int(ended.output) == 3 * 1024 * 1024


async def test_a_missing_plugin_is_named(docker: FakeDocker) -> None:
    docker.does("echo \"docker: 'compose' is not a docker command.\" >&2; exit 1")
    with pytest.raises(Unavailable, match="compose plugin"):
        await docker.process.run(("config",), deadline_s=10)


async def test_a_missing_docker_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("prlimit", "setpriv"):
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    monkeypatch.setenv("PATH", str(tools))
    process = ComposeProcess("unix:///run/docker.sock", tmp_path)
    with pytest.raises(Unavailable, match="docker command is not installed") as missing:
        await process.run(("config",), deadline_s=10)
    assert missing.value.hint
