"""Measuring the disk use: slow, so never twice at once and never in anybody's way."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.errors import Failed, NotFound
from homelab_agent.platform.jobs.models import JOB_KIND
from tests.fakes.docker_engine import FakeDocker, Fault, fake_docker
from tests.fakes.kept import kept
from tests.harness.waiting import wait_until

PERSON = Caller(name="person", scope=Scope.OPERATE)


def furnish(docker: FakeDocker) -> None:
    for key, answer in (
        ("GET system/df", {"LayersSize": 90, "Images": [], "Containers": [], "BuildCache": []}),
        ("GET volumes", {"Volumes": [{"Name": "data"}]}),
        ("GET networks", [{"Id": "n1", "Name": "left", "Driver": "bridge"}]),
    ):
        docker.faults[key] = Fault(200, json.dumps(answer))


def now() -> datetime:
    return datetime.now(UTC)


async def test_who_asks_while_it_is_measured_shares_the_measurement(tmp_path: Path) -> None:
    async with fake_docker() as docker:
        furnish(docker)
        async with kept(docker.url, tmp_path, now) as agent:
            with pytest.raises(NotFound, match="not measured yet"):
                agent.service.disk_usage()
            before = docker.calls["GET system/df"]

            async def begun() -> bool:
                return bool(agent.base.live.resources.keys(JOB_KIND))

            async with docker.held("GET system/df") as held, asyncio.TaskGroup() as group:
                asked = [group.create_task(agent.service.measure(PERSON, 20)) for _ in range(5)]
                group.create_task(agent.meter.measure())
                await held.reached.wait()
                await wait_until(begun, what="the job of those who asked")
                held.release.set()

            assert all(task.result().outcome is Outcome.DONE for task in asked)
            # Image, container, build cache and volume: once each, and the cache for the preview.
            assert docker.calls["GET system/df"] - before == 5
            usage = agent.service.disk_usage()
            assert (usage.images_bytes, usage.volumes_bytes, usage.networks_unused) == (90, None, 1)


async def test_a_measurement_that_fails_leaves_the_last_one_with_its_time(tmp_path: Path) -> None:
    async with fake_docker() as docker:
        furnish(docker)
        async with kept(docker.url, tmp_path, now) as agent:
            known = await agent.meter.measure()
            docker.faults["GET system/df"] = Fault(500, '{"message": "no space left on device"}')

            with pytest.raises(Failed, match="no space left"):
                await agent.service.measure(PERSON, 20)

            assert agent.service.disk_usage() == known
