"""The agent's own door, where its container is reached by a port of the machine. No logic."""

from functools import partial

from homelab_agent.api.other_routes import BASE_PATH
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.platform.outbound.own_door import OwnDoor
from homelab_agent.wiring.ground import Ground


def keep_own_door(ground: Ground, containers: ContainerService) -> None:
    """Have the guard refuse the ports that Docker publishes of the agent's own container."""
    if ground.own_id is None:
        return
    door = OwnDoor(
        f"{BASE_PATH}/health",
        ground.store.instance_id,
        ground.tls,
        is_encrypted=ground.settings.tls != "off",
    )
    ports = partial(containers.published_ports, ground.own_id)
    ground.outbound.guard.keep_passage("the API of the agent itself", ports, door.is_at)
