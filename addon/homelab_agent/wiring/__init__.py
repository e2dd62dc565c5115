"""Makes the areas and hands each what it needs. No logic."""

from homelab_agent.areas.activity.routes import ActivityRoutes
from homelab_agent.areas.activity.service import ActivityService
from homelab_agent.areas.jobs.routes import JobRoutes
from homelab_agent.areas.jobs.service import JobsService
from homelab_agent.wiring.addresses import wire_addresses
from homelab_agent.wiring.docker import wire_docker
from homelab_agent.wiring.doors import keep_own_door
from homelab_agent.wiring.ground import Areas, Ground, Loop
from homelab_agent.wiring.house import wire_house
from homelab_agent.wiring.services import wire_services

__all__ = ["Areas", "Ground", "Loop", "wire_areas"]


def wire_areas(ground: Ground) -> Areas:
    """Make every area; nothing of them runs yet, but their jobs can be taken up again."""
    areas = Areas()
    areas.routes.append(ActivityRoutes(ActivityService(ground.store)))
    areas.routes.append(JobRoutes(JobsService(ground.runner)))
    docker = wire_docker(ground, areas)
    keep_own_door(ground, docker.containers)
    house = wire_house(ground, areas, docker.containers)
    certificates = wire_services(ground, areas, docker.containers, house)
    wire_addresses(ground, areas, docker, certificates)
    return areas
