"""The agent's image: built as a release builds it, run as a person runs it."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientError

from tests.harness.agent import ask_agent
from tests.harness.docker import Docker
from tests.harness.ports import free_port
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until
from tests.lab.network import run

CHECKOUT = Path(__file__).parents[2]
IMAGE = "homelab-agent:test"
SOCKET = "/var/run/docker.sock:/var/run/docker.sock"
SECOND_NS = 1_000_000_000
APP_OPTIONS = {
    "log_level": "debug",
    "protect": ["database"],
    "activity_retention_days": 7,
    "name": "Shed",
    "docker_url": "unix:///var/run/docker.sock",
    "certificate_paths": ["/ssl"],
    "certificates_dir": "/ssl/homelab",
}

pytestmark = [pytest.mark.timeout(300)]


class Packaged:
    """A container of the image, and its API."""

    def __init__(self, docker: Docker, name: str, port: int) -> None:
        self.docker = docker
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self.token = ""

    async def create_token(self) -> None:
        """Make a token as the README tells a person to."""
        arguments = ("token", "create", "--name", "home", "--scope", "operate")
        self.token = (await run("docker", "exec", self.name, "homelab-agent", *arguments)).strip()

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Do one request; return status and answer."""
        return await ask_agent(self.url, method, path, body, token=self.token)

    async def answers(self) -> bool:
        """Return whether the API is there."""
        try:
            return (await self.ask("GET", "/health"))[0] == 200
        except ClientError:
            state = (await self.docker.inspect(self.name))["State"]
            assert state["Running"], await run("docker", "logs", self.name)
            return False

    async def sees(self, name: str) -> bool:
        """Return whether a container is in the list."""
        status, answer = await self.ask("GET", "/containers")
        return status == 200 and name in {each["name"] for each in answer["containers"]}


@pytest.fixture(scope="module")
def image() -> str:
    command = ["docker", "build", "--quiet", "--network", "host", "--tag", IMAGE, "addon"]
    built = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return IMAGE


@pytest_asyncio.fixture
async def docker(image: str) -> AsyncIterator[Docker]:
    assert image
    async with Docker() as docker:
        yield docker


async def start(
    docker: Docker,
    *,
    mounts: tuple[str, ...] = (SOCKET,),
    docker_url: str | None = None,
    more: tuple[str, ...] = (),
    config: Mapping[str, object] | None = None,
) -> Packaged:
    port = free_port()
    packaged = Packaged(docker, f"image-test-{port}", port)
    environment = [f"HOMELAB_LISTEN=127.0.0.1:{port}", "HOMELAB_MDNS=false", *more]
    if docker_url:
        environment.append(f"HOMELAB_DOCKER_URL={docker_url}")
    await docker.create(
        packaged.name,
        image=IMAGE,
        command=(),
        config={"Env": environment, **(config or {})},
        NetworkMode="host",
        Binds=list(mounts),
    )
    await wait_until(packaged.answers, what="the agent in the container to answer")
    return packaged


async def healthy(docker: Docker, name: str) -> bool:
    """Return whether Docker calls a container healthy."""
    state = (await docker.inspect(name))["State"]
    return bool(state["Health"]["Status"] == "healthy")


@pytest.fixture
def watched(docker: Docker) -> Any:
    """Makes a small container to look at."""

    async def make() -> str:
        name = f"watched-{free_port()}"
        await docker.create(name)
        return name

    return make


async def test_the_image_shows_the_containers_of_its_host(docker: Docker, watched: Any) -> None:
    name = await watched()
    agent = await start(docker)
    await agent.create_token()
    await wait_until(lambda: agent.sees(name), what="the container to be listed")
    status, answer = await agent.ask("POST", f"/containers/{name}/stop")
    assert status == 200, answer
    assert (await docker.inspect(name))["State"]["Status"] == "exited"


async def users_of(docker: Docker, name: str) -> set[int]:
    """Return whom the agent in a container runs as."""
    listing = await docker.call(
        "GET", f"/containers/{name}/top", params={"ps_args": "-eo pid,uid,args"}
    )
    return {int(row[1]) for row in listing["Processes"] if "bin/homelab-agent" in row[2]}


