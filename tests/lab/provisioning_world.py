"""The end-to-end world of provisioning: every part of it is real.

Knot with a second server, a Caddy with another person's site, pebble, a container that serves
HTTP, and the agent as a process. Between the agent and each of them is a relay, so that a test can
stop the world at the call of its choice.
"""

import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientError

from tests.fakes.gated_relay import Gate, GatedRelay, open_gate
from tests.harness.agent import Agent
from tests.harness.caddy import Caddy
from tests.harness.docker import Docker
from tests.harness.knot import ALGORITHM, Knot
from tests.harness.pebble import Pebble, PebbleOptions
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

ZONE = "home.example"
SAYS = "the photos of the container"
SERVES = (
    "sh",
    "-c",
    f"mkdir -p /www && echo '{SAYS}' > /www/index.html && exec httpd -f -p 8080 -h /www",
)
QUICK = {
    "HOMELAB_PROVISION_STEP_S": "4",
    "HOMELAB_PROVISION_PROPAGATION_S": "8",
    "HOMELAB_PROVISION_CERTIFICATE_S": "5",
    "HOMELAB_PROVISION_UNDO_S": "60",
}
"""An agent that soon gives up what it waits for in vain."""

QUICK_BUT_FOR_CERTIFICATES = {**QUICK, "HOMELAB_PROVISION_PROPAGATION_S": "30"}
"""The same where no name server stays behind: a busy machine may be slow to get a certificate."""

ENDED_S = 120


class ProvisioningWorld:
    """All of it. `relays` are "dns", "caddy", "front" (Caddy's HTTPS) and "pebble"."""

    def __init__(
        self, folder: Path, agent: Agent, knot: Knot, caddy: Caddy, pebble: Pebble, docker: Docker
    ) -> None:
        self.folder = folder
        self.agent = agent
        self.knot = knot
        self.caddy = caddy
        self.pebble = pebble
        self.docker = docker
        self.relays: dict[str, GatedRelay] = {}
        self.container = f"provision-{secrets.token_hex(4)}"
        self.token = ""
        self.secrets: dict[str, str] = {}
        """Every secret that was used, by what it is."""

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return the agent's status and answer."""
        return await self.agent.ask(method, path, body, token=self.token)

    async def asked(self, method: str, path: str, body: object = None) -> Any:
        """Return the agent's answer; it has to be a good one."""
        status, answer = await self.ask(method, path, body)
        assert status < 300, (status, answer, self.agent_log())
        return answer

    async def provision(self, name: str, **changes: object) -> str:
        """Begin to provision; return the job's id."""
        # An agent that was just started again may not have reached Docker yet, and of a container
        # that was just started again it may not have heard.
        await wait_until(self._sees_the_container_run, what="the container to be seen running")
        body = {"name": name, "container": self.container, "ipv4": "127.0.0.1", "wait_s": 0}
        answer = await self.asked("POST", "/provisioning", body | changes)
        job_id: str = answer["job"]["id"]
        return job_id

    async def deprovision(self, name: str, **changes: object) -> str:
        """Begin to take back; return the job's id."""
        body = {"forget": True, "wait_s": 0} | changes
        answer = await self.asked("POST", f"/provisioning/{name}/remove", body)
        job_id: str = answer["job"]["id"]
        return job_id

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as it is."""
        found: dict[str, Any] = await self.asked("GET", f"/jobs/{job_id}")
        return found

    async def ended(self, job_id: str, *, within_s: float = ENDED_S) -> dict[str, Any]:
        """Return a job once it has ended, whatever becomes of the agent meanwhile."""

        async def has_ended() -> dict[str, Any] | None:
            try:
                job = await self.job(job_id)
            except ClientError:
                return None
            return job if job["state"] == "finished" else None

        return await wait_until(has_ended, what=f"the end of {job_id}", within_s=within_s)

    async def step_of(self, name: str) -> str | None:
        """Return the step that the job of a domain is at; None: it goes back, or there is none."""
        page = await self.asked("GET", f"/jobs?state=running&target=domain:{name}")
        steps = (each for job in page["jobs"] for each in job["steps"])
        return next((each["name"] for each in steps if each["state"] == "doing"), None)

    async def is_waiting(self, name: str) -> bool:
        """Return whether the job of a domain says for whom it waits."""
        page = await self.asked("GET", f"/jobs?state=running&target=domain:{name}")
        return any("Waiting for" in (job["message"] or "") for job in page["jobs"])

    async def has_ended(self, name: str) -> bool:
        """Return whether no job of a domain is under way."""
        page = await self.asked("GET", f"/jobs?target=domain:{name}&limit=1")
        return all(job["state"] == "finished" for job in page["jobs"])

    async def picture(self) -> dict[str, Any]:
        """Return everything outside of the agent's memory that provisioning changes, to compare.

        The zone without its serial, Caddy's configuration as canonical JSON, the files of
        certificates, and what is kept of domains and routes.
        """
        await self.knot.wait_until_in_step(ZONE)
        domains = await self.asked("GET", "/domains")
        routes = await self.asked("GET", "/proxy/routes")
        certificates = self.agent.data_dir / "certificates"
        return {
            "zone": await self.knot.zone_text(ZONE),
            "caddy": json.dumps(await self.caddy.config(), sort_keys=True),
            "files": {
                str(file.relative_to(certificates)): file.read_bytes()
                for file in sorted(certificates.rglob("*"))
                if file.is_file() and "account" not in file.name
            },
            "domains": [each["id"] for each in domains["domains"]],
            "routes": [each["key"] for each in routes["routes"]],
        }

    async def serves(self, name: str) -> bool:
        """Return whether the container is served at a name, with a certificate of pebble."""
        try:
            answer = await self.caddy.get(name, authority=self.root, timeout_s=20)
        except ClientError, OSError, TimeoutError:
            return False
        return answer.status == 200 and SAYS in answer.text

    @property
    def root(self) -> Path:
        """The authority to trust."""
        return self.folder / "root.pem"

    def set_gate(self, gate: Gate) -> None:
        """Have every call decided by `gate`."""
        for relay in self.relays.values():
            relay.gate = gate

    def open_gates(self) -> None:
        """Let everything through again; who waits is cut off."""
        self.set_gate(open_gate)
        for relay in self.relays.values():
            relay.release()

    def agent_log(self) -> str:
        """Return the end of the agent's log."""
        return self.agent.log.read_text(errors="replace")[-3000:] if self.agent.log.exists() else ""

    async def set_up(self) -> None:
        """Tell the agent of everything."""
        self.token = await self.agent.create_token("test", "admin")
        await self.asked(
            "POST",
            "/dns/providers",
            {
                "key": "knot",
                "name": "Knot",
                "name_servers": list(self.knot.servers),
                "settings": {
                    "type": "rfc2136",
                    "server": f"127.0.0.1:{self.relays['dns'].port}",
                    "key_name": self.knot.key_name,
                    "key_algorithm": ALGORITHM,
                    "key_secret": self.knot.key_secret,
                    "zones": [ZONE],
                },
            },
        )
        self.secrets["TSIG key"] = self.knot.key_secret
        await self.asked(
            "PUT",
            "/proxy/setup",
            {
                "mode": "own",
                "admin": f"unix/{self.folder / 'caddy-relay.sock'}",
                "address": "127.0.0.1",
                "http_port": self.caddy.http_port,
                "https_port": self.relays["front"].port,
            },
        )
        await self.asked(
            "PUT",
            "/acme/account",
            {
                "directory": f"https://127.0.0.1:{self.relays['pebble'].port}/dir",
                "terms_agreed": True,
                "authority_pem": self.pebble.api_ca_file.read_text(),
            },
        )
        await wait_until(self._is_ready, what="the container and the proxy to be known")

    async def _is_ready(self) -> bool:
        proxy = await self.asked("GET", "/proxy")
        return await self._sees_the_container_run() and proxy["status"]["reach"] == "ok"

    async def _sees_the_container_run(self) -> bool:
        status, found = await self.ask("GET", f"/containers/{self.container}")
        return bool(status == 200 and found["state"] == "running")


