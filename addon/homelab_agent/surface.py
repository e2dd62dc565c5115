"""Everything the agent shows to the outside: the routes of each area and the kinds of resources."""

from homelab_agent.areas.activity.routes import ActivityRoutes
from homelab_agent.areas.agent.models import AGENT_KIND, AgentInfo
from homelab_agent.areas.agent.routes import AgentRoutes
from homelab_agent.areas.containers.engine_routes import EngineRoutes
from homelab_agent.areas.containers.models import (
    CONTAINER_EVENT_KIND,
    CONTAINER_KIND,
    ENGINE_KIND,
    Container,
    ContainerEvent,
    EngineStatus,
)
from homelab_agent.areas.containers.routes import ContainerRoutes
from homelab_agent.areas.jobs.routes import JobRoutes
from homelab_agent.areas.objects.models import DISK_USAGE_KIND, DiskUsage
from homelab_agent.areas.objects.routes import ObjectRoutes
from homelab_agent.areas.recreate.models import RECREATE_KIND, RecreateStatus
from homelab_agent.areas.recreate.routes import RecreateRoutes
from homelab_agent.areas.stacks.models import STACK_KIND, Stack
from homelab_agent.areas.stacks.routes import StackRoutes
from homelab_agent.areas.statistics.models import (
    CONTAINER_STATS_KIND,
    ENGINE_STATS_KIND,
    ContainerStats,
    EngineStats,
)
from homelab_agent.areas.statistics.routes import StatisticsRoutes
from homelab_agent.areas.swarm.models import (
    SWARM_KIND,
    SWARM_NODE_KIND,
    SWARM_SERVICE_KIND,
    Swarm,
    SwarmNode,
    SwarmService,
)
from homelab_agent.areas.swarm.routes import SwarmRoutes
from homelab_agent.areas.updates.models import CONTAINER_UPDATE_KIND, ContainerUpdate
from homelab_agent.areas.updates.routes import UpdateRoutes
from homelab_agent.platform.commands import Operation, Registry
from homelab_agent.platform.jobs.models import JOB_KIND, Job
from homelab_agent.platform.model import Model

ROUTES: tuple[type, ...] = (
    ActivityRoutes,
    AgentRoutes,
    ContainerRoutes,
    EngineRoutes,
    JobRoutes,
    ObjectRoutes,
    RecreateRoutes,
    StackRoutes,
    StatisticsRoutes,
    SwarmRoutes,
    UpdateRoutes,
)

RESOURCE_KINDS: dict[str, type[Model]] = {
    AGENT_KIND: AgentInfo,
    CONTAINER_EVENT_KIND: ContainerEvent,
    CONTAINER_KIND: Container,
    CONTAINER_STATS_KIND: ContainerStats,
    CONTAINER_UPDATE_KIND: ContainerUpdate,
    DISK_USAGE_KIND: DiskUsage,
    ENGINE_KIND: EngineStatus,
    ENGINE_STATS_KIND: EngineStats,
    JOB_KIND: Job,
    STACK_KIND: Stack,
    RECREATE_KIND: RecreateStatus,
    SWARM_KIND: Swarm,
    SWARM_NODE_KIND: SwarmNode,
    SWARM_SERVICE_KIND: SwarmService,
}


def described_operations() -> tuple[Operation, ...]:
    """Return every operation for a description of the API; nothing of it can be called."""
    registry = Registry()
    for routes in ROUTES:
        registry.collect(routes)
    return tuple(registry.operations())