async def test_the_agent_in_the_image_is_not_root(docker: Docker) -> None:
    agent = await start(docker)
    assert await users_of(docker, agent.name) == {8099}


async def test_an_agent_that_is_to_read_what_root_alone_may_read_stays_root(
    docker: Docker,
) -> None:
    agent = await start(docker, more=("HOMELAB_RUN_AS=root",))
    assert await users_of(docker, agent.name) == {0}
    assert "smartctl 7" in await run("docker", "exec", agent.name, "smartctl", "--version")


async def test_docker_calls_the_image_healthy_and_ends_it_in_good_order(docker: Docker) -> None:
    agent = await start(docker, config={"Healthcheck": {"Interval": SECOND_NS}})

    await wait_until(lambda: healthy(docker, agent.name), what="the health check to pass")
    await docker.stop(agent.name, grace_s=20)
    assert (await docker.inspect(agent.name))["State"]["ExitCode"] == 0


async def test_docker_calls_the_image_healthy_with_a_certificate_of_its_own(
    docker: Docker,
) -> None:
    name = f"image-test-{free_port()}"
    config = {"Env": ["HOMELAB_TLS=self_signed"], "Healthcheck": {"Interval": SECOND_NS}}
    await docker.create(name, image=IMAGE, command=(), config=config, Binds=[SOCKET])
    await wait_until(lambda: healthy(docker, name), what="the health check to pass over TLS")


async def test_no_address_of_the_machine_leads_a_monitor_back_into_the_agents_own_container(
    docker: Docker,
) -> None:
    port = free_port()
    agent = Packaged(docker, f"image-test-{port}", port)
    await docker.create(
        agent.name,
        image=IMAGE,
        command=(),
        config={"ExposedPorts": {"8099/tcp": {}}},
        NetworkMode="bridge",
        PortBindings={"8099/tcp": [{"HostIp": "", "HostPort": str(port)}]},
        Binds=[SOCKET],
    )
    await wait_until(agent.answers, what="the agent in the container to answer")
    await agent.create_token()
    template = "{{(index .IPAM.Config 0).Gateway}}"
    machine = (await run("docker", "network", "inspect", "bridge", "--format", template)).strip()
    for check in (
        {"type": "http", "url": f"http://{machine}:{port}/api/v1/health"},
        {"type": "tcp", "host": machine, "port": port},
    ):
        kind = check["type"]
        status, answer = await agent.ask(
            "POST", "/monitors", {"name": f"Itself by {kind}", "key": kind, "check": check}
        )
        assert status == 200, answer
        _, found = await agent.ask("POST", f"/monitors/{kind}/check", {"wait_s": 30})
        assert found["result"]["code"] == "guarded", found


async def test_an_address_inside_docker_is_not_announced_to_the_home_network(
    docker: Docker,
) -> None:
    name = f"image-test-{free_port()}"
    await docker.create(name, image=IMAGE, command=(), NetworkMode="bridge", Binds=[SOCKET])

    async def told() -> bool:
        return "mdns_" in await run("docker", "logs", name)

    await wait_until(told, what="a word about the announcement")
    assert "mdns_skipped" in await run("docker", "logs", name)


async def test_tokens_outlive_the_container(docker: Docker) -> None:
    volume = f"image-test-{free_port()}"
    try:
        first = await start(docker, mounts=(SOCKET, f"{volume}:/data"))
        await first.create_token()
        assert (await first.ask("GET", "/info"))[0] == 200
        await docker.remove(first.name)
        second = await start(docker, mounts=(SOCKET, f"{volume}:/data"))
        second.token = first.token
        assert (await second.ask("GET", "/info"))[0] == 200
        await docker.remove(second.name)
    finally:
        await run("docker", "volume", "rm", "--force", volume)


