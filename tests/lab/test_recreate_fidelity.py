"""A container with every option there is comes back the same; compose sees no drift either."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.agent import Agent
from tests.harness.built_images import FOREVER, BuiltImages
from tests.harness.docker import Docker
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPTIONS = (
    *("--volume", "/unnamed", "--volume", "{name}:/named:ro", "--volume", "/srv:/bound:rprivate"),
    *("--mount", "type=volume,target=/unnamed-too", "--tmpfs", "/t:size=1m,mode=1777"),
    *("--mount", "type=bind,src=/srv,dst=/bound-too,bind-propagation=private,readonly"),
    *("--mount", "type=tmpfs,dst=/t2,tmpfs-size=1000000"),
    *("--env", "A=1", "--env", "B=x y", "--label", "some=label", "--annotation", "a.b=c"),
    *("--hostname", "hh", "--domainname", "dd.example", "--user", "0:0", "--workdir", "/root"),
    *("--cap-add", "NET_ADMIN", "--cap-drop", "MKNOD", "--security-opt", "no-new-privileges"),
    *("--device", "/dev/null:/dev/xnull:r", "--device-cgroup-rule", "c 1:3 rwm"),
    *("--dns", "192.0.2.1", "--dns-option", "ndots:2", "--dns-search", "ex.org"),
    *("--add-host", "a:192.0.2.4", "--group-add", "20", "--init", "--ipc", "shareable"),
    *("--shm-size", "32m", "--memory", "64m", "--memory-reservation", "32m"),
    *("--memory-swap", "128m", "--cpu-shares", "512", "--cpus", "0.5", "--cpuset-cpus", "0"),
    *("--pids-limit", "50", "--ulimit", "nofile=100:200", "--oom-score-adj", "100"),
    *("--sysctl", "net.ipv4.ip_forward=1", "--log-driver", "json-file"),
    *("--log-opt", "max-size=1m", "--log-opt", "max-file=2", "--restart", "on-failure:3"),
    *("--read-only", "--stop-signal", "SIGTERM", "--stop-timeout", "3", "--runtime", "runc"),
    *("--publish", "127.0.0.1::80", "--publish", "81/udp", "--expose", "99"),
    *("--health-cmd", "true", "--health-interval", "1s", "--health-retries", "2"),
    *("--health-start-period", "3s", "--health-timeout", "30s"),
    *("--volumes-from", "{name}-lender:ro", "--pid", "host", "--cgroupns", "host"),
    *("--tty", "--interactive", "--entrypoint", "sh"),
    *("--network", "name={name}-a,ip={address},alias=one,mac-address=02:42:0a:4d:00:99"),
    *("--network", "name={name}-b,alias=two,gw-priority=7"),
)
_ID = re.compile(r"[0-9a-f]{12}([0-9a-f]{52})?")
_EXPECTED = re.compile(
    r"Id|Created|Name|Image|ExecIDs.*|(Hostname|Hosts|Log|ResolvConf)Path|GraphDriver\..*|State\..*"
    r"|NetworkSettings\.(SandboxID|SandboxKey|Ports\..*)"
    r"|NetworkSettings\.Networks\.[^.]+\.(EndpointID|DNSNames.*|IPAddress)"
)
"""Ids, times, the image, and what the engine draws anew at each start."""
_BY_NAME = re.compile(r"HostConfig\.(Binds|Mounts)\..*|Mounts\..*")
"""The unnamed volumes are the same, and now asked for by their names."""


class World:
    """An agent on the lab's engine, and names of this test alone."""

    def __init__(self, agent: Agent, docker: Docker, images: BuiltImages, token: str) -> None:
        self.agent = agent
        self.docker = docker
        self.images = images
        self.name = f"fidelity-{secrets.token_hex(4)}"
        self._token = token

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return the agent's answer."""
        return await self.agent.ask(method, path, body, token=self._token)

    async def known(self, name: str) -> None:
        """Wait until the agent knows a container."""

        async def sees() -> bool:
            return (await self.ask("GET", f"/containers/{name}"))[0] == 200

        await wait_until(sees, what=f"the agent to see {name}")


@pytest_asyncio.fixture(loop_scope="module")
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with Agent(tmp_path) as agent, Docker() as docker, BuiltImages() as images:
        yield World(agent, docker, images, await agent.create_token())


