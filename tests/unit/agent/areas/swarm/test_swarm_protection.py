"""A service whose containers are protected is not scaled down, started anew or rolled back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import override

import pytest

from homelab_agent.areas.swarm.protection import SwarmProtection
from homelab_agent.platform.engine.demo.swarm import DemoSwarm
from homelab_agent.platform.engine.docker.swarm_documents import Service
from homelab_agent.platform.engine.swarm import EngineService
from homelab_agent.platform.errors import NotFound
from tests.fakes.commanded import commanded
from tests.fakes.docker_engine import fake_docker

PROTECTED = {"homelab.protect": "true"}


class OneService(DemoSwarm):
    """A swarm with a service called web, as Docker describes it. It has a task on the node far."""

    def __init__(
        self,
        *,
        image: str = "nginx",
        labels: dict[str, str] | None = None,
        of_containers: dict[str, str] | None = None,
    ) -> None:
        template = {"ContainerSpec": {"Image": image, "Labels": of_containers}}
        spec = {"Name": "web", "Labels": labels, "TaskTemplate": template}
        self._service = Service.model_validate({"ID": "id-of-web", "Spec": spec}).service()

    @override
    async def service(self, name_or_id: str) -> EngineService:
        if name_or_id not in {self._service.name, self._service.id}:
            raise NotFound("There is no such service.")
        return self._service

    @override
    async def services(self) -> tuple[EngineService, ...]:
        return (self._service,)

    @override
    async def services_on(self, node_id: str) -> frozenset[str]:
        return frozenset({self._service.id} if node_id == "far" else ())


def _of(service: str, node: str) -> dict[str, str]:
    return {"com.docker.swarm.service.id": service, "com.docker.swarm.node.id": node}


@asynccontextmanager
async def _protection(
    swarm: DemoSwarm, folder: Path, name: str = "web"
) -> AsyncIterator[SwarmProtection]:
    async with fake_docker() as docker:
        for task, service, node, labels in (
            ("web.1.abc", "id-of-web", "near", {}),
            ("other.1.abc", "id-of-other", "elsewhere", PROTECTED),
            ("listed.1.abc", "id-of-web" if name == "id-of-web" else "", "listed", {}),
        ):
            docker.add(task, labels={**_of(service, node), **labels})
        former = {**_of("id-of-web", "near"), **PROTECTED}
        docker.add("web.1.former", labels=former, running=False)
        async with commanded(docker.url, folder, listed=("listed.1.abc",)) as agent:
            await agent.live.connected()
            yield SwarmProtection(swarm, agent.service)


async def _reason(swarm: DemoSwarm, folder: Path, name: str = "web") -> str | None:
    async with _protection(swarm, folder, name) as protection:
        return await protection.reason(name)


@pytest.mark.parametrize(
    ("service", "why"),
    [
        (OneService(labels=PROTECTED), "homelab.protect=true"),
        (OneService(of_containers=PROTECTED), "homelab.protect=true"),
        (OneService(image="homeassistant/home-assistant:2026.11"), "belongs to Home Assistant"),
    ],
)
async def test_what_describes_a_service_protects_it_and_the_nodes_that_it_runs_on(
    service: OneService, why: str, tmp_path: Path
) -> None:
    async with _protection(service, tmp_path) as protection:
        reason = await protection.reason("web")
        assert reason is not None
        assert why in reason
        assert await protection.node_reason("far") == f"web has a task on it. {reason}"
        assert await protection.node_reason("near") is None


async def test_a_node_whose_task_is_protected_by_name_is_not_drained(tmp_path: Path) -> None:
    async with _protection(OneService(), tmp_path) as protection:
        reason = await protection.node_reason("listed")
        assert reason is not None
        assert reason.startswith("listed.1.abc is a task on it. The agent's setting `protect`")
        assert await protection.node_reason("far") is None


async def test_what_protects_a_task_on_this_host_protects_its_service(tmp_path: Path) -> None:
    reason = await _reason(OneService(), tmp_path, "id-of-web")
    assert reason is not None
    assert reason.startswith("listed.1.abc is a task of it. The agent's setting `protect`")


async def test_other_services_and_what_is_not_there_are_not_protected(tmp_path: Path) -> None:
    assert await _reason(OneService(), tmp_path) is None
    assert await _reason(OneService(), tmp_path, "nobody") is None
    assert await _reason(DemoSwarm(), tmp_path) is None