async def test_the_image_reads_the_hosts_counters_where_they_are_mounted(
    docker: Docker, watched: Any
) -> None:
    watched_name = await watched()
    groups, processes = "/sys/fs/cgroup:/host/sys/fs/cgroup:ro", "/proc:/host/proc:ro"
    agent = await start(docker, mounts=(SOCKET, groups, processes))
    await agent.create_token()

    async def counted() -> dict[str, Any] | None:
        _, stats = await agent.ask("GET", "/stats")
        engine = stats.get("engine", {})
        rows = {each["key"]: each for each in stats.get("containers", ())}
        return {**engine, "row": rows[watched_name]} if watched_name in rows else None

    found = await wait_until(counted, what="figures of the container")
    assert found["source"] in {"cgroup_v1", "cgroup_v2"}, found
    assert found["source_reason"] is None
    assert found["row"]["memory_bytes"] > 0
    assert found["row"]["network_receive_bytes"] is not None


async def test_the_image_sees_the_machine_whose_folders_it_is_given(
    docker: Docker, watched: Any
) -> None:
    watched_name = await watched()
    # As the papers say, but for "rslave": the lab's root is no shared mount.
    machine = ("/proc:/host/proc:ro", "/sys:/host/sys:ro", "/:/host/root:ro")
    agent = await start(docker, mounts=(SOCKET, *machine))
    await agent.create_token()
    await wait_until(lambda: agent.sees(watched_name), what="the container to be listed")
    _, info = await agent.ask("GET", "/host/info")
    assert info["view"] == {
        "processes": "host",
        "network": "host",
        "filesystems": "host",
        "hint": None,
    }
    _, disks = await agent.ask("GET", "/host/disks")
    assert ("/", "ok") in {(each["key"], each["state"]) for each in disks["filesystems"]}
    own = int(agent.url.rsplit(":", 1)[1].split("/")[0])

    async def sees_its_own_port() -> bool:
        # What is listened on is looked at every 15 seconds, first before the agent itself listens.
        _, ports = await agent.ask("GET", "/network/ports")
        return own in {each["port"] for each in ports["ports"]}

    await wait_until(sees_its_own_port, what="the agent's own port to be listed")
    _, agent_info = await agent.ask("GET", "/info")
    assert agent_info["statistics"]["source"] in {"cgroup_v1", "cgroup_v2"}


async def test_an_agent_in_a_network_of_its_own_reaches_what_others_publish(docker: Docker) -> None:
    agent = Packaged(docker, f"image-test-{free_port()}", free_port())
    web, web_port, network = f"image-web-{free_port()}", free_port(), f"image-net-{free_port()}"
    serve = ("busybox", "httpd", "-f", "-p", "80")
    label = "homelab.monitor.tcp=:80"
    there = ("--network", network, "--publish", f"{web_port}:80", "--label", label)
    here = ("--publish", f"{agent.url.rpartition(':')[2]}:8099", "--volume", SOCKET)
    await run("docker", "network", "create", network)
    try:
        await run("docker", "run", "--detach", "--name", web, *there, "busybox", *serve)
        await run("docker", "run", "--detach", "--name", agent.name, *here, IMAGE)
        await wait_until(agent.answers, what="the agent in the container to answer")
        await agent.create_token()

        async def watched_as() -> str | None:
            _, answer = await agent.ask("GET", "/monitors")
            states = [each["state"] for each in answer["monitors"] if each["container"] == web]
            return states[0] if states and states[0] != "pending" else None

        assert await wait_until(watched_as, what="the labelled container to be checked") == "up"
        _, answer = await agent.ask("GET", "/monitors/proposals")
        assert "127.0.0.1" not in str(answer)
    finally:
        await docker.remove_all(agent.name, web)
        await run("docker", "network", "rm", network)


async def test_the_agent_in_the_image_deploys_a_stack_and_takes_it_down(docker: Docker) -> None:
    agent = await start(docker)
    await agent.create_token()
    name = f"image-{free_port()}"
    body = {
        "compose": "services: {web: {image: busybox, network_mode: none, command: sleep 99}}",
        "pull": False,
        "wait_s": 60,
    }
    try:
        status, answer = await agent.ask("PUT", f"/stacks/{name}", body)
        assert (status, answer.get("outcome")) == (200, "done"), answer
        assert (await docker.inspect(f"{name}-web-1"))["State"]["Running"]
    finally:
        await run("docker", "compose", "--project-name", name, "down", "--timeout", "1")


