"""The agent as it describes itself."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from homelab_agent.areas.containers.models import EngineStatus
from homelab_agent.areas.statistics.models import EngineStats
from homelab_agent.platform.model import Model

AGENT_KIND = "agent"
AGENT_KEY = "agent"


class AgentInfo(Model):
    """Who the agent is. `instance_id` stays for as long as its store does."""

    instance_id: str
    name: str
    version: str
    started_at: datetime
    demo: bool
    contract: int


class ActiveSettings(Model):
    """The settings that explain what the agent does, none of them secret.

    `tls_fingerprint` is the SHA-256 of the certificate, None without TLS.
    """

    listen: str
    docker_url: str
    store: Literal["sqlite", "postgresql"]
    tls: Literal["off", "self_signed", "files"]
    tls_fingerprint: str | None
    mdns: bool
    protect: tuple[str, ...]
    activity_retention_days: int
    job_retention_days: int
    resync_interval_s: float
    stats_interval_s: float
    stats_always: bool
    log_level: str


class AgentDetails(AgentInfo):
    """Who the agent is, what engine it sees and how it is set up.

    `statistics` tells where figures come from; None until the engine was reached.
    """

    engine: EngineStatus | None
    statistics: EngineStats | None
    settings: ActiveSettings


class HealthStatus(StrEnum):
    """DEGRADED: the agent lives, but something that it needs is away."""

    OK = "ok"
    DEGRADED = "degraded"


class Health(Model):
    """The answer for everybody: nothing in it is secret."""

    status: HealthStatus
    version: str
    instance_id: str
    contract: int
