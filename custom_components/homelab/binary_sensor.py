"""Binary sensors: whether a container runs, what has a problem, and whether Docker is reached."""

from collections.abc import Sequence
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Container, ContainerState, EngineConnection, Stack, StackState, SwarmService
from .client.kinds import CONTAINER, STACK, SWARM_SERVICE
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import ContainerEntity, HostEntity, StackEntity, ThingEntity
from .subjects import subject_of

PARALLEL_UPDATES = 0

# The switch shows the same to most people, so this one waits to be asked for.
RUNNING = BinarySensorEntityDescription(
    key="running",
    device_class=BinarySensorDeviceClass.RUNNING,
    entity_registry_enabled_default=False,
)
DOCKER = BinarySensorEntityDescription(
    key="docker",
    translation_key="docker",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)
PROBLEM = BinarySensorEntityDescription(
    key="problem",
    translation_key="problem",
    device_class=BinarySensorDeviceClass.PROBLEM,
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the host's connection, and what belongs to each thing as it comes."""
    coordinator = entry.runtime_data
    async_add_entities([DockerConnection(coordinator, DOCKER)])

    @callback
    def add_containers(containers: Sequence[Container]) -> None:
        async_add_entities(ContainerRunning(coordinator, RUNNING, one) for one in containers)

    @callback
    def add_stacks(stacks: Sequence[Stack]) -> None:
        async_add_entities(StackProblem(coordinator, PROBLEM, stack) for stack in stacks)

    @callback
    def add_services(services: Sequence[SwarmService]) -> None:
        async_add_entities(ServiceProblem(coordinator, service) for service in services)

    entry.async_on_unload(coordinator.async_on_new(CONTAINER, add_containers))
    entry.async_on_unload(coordinator.async_on_new(STACK, add_stacks))
    entry.async_on_unload(coordinator.async_on_new(SWARM_SERVICE, add_services))


class ContainerRunning(ContainerEntity, BinarySensorEntity):
    """Whether a container's processes run (a paused one's do not)."""

    @override
    def value(self) -> bool | None:
        return self.of_thing(lambda container: container.state is ContainerState.RUNNING)

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it runs."""
        return self.value()


class DockerConnection(HostEntity, BinarySensorEntity):
    """Whether the agent reaches its Docker engine. Stays available while it does not."""

    @override
    def value(self) -> bool | None:
        engine = self.engine
        return None if engine is None else engine.connection is EngineConnection.CONNECTED

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether Docker answers."""
        return self.value()


class StackProblem(StackEntity, BinarySensorEntity):
    """Whether some of a stack does not run as it should. A stopped one has no problem."""

    @override
    def value(self) -> object:
        return self.of_thing(lambda stack: (stack.state, stack.problem))

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is degraded."""
        return self.of_thing(_is_degraded)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Why it is degraded."""
        return {"reason": self.of_thing(lambda stack: stack.problem)}


class ServiceProblem(ThingEntity[SwarmService], BinarySensorEntity):
    """Whether fewer tasks of a swarm service run than are wanted."""

    def __init__(self, coordinator: HomelabCoordinator, service: SwarmService) -> None:
        super().__init__(coordinator, PROBLEM, subject_of(service), SWARM_SERVICE)

    @override
    def value(self) -> bool | None:
        return self.of_thing(_lacks_tasks)

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether tasks are missing."""
        return self.value()


def _is_degraded(stack: Stack) -> bool | None:
    return None if stack.state is StackState.UNKNOWN else stack.state is StackState.DEGRADED


def _lacks_tasks(service: SwarmService) -> bool | None:
    if service.running is None or service.desired is None:
        return None
    return service.running < service.desired