async def test_behind_a_proxy_that_only_reads_everything_is_shown_and_nothing_changed(
    docker: Docker, watched: Any, tmp_path: Path
) -> None:
    name = await watched()
    port = free_port()
    proxy = LoggedProcess(
        ["haproxy", "-f", str(Path(__file__).parent / "socket_proxy" / "haproxy.cfg")],
        log=tmp_path / "haproxy.log",
        environment=clean_environment(PROXY_PORT=str(port)),
    )
    await proxy.start()
    try:
        agent = await start(docker, mounts=(), docker_url=f"tcp://127.0.0.1:{port}")
        await agent.create_token()
        await wait_until(lambda: agent.sees(name), what="the container to be listed")
        _, info = await agent.ask("GET", "/info")
        missing = info["engine"]["missing_rights"]
        assert {"containers_control", "containers_change", "images_change"} <= set(missing)
        assert not {"containers_read", "images_read", "events", "info"} & set(missing)
        status, answer = await agent.ask("POST", f"/containers/{name}/stop")
        assert status == 403, answer
        assert (await docker.inspect(name))["State"]["Status"] == "running"
        await docker.pause(name)

        async def paused() -> bool:
            _, container = await agent.ask("GET", f"/containers/{name}")
            return bool(container["state"] == "paused")

        await wait_until(paused, what="the pause to be seen through the proxy")
    finally:
        await proxy.stop()


async def test_every_option_of_the_app_is_taken(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text(json.dumps(APP_OPTIONS))
    agent = await start(docker, mounts=(SOCKET, f"{tmp_path}:/data"))
    await agent.create_token()
    _, info = await agent.ask("GET", "/info")
    assert info["name"] == "Shed"
    assert info["settings"]["protect"] == ["database"]


async def test_the_app_watches_home_assistants_certificate_and_leaves_its_own_beside_it(
    docker: Docker, tmp_path: Path
) -> None:
    (data := tmp_path / "data").mkdir()
    (ssl := tmp_path / "ssl").mkdir()
    options = {**APP_OPTIONS, "trusted_ca_file": "/ssl/fullchain.pem"}
    (data / "options.json").write_text(json.dumps(options))
    certificate, key = ssl / "fullchain.pem", ssl / "privkey.pem"
    await run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90"),
        *("-subj", "/CN=home.example.org", "-addext", "subjectAltName=DNS:home.example.org"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-keyout", str(key), "-out", str(certificate)),
    )
    agent = await start(docker, mounts=(SOCKET, f"{data}:/data", f"{ssl}:/ssl"))
    await agent.create_token()

    async def watched_files() -> list[str] | None:
        _, answer = await agent.ask("GET", "/certificates")
        return [each["path"] for each in answer["certificates"] if each["path"]] or None

    found = await wait_until(watched_files, what="the certificate in /ssl to be found")
    assert found == ["/ssl/fullchain.pem"]
    own = {"certificate_pem": certificate.read_text(), "key_pem": key.read_text()}
    status, answer = await agent.ask("POST", "/managed-certificates/upload", own)
    assert status in {200, 201}, answer
    handed_over = ssl / "homelab" / "home.example.org" / "privkey.pem"
    assert handed_over.read_text() == key.read_text()


async def test_an_app_with_a_wrong_option_says_which_instead_of_guessing(
    docker: Docker, tmp_path: Path
) -> None:
    (tmp_path / "options.json").write_text(json.dumps({"log_levle": "info"}))
    name = f"image-test-{free_port()}"
    await docker.create(name, image=IMAGE, command=(), Binds=[f"{tmp_path}:/data"])
    async with asyncio.timeout(90):
        ended = await docker.call("POST", f"/containers/{name}/wait")
    assert ended["StatusCode"] == 2
    assert "log_levle" in await run("docker", "logs", name)


async def test_an_app_whose_protection_mode_is_on_runs_and_says_that_docker_is_away(
    docker: Docker,
) -> None:
    agent = await start(docker, mounts=())
    await agent.create_token()
    _, info = await agent.ask("GET", "/info")
    assert info["engine"]["connection"] == "unavailable"
    assert "/var/run/docker.sock" in info["engine"]["reason"]
