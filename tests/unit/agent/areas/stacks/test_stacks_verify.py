"""A deployment is taken back for what does not run, and for nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from homelab_agent.areas.stacks.verify import Verification
from homelab_agent.platform.errors import Failed
from homelab_agent.platform.secrets import SecretFilter
from tests.fakes.commanded import commanded
from tests.fakes.docker_engine import FakeDocker, fake_docker
from tests.fakes.late_engine import LateEngine

SERVICES = ("web", "db", "job")


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as made:
        for service in SERVICES[:2]:
            made.add(f"shop-{service}-1", labels=_labels(service), restart_policy="unless-stopped")
        yield made


def _labels(service: str) -> dict[str, str]:
    return {"com.docker.compose.project": "shop", "com.docker.compose.service": service}


@asynccontextmanager
async def _verifying(
    docker: FakeDocker, folder: Path, *, recovers_s: float = 30
) -> AsyncIterator[asyncio.Task[str]]:
    async with commanded(docker.url, folder) as agent:
        verification = Verification(
            agent.live.engine, SecretFilter(), stays_up_s=0.3, recovers_s=recovers_s
        )
        task = asyncio.create_task(verification.run("shop", SERVICES))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait((task,))


async def test_a_database_that_was_restarted_long_ago_does_not_undo_a_deployment(
    docker: FakeDocker, tmp_path: Path
) -> None:
    for container in docker.containers.values():
        container.restart_count = 4
    async with _verifying(docker, tmp_path) as task:
        assert await task == "shop runs."


async def test_a_job_that_is_repeated_until_it_succeeds_has_done_its_work(
    docker: FakeDocker, tmp_path: Path
) -> None:
    job = docker.add(
        "shop-job-1", labels=_labels("job"), restart_policy="on-failure", restart_count=2
    )
    docker.end(job, 0)
    async with _verifying(docker, tmp_path) as task:
        assert await task == "shop runs."


async def test_an_application_that_dies_until_its_database_is_there_is_waited_for(
    docker: FakeDocker, tmp_path: Path
) -> None:
    web = docker.find("shop-web-1")
    assert web is not None
    web.status = "restarting"
    async with _verifying(docker, tmp_path) as task:
        await asyncio.wait((task,), timeout=1)
        assert not task.done()
        web.status, web.restart_count = "running", 1
        assert await task == "shop runs."


async def test_what_never_stays_up_is_named(docker: FakeDocker, tmp_path: Path) -> None:
    web = docker.find("shop-web-1")
    assert web is not None
    web.status = "restarting"
    async with _verifying(docker, tmp_path, recovers_s=0.2) as task:
        with pytest.raises(Failed, match="shop-web-1 ends again and again"):
            await task


async def test_what_ended_before_a_late_answer_arrived_is_not_taken_for_running() -> None:
    engine = LateEngine(late_s=0.2, labels={}, stops_after=1)
    verification = Verification(engine, SecretFilter(), stays_up_s=0.1)
    with pytest.raises(Failed, match="iot-mosquitto-1 exited"):
        await verification.run("iot", ("mosquitto",))