@asynccontextmanager
async def provisioning_world(
    folder: Path,
    *,
    settings: Mapping[str, str] | None = None,
    pebble_options: Mapping[str, Any] | None = None,
    prefix: Sequence[str] = (),
) -> AsyncIterator[ProvisioningWorld]:
    """Give the world, set up and with nothing provisioned. `prefix`: what runs the agent."""
    http_port, https_port = free_port(), free_port()
    async with AsyncExitStack() as stack:
        knot = await stack.enter_async_context(Knot({ZONE: "www 300 A 192.0.2.80"}))
        options = PebbleOptions(
            dns_server=knot.primary.server,
            http_port=http_port,
            tls_port=https_port,
            **(pebble_options or {}),
        )
        pebble = await stack.enter_async_context(Pebble(folder / "pebble", options))
        caddy = await stack.enter_async_context(
            Caddy(
                folder / "caddy",
                http_port=http_port,
                https_port=https_port,
                acme_directory=pebble.directory,
                acme_root=pebble.api_ca_file,
            )
        )
        await pebble.write_root(folder / "root.pem")
        docker = await stack.enter_async_context(Docker())
        agent = Agent(
            folder / "agent",
            settings={
                "HOMELAB_TRUSTED_CA_FILE": str(folder / "root.pem"),
                "HOMELAB_DNS_RESOLVERS": knot.primary.server,
                **(settings or {}),
            },
            prefix=prefix,
        )
        world = ProvisioningWorld(folder, agent, knot, caddy, pebble, docker)
        await docker.create(
            world.container,
            command=SERVES,
            config={"ExposedPorts": {"8080/tcp": {}}},
            NetworkMode="bridge",
            PortBindings={"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(free_port())}]},
        )
        local = ("127.0.0.1", 0)
        for relay in (
            GatedRelay("dns", (knot.primary.address, 53), local),
            GatedRelay("caddy", str(caddy.admin_socket), str(folder / "caddy-relay.sock")),
            GatedRelay("front", ("127.0.0.1", https_port), local),
            GatedRelay("pebble", ("127.0.0.1", pebble.port), local),
        ):
            world.relays[relay.name] = await stack.enter_async_context(relay)
        await stack.enter_async_context(agent)
        await world.set_up()
        yield world
