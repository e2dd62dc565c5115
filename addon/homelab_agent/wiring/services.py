"""The areas that are about the services people reach: monitors and certificates. No logic."""

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.wiring.ground import Areas, Ground
from homelab_agent.wiring.house import House


def wire_services(
    _ground: Ground, _areas: Areas, _containers: ContainerService, _house: House
) -> None:
    """Make the areas of services."""
