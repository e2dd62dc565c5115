"""Binary sensors: what runs, what is up, and what has a problem."""

from collections.abc import Iterator, Sequence
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .binary_sensor_description import (
    CERTIFICATE_PROBLEM,
    PART_BINARY_SENSORS,
    REBOOT_REQUIRED,
    ResourceBinarySensorDescription,
)
from .binary_sensor_domain import DOMAIN_BINARY_SENSORS
from .client import (
    Container,
    ContainerState,
    EngineConnection,
    HostInfo,
    Monitor,
    MonitorState,
    Stack,
    StackState,
    SwarmService,
)
from .client.kinds import (
    CONTAINER,
    HOST_INFO,
    MONITOR,
    NETWORK_INTERFACE,
    STACK,
    SWARM_SERVICE,
)
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import (
    ContainerEntity,
    HostEntity,
    MachineEntity,
    PartEntity,
    ResourceEntity,
    ServiceEntity,
    StackEntity,
    ThingEntity,
)
from .sensor_parts import has_entities
from .subjects import Part, Thing, is_there, subject_of

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
UP = BinarySensorEntityDescription(
    key="up", translation_key="monitor", device_class=BinarySensorDeviceClass.CONNECTIVITY
)

_ANSWERS = {
    MonitorState.UP: True,
    MonitorState.DOWN: False,
}


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
    for unload in _follow_machine(coordinator, async_add_entities):
        entry.async_on_unload(unload)


def _follow_machine(
    coordinator: HomelabCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> Iterator[CALLBACK_TYPE]:
    """Add what belongs to the machine and to what it looks after; yield what ends that."""

    @callback
    def add_machine(_info: Sequence[HostInfo]) -> None:
        async_add_entities([MachineBinarySensor(coordinator, REBOOT_REQUIRED)])

    @callback
    def add_monitors(monitors: Sequence[Monitor]) -> None:
        async_add_entities(MonitorUp(coordinator, monitor) for monitor in monitors)

    yield coordinator.async_on_new(HOST_INFO, add_machine)
    yield coordinator.async_on_new(MONITOR, add_monitors)
    for description in (CERTIFICATE_PROBLEM, *DOMAIN_BINARY_SENSORS):
        yield _add_services(coordinator, description, async_add_entities)
    for description in PART_BINARY_SENSORS:
        yield _add_parts(coordinator, description, async_add_entities)


def _add_services(
    coordinator: HomelabCoordinator,
    description: ResourceBinarySensorDescription[Any],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> CALLBACK_TYPE:
    @callback
    def add(things: Sequence[Thing]) -> None:
        async_add_entities(ServiceBinarySensor(coordinator, description, one) for one in things)

    return coordinator.async_on_new(description.kind, add, wanted=is_there)


def _add_parts(
    coordinator: HomelabCoordinator,
    description: ResourceBinarySensorDescription[Any],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> CALLBACK_TYPE:
    @callback
    def add(parts: Sequence[Part]) -> None:
        async_add_entities(PartBinarySensor(coordinator, description, part) for part in parts)

    if description.kind is NETWORK_INTERFACE:
        return coordinator.async_on_new(description.kind, add, wanted=has_entities)
    return coordinator.async_on_new(description.kind, add)


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


class MonitorUp(ServiceEntity[Monitor], BinarySensorEntity):
    """Whether a service is up. A failure that is not confirmed yet leaves what was known.

    Unknown while it is paused, in maintenance, or could not be checked.
    """

    def __init__(self, coordinator: HomelabCoordinator, monitor: Monitor) -> None:
        self._confirmed: bool | None = None
        super().__init__(coordinator, UP, monitor, MONITOR)

    @override
    def _settle(self) -> bool:
        # It is the main entity of its device. Beside those of a container it bears its name, or
        # that of its kind where it is called like the container.
        homes = self.coordinator.homes
        name = homes.name_before(self._subject)
        if name or homes.where(self._subject) == self._subject:
            self._attr_name = name or None
        elif hasattr(self, "_attr_name"):
            del self._attr_name
        return super()._settle()

    @override
    def value(self) -> object:
        return self._is_up(), self.extra_state_attributes

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is up."""
        return self._is_up()

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Why it is not up, and what is wrong although it is."""
        return {
            "reason": self.of_thing(lambda monitor: monitor.reason),
            "warning": self.of_thing(lambda monitor: monitor.warning),
        }

    def _is_up(self) -> bool | None:
        state = self.of_thing(lambda monitor: monitor.state)
        if state is not None and state is not MonitorState.FAILING:
            self._confirmed = _ANSWERS.get(state)
        return self._confirmed


class ResourceBinarySensor[T](ResourceEntity[T], BinarySensorEntity):
    """Something that is so or not so of something."""

    _unrecorded_attributes = frozenset({"authority_says", "what_to_do", "next_try_at"})
    entity_description: ResourceBinarySensorDescription[T]

    def _decide_default(self) -> None:
        """Let the description say whether this is on for a new one."""
        if self.entity_description.default_fn is not None:
            self._attr_entity_registry_enabled_default = bool(
                self.of_thing(self.entity_description.default_fn)
            )

    @override
    def value(self) -> object:
        return self.is_on, self.extra_state_attributes

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is so."""
        return self.of_thing(self.entity_description.value_fn)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Why it is so."""
        reason_fn, more_fn = self.entity_description.reason_fn, self.entity_description.more_fn
        if reason_fn is None:
            return None
        more = self.of_thing(more_fn) if more_fn else None
        return {"reason": self.of_thing(reason_fn), **(more or {})}


class PartBinarySensor[T](PartEntity[T], ResourceBinarySensor[T]):
    """Something that is so or not so of a part of the host."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: ResourceBinarySensorDescription[T],
        part: Part,
    ) -> None:
        super().__init__(coordinator, description, part, description.kind)
        self._decide_default()


class ServiceBinarySensor[T](ServiceEntity[T], ResourceBinarySensor[T]):
    """Something that is so or not so of what the agent looks after."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: ResourceBinarySensorDescription[T],
        service: Thing,
    ) -> None:
        super().__init__(coordinator, description, service, description.kind)


class MachineBinarySensor[T](MachineEntity[T], ResourceBinarySensor[T]):
    """Something that is so or not so of the machine."""

    def __init__(
        self, coordinator: HomelabCoordinator, description: ResourceBinarySensorDescription[T]
    ) -> None:
        super().__init__(coordinator, description, description.kind)
        self._decide_default()


def _is_degraded(stack: Stack) -> bool | None:
    return None if stack.state is StackState.UNKNOWN else stack.state is StackState.DEGRADED


def _lacks_tasks(service: SwarmService) -> bool | None:
    if service.running is None or service.desired is None:
        return None
    return service.running < service.desired
