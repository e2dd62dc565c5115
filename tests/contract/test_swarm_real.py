"""A real swarm of one host: what is shown follows what happens, and changes do not get lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from homelab_agent.areas.swarm.jobs import SwarmJobs
from homelab_agent.areas.swarm.models import (
    SWARM_KEY,
    SWARM_KIND,
    SWARM_NODE_KIND,
    SWARM_SERVICE_KIND,
    Swarm,
    SwarmService,
)
from homelab_agent.areas.swarm.protection import SwarmProtection
from homelab_agent.areas.swarm.service import SwarmArea
from homelab_agent.areas.swarm.watch import SwarmWatch
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.engine.docker.rights import missing_rights
from homelab_agent.platform.engine.docker.swarm import DockerSwarm
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.labels import PROTECT
from homelab_agent.platform.engine.swarm import SwarmRole
from homelab_agent.platform.errors import Conflict, NotFound, Protected
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.fakes.commanded import commanded
from tests.harness.docker import SLEEP_FOREVER, Docker
from tests.harness.private_engine import PrivateEngine
from tests.harness.waiting import wait_until

PERSON = Caller(name="person", scope=Scope.ADMIN)
IMAGE = "busybox"


@dataclass
class Live:
    """The swarm area on a real engine."""

    area: SwarmArea
    watch: SwarmWatch
    resources: Resources
    docker: Docker
    transport: Transport

    def service(self, name: str) -> SwarmService | None:
        found = self.resources.get(SWARM_SERVICE_KIND, name)
        return found if isinstance(found, SwarmService) else None

    @property
    def place(self) -> Swarm:
        found = self.resources.get(SWARM_KIND, SWARM_KEY)
        assert isinstance(found, Swarm)
        return found

    async def until_it_is(self, role: SwarmRole) -> None:
        async def is_it() -> bool:
            return self.place.role is role

        await wait_until(is_it, what=f"the role {role}", within_s=30)

    async def create(self, name: str, mode: dict[str, Any]) -> str:
        answer = await self.docker.call(
            "POST",
            "/services/create",
            json={
                "Name": name,
                "Labels": {"com.docker.stack.namespace": "shop"},
                "Mode": mode,
                "TaskTemplate": {
                    "ContainerSpec": {"Image": IMAGE, "Command": list(SLEEP_FOREVER)},
                    "Networks": [{"Target": "host"}],
                },
            },
        )
        return str(answer["ID"])


@asynccontextmanager
async def live(engine: PrivateEngine, folder: Path) -> AsyncIterator[Live]:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'homelab.db'}", folder)
    resources = Resources()
    runner = JobRunner(store, resources, utc_now, Audit(store, utc_now))
    transport = Transport(engine.url)
    swarm = DockerSwarm(transport)
    watch = SwarmWatch(swarm, resources, interval_s=5)
    for kind in SwarmJobs(swarm, watch).kinds():
        runner.register(kind)
    of_containers = folder / "containers"
    of_containers.mkdir()
    async with (
        commanded(engine.url, of_containers) as containers,
        Docker(engine.socket) as docker,
    ):
        await containers.live.connected()
        protection = SwarmProtection(swarm, containers.service)
        following = asyncio.create_task(watch.run())
        try:
            area = SwarmArea(watch, protection, resources, runner)
            yield Live(area, watch, resources, docker, transport)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await runner.close()
            await transport.close()
            await store.close()


@pytest.mark.timeout(240)
async def test_a_swarm_is_shown_and_told_what_to_do(tmp_path: Path) -> None:
    async with PrivateEngine() as engine:
        await engine.copy_image(IMAGE)
        async with live(engine, tmp_path) as agent:
            await outside_of_a_swarm(agent)
            await loopback_up(engine)
            init = {"ListenAddr": "127.0.0.1:24377", "AdvertiseAddr": "127.0.0.1"}
            await agent.docker.call("POST", "/swarm/init", json=init)
            await agent.until_it_is(SwarmRole.MANAGER)
            web = await agent.create("web", {"Replicated": {"Replicas": 1}})
            await agent.create("everywhere", {"Global": {}})
            await both_services_run(agent)
            await scaling_reaches_docker(agent, web)
            await changes_of_others_are_not_lost(agent, web)
            await what_makes_no_sense_is_refused(agent)
            await a_node_with_a_protected_task_is_not_drained(agent, web)
            await a_node_is_drained_and_comes_back(agent)
            assert await missing_rights(agent.transport) == frozenset()
            await agent.docker.call("POST", "/swarm/leave", params={"force": "true"})
            await agent.until_it_is(SwarmRole.INACTIVE)
            assert agent.resources.keys(SWARM_SERVICE_KIND) == ()
            assert agent.resources.keys(SWARM_NODE_KIND) == ()


async def loopback_up(engine: PrivateEngine) -> None:
    """A manager listens somewhere, and this engine's own network has nothing else."""
    process = await asyncio.create_subprocess_exec(
        *("nsenter", "--target", str(engine.pid), "--net", "ip", "link", "set", "lo", "up")
    )
    assert await process.wait() == 0


