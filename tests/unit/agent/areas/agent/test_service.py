import asyncio
import os
from pathlib import Path

import pytest

from homelab_agent.areas.agent.models import AGENT_KEY, AGENT_KIND, AgentInfo, HealthStatus
from homelab_agent.areas.agent.numbers import export_numbers
from homelab_agent.areas.agent.routes import AgentRoutes
from homelab_agent.areas.agent.service import AgentService
from homelab_agent.areas.containers.models import (
    ENGINE_KEY,
    ENGINE_KIND,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.platform.metrics import Metrics
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.agent.conftest import SETTINGS, SayEngine


async def test_home_assistant_is_told_who_the_agent_is(
    service: AgentService, info: AgentInfo, resources: Resources
) -> None:
    assert resources.get(AGENT_KIND, AGENT_KEY) == info == service.info


async def test_a_watchdog_sees_an_agent_without_docker_as_alive_but_degraded(
    service: AgentService, say_engine: SayEngine
) -> None:
    routes = AgentRoutes(service)
    assert (await routes.health()).status is HealthStatus.DEGRADED
    say_engine(connected=False)
    assert (await routes.health()).status is HealthStatus.DEGRADED
    say_engine()
    assert (await routes.health()).status is HealthStatus.OK


async def test_a_watchdog_sees_that_the_store_is_gone(
    info: AgentInfo, resources: Resources, say_engine: SayEngine, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/homelab.db", folder)
    service = AgentService(info, SETTINGS, resources, store, follow_host_name=False)
    say_engine()
    assert (await service.health()).status is HealthStatus.OK
    await store.close()
    folder.rename(tmp_path / "elsewhere")
    assert (await service.health()).status is HealthStatus.DEGRADED
    await store.close()


@pytest.mark.parametrize("length", [0, 80_000], ids=["emptied", "overwritten"])
async def test_a_watchdog_sees_that_the_database_was_written_over(
    service: AgentService, say_engine: SayEngine, tmp_path: Path, length: int
) -> None:
    say_engine()
    assert (await service.health()).status is HealthStatus.OK
    # In place, and not replaced: the agent has this very file open.
    database = os.open(tmp_path / "homelab.db", os.O_WRONLY)
    os.ftruncate(database, length)
    os.write(database, b"\xaa" * length)
    os.close(database)
    assert (await service.health()).status is HealthStatus.DEGRADED


async def test_health_tells_strangers_nothing_but_that(
    service: AgentService, say_engine: SayEngine
) -> None:
    say_engine(host_name="the-name-of-my-home")
    told = (await service.health()).model_dump()
    assert set(told) == {"status", "version", "instance_id", "contract"}


async def test_info_holds_the_engine_and_how_the_agent_is_set_up(
    service: AgentService, info: AgentInfo, say_engine: SayEngine
) -> None:
    routes = AgentRoutes(service)
    assert (await routes.info()).engine is None
    status = say_engine()
    details = await routes.info()
    assert details.engine == status
    assert details.settings == SETTINGS
    assert details.instance_id == info.instance_id


async def test_an_agent_in_a_container_is_called_like_its_host(
    service: AgentService, say_engine: SayEngine, resources: Resources
) -> None:
    following = asyncio.ensure_future(service.follow_engine())
    with resources.subscribe() as subscription:
        say_engine()
        say_engine(host_name="nas")
        async with asyncio.timeout(30):
            async for batch in subscription.batches():
                if any(change.kind == AGENT_KIND for change in batch):
                    break
    assert service.info.name == "nas"
    following.cancel()
    await asyncio.wait((following,))


async def test_a_start_waits_for_docker_but_not_for_ever(
    service: AgentService, say_engine: SayEngine
) -> None:
    await service.wait_for_engine(0.01)
    waiting = asyncio.ensure_future(service.wait_for_engine(60))
    await asyncio.sleep(0)
    assert not waiting.done()
    say_engine(connected=False)
    async with asyncio.timeout(30):
        await waiting
        await service.wait_for_engine(60)


async def test_a_name_that_a_person_chose_stays(
    info: AgentInfo, resources: Resources, store: Store, say_engine: SayEngine
) -> None:
    service = AgentService(info, SETTINGS, resources, store, follow_host_name=False)
    say_engine(host_name="nas")
    following = asyncio.ensure_future(service.follow_engine())
    await asyncio.sleep(0)
    assert service.info == info
    following.cancel()
    await asyncio.wait((following,))


async def test_the_name_is_still_followed_after_too_many_changes(
    info: AgentInfo, store: Store, clock: HandClock
) -> None:
    status = EngineStatus(
        connection=EngineConnection.CONNECTED, since=clock(), reason=None, host_name="nas"
    )
    resources = Resources(queue_changes=1)
    service = AgentService(info, SETTINGS, resources, store, follow_host_name=True)
    following = asyncio.ensure_future(service.follow_engine())
    await asyncio.sleep(0)
    for number in range(5):
        resources.publish("other", str(number), info)

    async def attached_again() -> bool:
        resources.publish(ENGINE_KIND, ENGINE_KEY, status)
        return service.info.name == "nas"

    await wait_until(attached_again, what="the new name")
    following.cancel()
    await asyncio.wait((following,))


def test_prometheus_is_not_told_numbers_that_nobody_knows(
    resources: Resources, say_engine: SayEngine
) -> None:
    metrics = Metrics()
    export_numbers(metrics, resources, streams=lambda: 2, jobs=lambda: 1)
    told = metrics.render().decode()
    assert 'homelab_containers{state="running"} NaN' in told
    assert "homelab_engine_connected 0.0" in told
    assert "homelab_streams_open 2.0" in told
    say_engine()
    told = metrics.render().decode()
    assert 'homelab_containers{state="running"} 2.0' in told
    assert "homelab_engine_connected 1.0" in told