async def run(*command: str) -> str:
    """Run a command; return its output."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, f"{' '.join(command)}: {said}"
    return said


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return a document as one level of paths and values."""
    if isinstance(value, dict) and value:
        parts = value.items()
    elif isinstance(value, list) and value:
        ordered = sorted(value, key=json.dumps) if path.endswith("Mounts") else value
        parts = {str(number): each for number, each in enumerate(ordered)}.items()
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for key, each in parts:
        found |= flat(each, f"{path}.{key}" if path else key)
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what differs between two descriptions, by path."""
    old, new = flat(before), flat(after)
    return {
        path: (old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    }


async def test_a_container_with_every_option_comes_back_the_same(world: World) -> None:
    name, docker = world.name, world.docker
    octet = secrets.randbelow(200) + 20
    try:
        subnet = f"10.{octet}.77.0/24"
        await run("docker", "network", "create", "--subnet", subnet, f"{name}-a")
        await run("docker", "network", "create", f"{name}-b")
        await docker.create(f"{name}-lender", Binds=[f"{name}-lent:/lent"])
        filled = (each.format(name=name, address=f"10.{octet}.77.9") for each in OPTIONS)
        await run("docker", "run", "--detach", "--name", name, *filled, "busybox", "-c", FOREVER)
        await world.known(name)
        before = await docker.inspect(name)
        await run("docker", "exec", name, "sh", "-c", "echo mine > /unnamed/file")

        status, answer = await world.ask("POST", f"/containers/{name}/recreate", {"wait_s": 120})
        assert status == 200, answer
        after = await docker.inspect(name)
        kept = await run("docker", "exec", name, "cat", "/unnamed/file")
        # Once they have names, nothing at all differs any more.
        await world.ask("POST", f"/containers/{name}/recreate", {"wait_s": 120})
        again = await docker.inspect(name)
    finally:
        await run("docker", "rm", "--force", "--volumes", name, f"{name}-lender")
        await run("docker", "network", "rm", f"{name}-a", f"{name}-b")
        await run("docker", "volume", "rm", "--force", name, f"{name}-lent")

    found = differences(before, after)
    print(json.dumps(found, indent=1))  # noqa: T201
    unexpected = {p: v for p, v in found.items() if not _EXPECTED.fullmatch(p)}
    assert before["Id"] != after["Id"]
    assert {path for path in unexpected if not _BY_NAME.fullmatch(path)} == set()
    assert set(filter(lambda p: not _EXPECTED.fullmatch(p), differences(after, again))) == set()
    assert kept == "mine\n"
    assert {m["Name"] for m in before["Mounts"] if m["Type"] == "volume"} == {
        m["Name"] for m in after["Mounts"] if m["Type"] == "volume"
    }


async def test_compose_finds_nothing_to_do_after_an_update(world: World, tmp_path: Path) -> None:
    image = await world.images.push("latest", "1", "ENV COLOUR=red")
    service = {"image": image, "labels": {"homelab.update.stable_s": "1"}, "network_mode": "none"}
    (tmp_path / "compose.yaml").write_text(
        json.dumps({"name": world.name, "services": {"web": service}})
    )
    compose = ("docker", "compose", "--project-directory", str(tmp_path))
    try:
        await run(*compose, "up", "--detach")
        name = f"{world.name}-web-1"
        await world.known(name)
        old_id = (await world.docker.inspect(name))["Image"]
        await world.images.push("latest", "2", "ENV COLOUR=blue")

        status, answer = await world.ask("POST", f"/containers/{name}/update", {"wait_s": 120})
        assert status == 200, answer
        updated = await world.docker.inspect(name)
        said = await run(*compose, "up", "--detach")
        still = await world.docker.inspect(name)
        # Back again, and compose agrees with that too.
        status, answer = await world.ask("POST", f"/containers/{name}/rollback", {"wait_s": 120})
        assert status == 200, answer
        await run(*compose, "up", "--detach")
        back = await world.docker.inspect(name)
    finally:
        await run(*compose, "down", "--timeout", "1")

    assert updated["Image"] != old_id
    assert "COLOUR=blue" in updated["Config"]["Env"]
    assert "Recreate" not in said
    assert still["Id"] == updated["Id"]
    assert back["Image"] == old_id
    assert back["Config"]["Image"] == image
