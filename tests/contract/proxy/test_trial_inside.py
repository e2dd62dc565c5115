"""A route is tried in the very container in which Caddy runs, which notices nothing of it."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest

from homelab_agent.areas.containers.models import CONTAINER_KIND, Container
from homelab_agent.areas.proxy.caddy_errors import CaddyRefuses
from homelab_agent.areas.proxy.dry_run import DryRun
from homelab_agent.areas.proxy.kept import PlacedRoute
from homelab_agent.areas.proxy.models import RouteBody, RouteCertificate
from homelab_agent.areas.proxy.trying_inside import CaddyInside
from homelab_agent.platform.engine.docker.execution import DockerExecution
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.models import ContainerState
from tests.contract.proxy.bench import HOST, ProxyBench, proxy_bench
from tests.fakes.containers import container
from tests.fakes.socket_proxy import socket_proxy, without
from tests.harness.caddy import program_files
from tests.harness.docker import SOCKET, Docker
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.skipif(not Path(SOCKET).exists(), reason="no Docker here")

BODY = RouteBody(upstreams=("127.0.0.1:9",), certificate=RouteCertificate.NONE)


@dataclass
class Caddy:
    """A Caddy in a container; `row` is how the agent shows that."""

    docker: Docker
    admin: str
    row: Container

    async def changed_files(self) -> str:
        """Return every file that is not as in the image."""
        changes = await self.docker.call("GET", f"/containers/{self.row.id}/changes")
        return json.dumps(sorted(changes or [], key=lambda each: str(each["Path"])))


@pytest.fixture
async def caddy() -> AsyncIterator[Caddy]:
    folder = Path(tempfile.mkdtemp(prefix="caddy-", dir="/tmp"))
    settings = {"admin": {"listen": "unix//run/p/admin.sock|0666"}, "apps": {"http": {}}}
    (folder / "caddy.json").write_text(json.dumps(settings))
    name = f"proxy-trial-{token_hex(4)}"
    program = [f"{each}:{each}:ro" for each in await asyncio.to_thread(program_files)]
    async with Docker() as docker:
        identity = await docker.create(
            name,
            command=("caddy", "run", "--config", "/run/p/caddy.json"),
            config={"Env": ["PATH=/usr/bin", "HOME=/root"]},
            Binds=[f"{folder}:/run/p", *program],
        )
        row = container(name, id_=identity, image="registry.test/caddy:2", name=name)

        async def answers() -> bool:
            return (folder / "admin.sock").exists()

        await wait_until(answers, what="Caddy in its container")
        yield Caddy(docker, f"unix/{folder}/admin.sock", row)
    await asyncio.to_thread(shutil.rmtree, folder, True)


@asynccontextmanager
async def seeing(
    caddy: Caddy, folder: Path, url: str = f"unix://{SOCKET}"
) -> AsyncIterator[tuple[ProxyBench, DockerExecution]]:
    transport = Transport(url)
    execution = DockerExecution(transport)
    async with proxy_bench(folder, caddy.admin, execution=execution) as bench:
        bench.resources.publish(CONTAINER_KIND, caddy.row.key, caddy.row)
        yield bench, execution
    await transport.close()


async def test_a_route_is_tried_where_caddy_is_and_leaves_no_trace_there(
    caddy: Caddy, tmp_path: Path
) -> None:
    async with seeing(caddy, tmp_path) as (bench, execution):
        before = await caddy.changed_files(), (await bench.editor.look()).document
        plan = await bench.service.plan(HOST, BODY)
        assert (plan.validated, plan.warnings) == (True, ())
        inside = CaddyInside(execution, bench.resources, bench.book, bench.board.status)
        wrong = PlacedRoute(
            server="main", listen=":443", index=0, route={"handle": [{"handler": "no_such_thing"}]}
        )
        with pytest.raises(CaddyRefuses, match=r"unknown module: http\.handlers\.no_such_thing"):
            await DryRun(inside).try_routes([wrong])
        assert (await caddy.changed_files(), (await bench.editor.look()).document) == before


async def test_where_it_cannot_be_tried_the_plan_says_why(caddy: Caddy, tmp_path: Path) -> None:
    async with (
        socket_proxy(SOCKET, without(r"/containers/\w+/exec")) as proxy,
        seeing(caddy, tmp_path, proxy.url) as (bench, _),
    ):
        plan = await bench.service.plan(HOST, BODY)
        assert (plan.validated, len(plan.warnings)) == (False, 1)
        assert "forbids running programs in containers" in plan.warnings[0]

        # Which of two it is, is not guessed; and one that does not run is none.
        other = caddy.row.model_copy(update={"key": "other", "name": "other"})
        bench.resources.publish(CONTAINER_KIND, other.key, other)
        (warning,) = (await bench.service.plan(HOST, BODY)).warnings
        assert warning.endswith("Caddy is in no container that the agent knows.")
        for row in (caddy.row, other):
            ended = row.model_copy(update={"state": ContainerState.EXITED})
            bench.resources.publish(CONTAINER_KIND, row.key, ended)
        assert (await bench.service.plan(HOST, BODY)).warnings == (warning,)