async def outside_of_a_swarm(agent: Live) -> None:
    assert (await agent.area.swarm()).role is SwarmRole.INACTIVE
    with pytest.raises(Conflict, match="in no swarm"):
        await agent.area.services()


async def both_services_run(agent: Live) -> None:
    async def run() -> bool:
        rows = [agent.service(name) for name in ("web", "everywhere")]
        return all(row is not None and row.running == 1 and row.desired == 1 for row in rows)

    await wait_until(run, what="both services to run", within_s=60)
    web = agent.service("web")
    assert web is not None
    assert (web.mode, web.stack, web.image) == ("replicated", "shop", IMAGE)
    (node,) = (await agent.area.nodes()).nodes
    assert (node.role, node.state, node.availability, node.leader) == (
        "manager",
        "ready",
        "active",
        True,
    )


async def scaling_reaches_docker(agent: Live, web: str) -> None:
    done = await agent.area.command_service("scale", "web", PERSON, wait_s=30, replicas=2)
    assert (done.outcome, done.message) == (Outcome.DONE, "web was scaled to 2.")
    assert (await replicas(agent, web)) == 2
    again = await agent.area.command_service("scale", "web", PERSON, wait_s=30, replicas=2)
    assert again.outcome is Outcome.NOT_NEEDED


async def changes_of_others_are_not_lost(agent: Live, web: str) -> None:
    """Someone labels the service again and again while it is scaled and started anew."""
    stop = asyncio.Event()
    labelled = 0

    async def label() -> None:
        nonlocal labelled
        while not stop.is_set():
            now = await agent.docker.call("GET", f"/services/{web}")
            spec = {**now["Spec"], "Labels": {**now["Spec"]["Labels"], "n": str(labelled)}}
            version = {"version": str(now["Version"]["Index"])}
            await agent.docker.call(
                "POST", f"/services/{web}/update", params=version, json=spec, fine=(500,)
            )
            labelled += 1
            await asyncio.sleep(0.01)

    other = asyncio.create_task(label())
    try:
        for wanted in (1, 3, 2):
            done = await agent.area.command_service(
                "scale", "web", PERSON, wait_s=30, replicas=wanted
            )
            assert done.outcome is Outcome.DONE
    finally:
        stop.set()
        await other
    spec = (await agent.docker.call("GET", f"/services/{web}"))["Spec"]
    assert spec["Mode"]["Replicated"]["Replicas"] == 2
    assert "n" in spec["Labels"]
    assert spec["Labels"]["com.docker.stack.namespace"] == "shop"

    before = await agent.docker.call("GET", f"/services/{web}")
    done = await agent.area.command_service("force_update", "web", PERSON, wait_s=30)
    assert done.outcome is Outcome.DONE
    after = await agent.docker.call("GET", f"/services/{web}")
    counts = [row["Spec"]["TaskTemplate"].get("ForceUpdate", 0) for row in (before, after)]
    assert counts[1] == counts[0] + 1
    done = await agent.area.command_service("roll_back", "web", PERSON, wait_s=30)
    assert done.outcome is Outcome.DONE
    rolled = await agent.docker.call("GET", f"/services/{web}")
    assert rolled["Spec"]["TaskTemplate"].get("ForceUpdate", 0) == counts[0]


async def what_makes_no_sense_is_refused(agent: Live) -> None:
    with pytest.raises(Conflict, match="global service") as refused:
        await agent.area.command_service("scale", "everywhere", PERSON, wait_s=5, replicas=2)
    assert refused.value.field == "replicas"
    with pytest.raises(NotFound, match="no service 'nobody'"):
        await agent.area.command_service("scale", "nobody", PERSON, wait_s=5, replicas=2)
    with pytest.raises(Conflict, match="no previous description"):
        await agent.area.command_service("roll_back", "everywhere", PERSON, wait_s=5)


async def a_node_with_a_protected_task_is_not_drained(agent: Live, web: str) -> None:
    (node,) = (await agent.area.nodes()).nodes
    await set_labels(agent, web, {PROTECT: "true"})
    with pytest.raises(Protected, match="web has a task on it"):
        await agent.area.set_availability(node.name, "drain", PERSON, wait_s=30)
    done = await agent.area.set_availability(node.name, "active", PERSON, wait_s=30)
    assert done.outcome is Outcome.NOT_NEEDED
    await set_labels(agent, web, {})


async def set_labels(agent: Live, service: str, labels: dict[str, str]) -> None:
    now = await agent.docker.call("GET", f"/services/{service}")
    version = {"version": str(now["Version"]["Index"])}
    spec = {**now["Spec"], "Labels": labels}
    await agent.docker.call("POST", f"/services/{service}/update", params=version, json=spec)


async def a_node_is_drained_and_comes_back(agent: Live) -> None:
    (node,) = (await agent.area.nodes()).nodes
    for wanted in ("drain", "active"):
        done = await agent.area.set_availability(node.name, wanted, PERSON, wait_s=30)
        assert done.outcome is Outcome.DONE
        (seen,) = (await agent.area.nodes()).nodes
        assert seen.availability == wanted


async def replicas(agent: Live, service: str) -> int:
    found = await agent.docker.call("GET", f"/services/{service}")
    return int(found["Spec"]["Mode"]["Replicated"]["Replicas"])
