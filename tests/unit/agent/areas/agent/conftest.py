from collections.abc import Callable

import pytest

from homelab_agent.areas.agent.models import ActiveSettings, AgentInfo
from homelab_agent.areas.agent.service import AgentService
from homelab_agent.areas.containers.models import (
    ENGINE_KEY,
    ENGINE_KIND,
    ContainerCounts,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock

type SayEngine = Callable[..., EngineStatus]

COUNTS = ContainerCounts(total=3, running=2, paused=0, restarting=0, stopped=1, unhealthy=1)

SETTINGS = ActiveSettings(
    listen="0.0.0.0:8099",
    docker_url="unix:///var/run/docker.sock",
    store="sqlite",
    tls="off",
    tls_fingerprint=None,
    mdns=True,
    protect=(),
    activity_retention_days=90,
    job_retention_days=30,
    resync_interval_s=300,
    stats_interval_s=10,
    stats_always=False,
    log_level="info",
)


@pytest.fixture
def info(clock: HandClock) -> AgentInfo:
    return AgentInfo(
        instance_id="1234567890abcdef",
        name="8f3b0c",
        version="1.2.3",
        started_at=clock(),
        demo=False,
        contract=1,
    )


@pytest.fixture
def service(info: AgentInfo, resources: Resources, store: Store) -> AgentService:
    return AgentService(info, SETTINGS, resources, store, follow_host_name=True)


@pytest.fixture
def say_engine(resources: Resources, clock: HandClock) -> SayEngine:
    def say(*, connected: bool = True, host_name: str | None = None) -> EngineStatus:
        status = EngineStatus(
            connection=EngineConnection.CONNECTED if connected else EngineConnection.UNAVAILABLE,
            since=clock(),
            reason=None if connected else "It is away.",
            host_name=host_name,
            counts=COUNTS if connected else None,
        )
        resources.publish(ENGINE_KIND, ENGINE_KEY, status)
        return status

    return say
