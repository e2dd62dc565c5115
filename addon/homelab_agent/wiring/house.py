"""The areas that are about the machine, its network and what becomes of both. No logic."""

from dataclasses import dataclass

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.wiring.ground import Areas, Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the machine's areas give to others."""


def wire_house(_ground: Ground, _areas: Areas, _containers: ContainerService) -> House:
    """Make the areas of the machine."""
    return House()
