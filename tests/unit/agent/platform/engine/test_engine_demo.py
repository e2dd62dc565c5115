"""The invented homelab looks and lives like one."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from homelab_agent.platform.engine.demo.containers import DemoEngine
from homelab_agent.platform.engine.demo.homelab import CRASHING, FLAPPING, NIGHTLY
from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.factory import open_engine
from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineEvent,
    EventAction,
)
from homelab_agent.platform.errors import Conflict, Unavailable

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


async def test_the_demo_is_asked_for_by_name_and_says_that_it_is_one() -> None:
    engine = open_engine("unix:///var/run/docker.sock", demo=True).containers

    assert isinstance(engine, DemoEngine)
    assert (await engine.connect()).kind == "demo"
    real = open_engine("unix:///var/run/docker.sock").containers
    assert isinstance(real, DockerEngine)


async def test_there_is_something_of_everything_to_see() -> None:
    rows = await DemoEngine().list_containers()

    assert 15 <= len(rows) <= 20
    assert {row.state for row in rows} >= {
        ContainerState.RUNNING,
        ContainerState.EXITED,
        ContainerState.PAUSED,
        ContainerState.RESTARTING,
    }
    assert any(row.health is ContainerHealth.UNHEALTHY for row in rows)
    assert any(row.exit_code not in {None, 0} for row in rows)
    assert len({row.labels.get("com.docker.compose.project") for row in rows} - {None}) >= 4
    assert any(row.name == "homeassistant" for row in rows)
    assert len({row.id for row in rows}) == len(rows)


async def _life(count: int) -> list[EngineEvent]:
    engine = DemoEngine(clock=lambda: NOW, pace_s=0.005, seed=7)
    told = []
    async with asyncio.timeout(20), engine.events(None) as events:
        async for event in events:
            told.append(event)
            if len(told) == count:
                break
    await engine.close()
    return told


async def test_it_lives_by_itself_and_the_same_way_each_time() -> None:
    first = await _life(60)

    assert {event.action for event in first} >= {
        EventAction.START,
        EventAction.DIE,
        EventAction.HEALTH_STATUS,
    }
    assert await _life(60) == first
    assert {event.name for event in first} == {FLAPPING, CRASHING, NIGHTLY}
    assert all(event.name != "homeassistant" for event in first)


async def test_a_started_container_becomes_healthy_after_a_while() -> None:
    engine = DemoEngine(pace_s=0.05)
    await engine.restart("cloud-db-1", None)
    assert (await engine.inspect("cloud-db-1")).health is ContainerHealth.STARTING

    async with asyncio.timeout(30), engine.events(0) as events:
        async for event in events:
            if event.name == "cloud-db-1" and event.action is EventAction.HEALTH_STATUS:
                break

    assert (await engine.inspect("cloud-db-1")).health is ContainerHealth.HEALTHY
    await engine.close()


async def test_a_paused_container_is_not_started_but_explained() -> None:
    engine = DemoEngine()

    with pytest.raises(Conflict, match="unpause"):
        await engine.start("minecraft")


async def test_a_harmless_signal_ends_nothing() -> None:
    engine = DemoEngine()

    await engine.kill("edge-caddy-1", "SIGHUP")

    assert (await engine.inspect("edge-caddy-1")).state is ContainerState.RUNNING


async def test_its_logs_are_the_same_whenever_they_are_read() -> None:
    engine = DemoEngine(clock=lambda: NOW)
    all_lines = await engine.logs("edge-caddy-1", tail=100, since=None, until=None)
    middle = all_lines[50].at
    assert middle is not None

    earlier = await engine.logs("edge-caddy-1", tail=10, since=None, until=middle)
    later = await engine.logs("edge-caddy-1", tail=500, since=middle, until=None)

    assert earlier == all_lines[41:51]
    assert later == all_lines[50:]
    assert all(line.at is not None and line.at <= NOW for line in all_lines)


async def test_a_stopped_containers_log_ends_when_it_did() -> None:
    engine = DemoEngine(clock=lambda: NOW)

    lines = await engine.logs("monitoring-loki-1", tail=5, since=None, until=None)

    assert lines[-1].at is not None
    assert lines[-1].at <= NOW - timedelta(hours=5)


async def test_closing_it_ends_the_streams() -> None:
    engine = DemoEngine()
    async with engine.events(None) as events:
        await engine.close()
        with pytest.raises(Unavailable):
            await anext(events)


async def test_what_happens_now_and_then_makes_no_update_work_that_shall_not() -> None:
    engine = DemoEngine(clock=lambda: NOW, pace_s=0.005, seed=7)
    like = next(row for row in await engine.list_containers() if row.name == FLAPPING)
    engine.rename(like.id, "kept")
    doomed = engine.add(like.id, name=FLAPPING, image="x:2", image_id="sha256:2", doomed=True)
    await engine.start(doomed)
    said, crashes = set(), 0
    async with asyncio.timeout(20), engine.events(None) as events:
        async for event in events:
            if event.action is EventAction.HEALTH_STATUS:
                said.add(event.health)
            crashes += event.name == CRASHING and event.action is EventAction.DIE
            if crashes == 10:
                break
    row = await engine.inspect(doomed)
    await engine.close()
    assert said == {ContainerHealth.UNHEALTHY}
    assert row.health is ContainerHealth.UNHEALTHY
