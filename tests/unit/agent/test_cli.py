"""The command as a person uses it: a process of its own, with its exit code and its words."""

import asyncio
import json
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, Fingerprint, WSMsgType, WSServerHandshakeError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from homelab_agent import __version__
from homelab_agent.address_file import local_url
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

ADDON = Path(__file__).parents[3] / "addon"
COMMAND = (sys.executable, "-m", "homelab_agent")
TOKEN = re.compile(r"hl_[0-9a-f]{8}_[\w-]{43}")


@dataclass
class Ran:
    """What a command did."""

    code: int | None
    output: str
    errors: str

    def refused(self, *words: str) -> None:
        """Check that it ended with one sentence that holds `words`, after its log if any."""
        self.ended(2, *words)

    def ended(self, code: int, *words: str) -> None:
        """The same with another exit code."""
        assert self.code == code, self.errors
        assert self.output == ""
        *log, sentence = self.errors.strip().splitlines()
        assert sentence.startswith("homelab-agent: ")
        assert all(line.startswith("{") for line in log)
        assert "Traceback" not in self.errors
        for word in words:
            assert word in sentence


class Program:
    """The command with the settings of one test."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.environment = clean_environment(
            HOMELAB_DATA_DIR=str(data_dir),
            HOMELAB_LISTEN="127.0.0.1:0",
            HOMELAB_MDNS="false",
            PYTHONPATH=str(ADDON),
        )

    async def run(self, *arguments: str, **environment: str) -> Ran:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            env=self.environment | environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(30):
                output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Ran(process.returncode, output.decode(), errors.decode())

    @asynccontextmanager
    async def serving(self, *arguments: str, **environment: str) -> AsyncIterator[Serving]:
        self.data_dir.mkdir(exist_ok=True)
        process = LoggedProcess(
            [*COMMAND, *arguments],
            log=self.data_dir.parent / "log",
            environment=self.environment | environment,
        )
        await process.start()
        try:
            yield await Serving(process, self.data_dir).ready()
        finally:
            await process.stop()


class Serving:
    """A running agent."""

    def __init__(self, process: LoggedProcess, data_dir: Path) -> None:
        self.process = process
        self.url = ""
        self._address = data_dir / "address"

    async def ready(self) -> Serving:
        self.url = await wait_until(self._read, what="the address", within_s=30)
        return self

    async def _read(self) -> str | None:
        self.process.require_running()
        return self._address.read_text().strip() if self._address.exists() else None

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.process.log.read_text().splitlines()]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "data")


async def test_a_person_sees_the_version_and_what_there_is(program: Program) -> None:
    assert (await program.run("--version")).output == f"homelab-agent {__version__}\n"
    shown = await program.run("--help")
    assert shown.code == 0
    assert all(word in shown.output for word in ("serve", "token", "openapi", "health", "--demo"))
    alone = await program.run()
    assert alone.code == 64
    assert "serve" in alone.errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LISTEN", "nowhere"),
        ("LISTEN", "127.0.0.1:99999"),
        ("LOG_LEVEL", "loud"),
        ("DOCKER_URL", "ftp://docker"),
        ("DOCKER_URL", "unix://relative"),
        ("DATA_DIR", "~nobody-here/x"),
        ("PROTECTED", "minecraft"),
        ("TLS", "maybe"),
        ("ACTIVITY_RETENTION_DAYS", "0"),
    ],
)
async def test_a_wrong_setting_is_named(program: Program, name: str, value: str) -> None:
    refused = await program.run("serve", **{f"HOMELAB_{name}": value})
    refused.refused()
    assert name.lower() in refused.errors.lower()


async def test_an_unknown_setting_in_the_file_is_named_with_the_file(
    program: Program, tmp_path: Path
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('color = "red"\n')
    (await program.run("serve", "--config", str(file))).refused("color", str(file))
    file.write_text("listen = [\n")
    (await program.run("serve", "--config", str(file))).refused(str(file))
    file.write_text(f"listen = {'[' * 20000}\n")
    (await program.run("serve", "--config", str(file))).refused(str(file))
    file.write_text('data_dir = "/tmp/a\\u0000b"\n')
    named = await program.run("serve", "--config", str(file), HOMELAB_DATA_DIR="")
    named.refused("data_dir", str(file))
    (await program.run("--config", str(tmp_path / "none.toml"), "serve")).refused("none.toml")


async def test_a_certificate_that_is_missing_is_named(program: Program) -> None:
    environment = {
        "HOMELAB_TLS": "files",
        "HOMELAB_TLS_CERTIFICATE": "/nowhere/c.pem",
        "HOMELAB_TLS_KEY": "/nowhere/k.pem",
    }
    (await program.run("serve", **environment)).refused("/nowhere/c.pem")


async def test_a_certificate_with_a_passphrase_does_not_leave_the_start_waiting(
    program: Program, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agent")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "k.pem").write_bytes(encrypted)
    (tmp_path / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    environment = {
        "HOMELAB_TLS": "files",
        "HOMELAB_TLS_CERTIFICATE": str(tmp_path / "c.pem"),
        "HOMELAB_TLS_KEY": str(tmp_path / "k.pem"),
    }
    (await program.run("serve", "--demo", **environment)).refused("tls_key is encrypted")


@pytest.mark.parametrize("file", ["tls.pem.new", "address.new", "address"])
async def test_a_file_that_the_data_folder_does_not_take_is_named(
    program: Program, file: str
) -> None:
    in_the_way = program.data_dir / file
    in_the_way.mkdir(parents=True)
    (in_the_way / "something").write_text("")
    refused = await program.run("serve", "--demo", HOMELAB_TLS="self_signed")
    refused.refused(str(in_the_way.with_suffix("")), "cannot be written")


async def test_an_address_that_no_database_has_is_named(program: Program) -> None:
    wrong = "sqlite+aiosqlite://x/y"
    (await program.run("serve", HOMELAB_DATABASE_URL=wrong)).refused("database_url", wrong)


async def test_a_broken_store_keeps_the_agent_from_starting_and_is_named(program: Program) -> None:
    program.data_dir.mkdir()
    database = program.data_dir / "homelab.db"
    database.write_bytes(b"this is no database" * 100)
    (await program.run("serve")).refused(str(database))
    (await program.run("token", "list")).refused(str(database))
    assert database.read_bytes() == b"this is no database" * 100


async def test_a_store_that_fails_the_running_agent_ends_it_with_one_sentence(
    program: Program,
) -> None:
    await program.run("token", "list")
    with closing(sqlite3.connect(program.data_dir / "homelab.db")) as store:
        store.execute("DROP TABLE maintenance_window")
    failed = await program.run("serve", "--demo")
    failed.refused("The store cannot be used", "maintenance_window")


async def test_a_data_folder_that_cannot_be_written_is_named(program: Program) -> None:
    refused = await program.run("serve", HOMELAB_DATA_DIR="/proc/nothing")
    refused.refused("/proc/nothing")


async def test_tokens_are_made_listed_and_revoked(program: Program) -> None:
    made = await program.run("token", "create", "--name", "home-assistant", "--scope", "operate")
    assert made.code == 0
    assert TOKEN.fullmatch(made.output.strip())
    assert made.errors == ""
    listed = await program.run("token", "list")
    assert "home-assistant" in listed.output
    assert "operate" in listed.output
    assert made.output.strip() not in listed.output
    twice = await program.run("token", "create", "--name", "home-assistant", "--scope", "read")
    twice.refused("home-assistant")
    revoked = await program.run("token", "revoke", "home-assistant")
    assert "home-assistant" in revoked.output
    (await program.run("token", "revoke", "home-assistant")).refused("home-assistant")
    assert (await program.run("token", "list")).output == ""


async def test_a_token_with_a_wrong_scope_or_name_is_refused(program: Program) -> None:
    wrong = await program.run("token", "create", "--name", "x", "--scope", "root")
    assert wrong.code == 64
    assert "operate" in wrong.errors
    (await program.run("token", "create", "--name", "", "--scope", "read")).refused("name")


@pytest.mark.parametrize("wrong", ["--fromat=json", "--format=yaml"])
async def test_a_script_tells_a_mistyped_check_from_a_service_that_is_down(
    program: Program, wrong: str
) -> None:
    ran = await program.run("check", wrong)
    assert ran.code == 64
    assert wrong.partition("=")[2] in ran.errors
    assert ran.output == ""


async def test_a_script_tells_an_agent_that_cannot_be_asked_from_a_service_that_is_down(
    program: Program,
) -> None:
    none_runs = await program.run("check")
    assert none_runs.code == 3
    assert "No agent runs" in none_runs.errors
    not_readable = await program.run("check", HOMELAB_LISTEN="nowhere")
    assert not_readable.code == 3
    assert "HOMELAB_LISTEN" in not_readable.errors


async def test_the_description_is_what_is_committed(program: Program) -> None:
    assert (await program.run("openapi")).output == (ADDON / "openapi.json").read_text()
    stream = await program.run("openapi", "--stream")
    assert stream.output == (ADDON / "stream.schema.json").read_text()


async def test_a_reader_that_has_enough_is_no_error(program: Program) -> None:
    shell = f"{' '.join(COMMAND)} openapi | head -n 1"
    process = await asyncio.create_subprocess_shell(
        shell,
        env=program.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert (output, errors) == (b"{\n", b"")


async def test_health_says_that_nobody_is_there(program: Program) -> None:
    # With the exit code that Docker's health check knows.
    (await program.run("health")).ended(1, str(program.data_dir))
    (await program.run("health", "--url", "http://127.0.0.1:9")).ended(1, "127.0.0.1:9")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "http://[",
        "http://",
        ":abc",
        "http://127.0.0.1:abc",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:9/a b",
        "http://127.0.0.1:9/\N{BLACK HEART SUIT}",
    ],
)
async def test_an_address_that_health_cannot_ask_is_named(program: Program, url: str) -> None:
    (await program.run("health", "--url", url)).ended(1, url)


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"",
    ],
)
async def test_health_says_that_somebody_else_answers_there(program: Program, said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        (await program.run("health", "--url", url)).ended(1, url)


async def test_an_address_left_where_nobody_can_read_it_is_named(program: Program) -> None:
    address = program.data_dir / "address"
    address.mkdir(parents=True)
    (await program.run("health")).ended(1, str(address))


async def test_a_certificate_that_went_away_is_named_by_health(program: Program) -> None:
    program.data_dir.mkdir()
    (program.data_dir / "address").write_text("https://127.0.0.1:9\n")
    asked = await program.run("health", HOMELAB_TLS="self_signed")
    asked.ended(1, str(program.data_dir / "tls.pem"))


async def test_health_asks_the_agent_itself_and_no_proxy(program: Program) -> None:
    program.environment["http_proxy"] = "http://127.0.0.1:9"
    async with program.serving("serve", "--demo"):
        assert await healthy(program, "ok")


@pytest.mark.parametrize("arguments", [("--demo",), ("serve", "--demo"), ("--demo", "serve")])
async def test_the_demo_needs_no_docker(program: Program, arguments: tuple[str, ...]) -> None:
    async with program.serving(*arguments) as agent:
        # Whoever comes at once finds everything there.
        assert await healthy(program, "ok")
        token = (await program.run("token", "create", "--name", "a", "--scope", "read")).output
        answer = await ask(agent, "/api/v1/containers", token)
        containers = answer["containers"]
        assert isinstance(containers, list)
        assert len(containers) > 3
        assert (await ask(agent, "/api/v1/info", token))["demo"] is True


async def healthy(program: Program, status: str) -> bool:
    return (await program.run("health")).output.startswith(f"{status} ")


async def ask(agent: Serving, path: str, token: str = "") -> dict[str, object]:
    headers = {"Authorization": f"Bearer {token.strip()}"}
    async with ClientSession() as session, session.get(agent.url + path, headers=headers) as answer:
        found = await answer.json(content_type=None)
        assert isinstance(found, dict)
        return found


async def test_without_docker_the_agent_runs_and_says_so(program: Program, tmp_path: Path) -> None:
    socket = f"unix://{tmp_path}/no-such.sock"
    async with program.serving("serve", HOMELAB_DOCKER_URL=socket) as agent:
        assert await healthy(program, "degraded")
        token = (await program.run("token", "create", "--name", "a", "--scope", "operate")).output
        info = await ask(agent, "/api/v1/info", token)
        assert isinstance(info["engine"], dict)
        assert info["engine"]["connection"] == "unavailable"
        refused = await ask(agent, "/api/v1/containers", token)
        assert (refused["status"], refused["code"]) == (503, "unavailable")
        assert "since" in refused
        assert (await ask(agent, "/api/v1/activity", token))["entries"] == []
        assert (await ask(agent, "/api/v1/jobs", token))["jobs"] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_agent_ends_in_order_when_it_is_told_to(
    program: Program, number: signal.Signals
) -> None:
    async with program.serving("serve", "--demo") as agent:
        token = (await program.run("token", "create", "--name", "a", "--scope", "read")).output
        headers = {"Authorization": f"Bearer {token.strip()}"}
        async with (
            ClientSession() as session,
            session.ws_connect(f"{agent.url}/api/v1/stream", headers=headers) as stream,
        ):
            await stream.receive()
            await stream.send_json({"type": "subscribe"})
            await stream.receive()
            process = agent.process._process
            assert process is not None
            process.send_signal(number)
            async with asyncio.timeout(10):
                while (await stream.receive()).type is WSMsgType.TEXT:
                    pass
            assert stream.close_code == 1001
        assert await agent.process.stop() == 0
        assert not (program.data_dir / "address").exists()
        said = [event["event"] for event in agent.events()]
        assert "stopping" in said
        assert said[-1] == "stopped"
        assert not [event for event in agent.events() if event["level"] == "error"]


async def test_a_revoked_token_is_of_no_use_while_the_agent_runs(program: Program) -> None:
    async with program.serving("serve", "--demo") as agent:
        token = (await program.run("token", "create", "--name", "a", "--scope", "read")).output
        headers = {"Authorization": f"Bearer {token.strip()}"}
        async with ClientSession() as session:
            async with session.ws_connect(f"{agent.url}/api/v1/stream", headers=headers) as stream:
                await stream.receive()
                await stream.send_json({"type": "subscribe", "kinds": ["agent"]})
                await stream.receive()
                await program.run("token", "revoke", "a")
                async with asyncio.timeout(30):
                    await stream.receive()
                assert stream.close_code == 4001
            with pytest.raises(WSServerHandshakeError) as refused:
                await session.ws_connect(f"{agent.url}/api/v1/stream", headers=headers)
            assert refused.value.status == 401


async def test_two_agents_do_not_share_a_data_folder_or_a_port(
    program: Program, tmp_path: Path
) -> None:
    async with program.serving("serve", "--demo") as agent:
        (await program.run("serve", "--demo")).refused(str(program.data_dir))
        other = {
            "HOMELAB_DATA_DIR": str(tmp_path / "other"),
            "HOMELAB_LISTEN": agent.url.removeprefix("http://"),
        }
        (await program.run("serve", "--demo", **other)).refused("listen")


async def test_the_certificate_can_be_pinned_from_what_the_agent_says(program: Program) -> None:
    program.environment["HOMELAB_TLS"] = "self_signed"
    async with program.serving("serve", "--demo") as agent:
        said = (await program.run("health")).output
        fingerprint = said.strip().rpartition("fingerprint=")[2]
        assert len(fingerprint) == 64
        listening = next(each for each in agent.events() if each["event"] == "listening")
        assert listening["fingerprint"] == fingerprint
        pin = Fingerprint(bytes.fromhex(fingerprint))
        async with (
            ClientSession() as session,
            session.get(f"{agent.url}/api/v1/health", ssl=pin) as answer,
        ):
            assert answer.status == 200
        # Somebody else's certificate is not simply trusted.
        (await program.run("health", "--url", agent.url)).ended(1, agent.url)


async def test_an_app_whose_supervisor_is_away_serves_all_the_same(program: Program) -> None:
    more = {
        "SUPERVISOR_TOKEN": "the-token-of-the-supervisor",
        "HOMELAB_LISTEN": "0.0.0.0:0",  # the setting's default address
        "HOMELAB_MDNS": "true",
    }
    async with program.serving("serve", "--demo", **more) as agent:
        assert agent.url.startswith("http://127.0.0.1:")

        async def tried() -> bool:
            return "supervisor_discovery_failed" in agent.process.log.read_text()

        await wait_until(tried, what="the attempt", within_s=20)
        await wait_until(lambda: healthy(program, "ok"), what="health")
        assert "the-token-of-the-supervisor" not in agent.process.log.read_text()
        assert await agent.process.stop() == 0


def test_the_address_that_is_left_is_one_that_can_be_reached() -> None:
    assert local_url("0.0.0.0", 1, tls=False) == "http://127.0.0.1:1"  # noqa: S104
    assert local_url("::", 1, tls=True) == "https://[::1]:1"
    assert local_url("192.0.2.1", 1, tls=False) == "http://192.0.2.1:1"


async def test_a_mistake_of_our_own_is_no_trace_either(program: Program) -> None:
    # A port that cannot be a port is refused by the settings; a host that cannot be one here.
    refused = await program.run("serve", "--demo", HOMELAB_LISTEN="not a host:0")
    refused.refused("not a host")
