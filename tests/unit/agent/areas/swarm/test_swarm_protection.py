"""A service whose containers are protected is not scaled down, started anew or rolled back."""

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
    """A swarm with a service called web, as Docker describes it."""

    def __init__(
        self, *, labels: dict[str, str] | None = None, of_containers: dict[str, str] | None = None
    ) -> None:
        template = {"ContainerSpec": {"Image": "nginx", "Labels": of_containers}}
        spec = {"Name": "web", "Labels": labels, "TaskTemplate": template}
        self._service = Service.model_validate({"ID": "id-of-web", "Spec": spec}).service()

    @override
    async def service(self, name_or_id: str) -> EngineService:
        if name_or_id not in {self._service.name, self._service.id}:
            raise NotFound("There is no such service.")
        return self._service


async def _reason(swarm: DemoSwarm, folder: Path, name: str = "web") -> str | None:
    async with fake_docker() as docker:
        for task, service, labels in (
            ("web.1.abc", "id-of-web", {}),
            ("other.1.abc", "id-of-other", PROTECTED),
            ("listed.1.abc", "id-of-web" if name == "id-of-web" else "", {}),
        ):
            docker.add(task, labels={"com.docker.swarm.service.id": service, **labels})
        async with commanded(docker.url, folder, listed=("listed.1.abc",)) as agent:
            await agent.live.connected()
            return await SwarmProtection(swarm, agent.service).reason(name)


@pytest.mark.parametrize("where", ["labels", "of_containers"])
async def test_a_label_of_a_service_or_of_its_containers_protects_it(
    where: str, tmp_path: Path
) -> None:
    reason = await _reason(OneService(**{where: PROTECTED}), tmp_path)
    assert reason is not None
    assert "homelab.protect=true" in reason


async def test_what_protects_a_task_on_this_host_protects_its_service(tmp_path: Path) -> None:
    reason = await _reason(OneService(), tmp_path, "id-of-web")
    assert reason is not None
    assert reason.startswith("listed.1.abc is a task of it. The agent's setting `protect`")


async def test_other_services_and_what_is_not_there_are_not_protected(tmp_path: Path) -> None:
    assert await _reason(OneService(), tmp_path) is None
    assert await _reason(OneService(), tmp_path, "nobody") is None
    assert await _reason(DemoSwarm(), tmp_path) is None
