"""Sensors: what a host, its parts and the things on it are, do and use."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, override

from homeassistant.components.sensor import (
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MAX_LENGTH_STATE_STATE
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import (
    AcmeAccount,
    Domain,
    HostInfo,
    Kind,
    ServiceType,
    Swarm,
    SwarmRole,
    UpdateState,
)
from .client.kinds import (
    ACME_ACCOUNT,
    AGENT,
    AGENT_KEY,
    CERTIFICATE,
    CONTAINER,
    CONTAINER_UPDATE,
    DNS_PROVIDER,
    DOMAIN,
    DYNAMIC_ADDRESS,
    FINDING,
    HOST_INFO,
    HOST_KEY,
    MANAGED_CERTIFICATE,
    MONITOR,
    NETWORK_INTERFACE,
    PROXY,
    STACK,
    SWARM,
    SWARM_SERVICE,
)
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import (
    HostEntity,
    MachineEntity,
    PartEntity,
    ResourceEntity,
    ServiceEntity,
    ThingEntity,
)
from .sensor_container import CONTAINER_SENSORS
from .sensor_description import ResourceSensorDescription, Value, anything
from .sensor_domain import (
    DOMAIN_SENSORS,
    DYNAMIC_ADDRESS_SENSORS,
    MANAGED_CERTIFICATE_SENSORS,
    PROVIDER_SENSORS,
    PROXY_SENSORS,
)
from .sensor_host import HOST_SENSORS, MANAGER_SENSORS
from .sensor_machine import MACHINE_SENSORS
from .sensor_monitor import CERTIFICATE_SENSORS, MONITOR_SENSORS
from .sensor_parts import PART_SENSORS, has_entities
from .sensor_provisioning import DomainProvisioning, HostProvisioning
from .sensor_stack import STACK_SENSORS, SWARM_SERVICE_SENSORS
from .subjects import Part, Thing, is_there, subject_of

PARALLEL_UPDATES = 0

UPDATES_AVAILABLE = SensorEntityDescription(
    key="updates_available",
    translation_key="updates_available",
    state_class=SensorStateClass.MEASUREMENT,
)
FINDINGS = SensorEntityDescription(
    key="findings",
    translation_key="findings",
    state_class=SensorStateClass.MEASUREMENT,
)

type Descriptions = Sequence[ResourceSensorDescription[Any]]

_OF_THINGS: tuple[tuple[Kind[Any], Descriptions], ...] = (
    (CONTAINER, CONTAINER_SENSORS),
    (STACK, STACK_SENSORS),
    (SWARM_SERVICE, SWARM_SERVICE_SENSORS),
)
_OF_SERVICES: tuple[tuple[Kind[Any], Descriptions], ...] = (
    (MONITOR, MONITOR_SENSORS),
    (CERTIFICATE, CERTIFICATE_SENSORS),
    (DOMAIN, DOMAIN_SENSORS),
    (PROXY, PROXY_SENSORS),
    (DYNAMIC_ADDRESS, DYNAMIC_ADDRESS_SENSORS),
    (MANAGED_CERTIFICATE, MANAGED_CERTIFICATE_SENSORS),
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of Docker's host, and those of all else as it comes."""
    coordinator = entry.runtime_data
    async_add_entities(HostSensor(coordinator, description) for description in HOST_SENSORS)
    async_add_entities([UpdatesAvailable(coordinator)])

    @callback
    def add_manager(_swarm: Sequence[Swarm]) -> None:
        async_add_entities(HostSensor(coordinator, description) for description in MANAGER_SENSORS)

    @callback
    def add_findings(_info: Sequence[HostInfo]) -> None:
        async_add_entities([Findings(coordinator)])

    entry.async_on_unload(coordinator.async_on_new(SWARM, add_manager, wanted=_manages))
    entry.async_on_unload(coordinator.async_on_new(HOST_INFO, add_findings))
    for unload in _follow_newcomers(coordinator, async_add_entities):
        entry.async_on_unload(unload)


def _follow_newcomers(
    coordinator: HomelabCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> Iterator[CALLBACK_TYPE]:
    """Add the sensors of what there is now, and of what comes; yield what ends that."""
    for kind, descriptions in _OF_THINGS:
        yield from _add_new(coordinator, kind, descriptions, ThingSensor, async_add_entities)
    for kind, descriptions in _OF_SERVICES:
        yield from _add_new(
            coordinator, kind, descriptions, ServiceSensor, async_add_entities, wanted=is_there
        )
    yield from _add_provisioning(coordinator, async_add_entities)
    for kind, descriptions in (*PART_SENSORS, (DNS_PROVIDER, PROVIDER_SENSORS)):
        wanted = has_entities if kind is NETWORK_INTERFACE else anything
        yield from _add_new(
            coordinator, kind, descriptions, PartSensor, async_add_entities, wanted=wanted
        )
    for kind, descriptions in MACHINE_SENSORS:
        yield _add_machine(coordinator, kind, descriptions, async_add_entities)


def _add_new(
    coordinator: HomelabCoordinator,
    kind: Kind[Any],
    descriptions: Descriptions,
    entity: Callable[[HomelabCoordinator, ResourceSensorDescription[Any], Any], SensorEntity],
    async_add_entities: AddConfigEntryEntitiesCallback,
    *,
    wanted: Callable[[Any], bool] = anything,
) -> Iterator[CALLBACK_TYPE]:
    """Add the sensors of each thing once they make sense for it, which may be later."""
    for applies_fn in dict.fromkeys(description.applies_fn for description in descriptions):
        fitting = [one for one in descriptions if one.applies_fn is applies_fn]

        @callback
        def add(things: Sequence[Any], fitting: Descriptions = fitting) -> None:
            async_add_entities(
                entity(coordinator, description, thing)
                for thing in things
                for description in fitting
            )

        def fits(thing: Any, applies_fn: Callable[[Any], bool] = applies_fn) -> bool:
            return wanted(thing) and applies_fn(thing)

        yield coordinator.async_on_new(kind, add, wanted=fits)


def _add_provisioning(
    coordinator: HomelabCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> Iterator[CALLBACK_TYPE]:
    @callback
    def add(domains: Sequence[Domain]) -> None:
        async_add_entities(DomainProvisioning(coordinator, domain) for domain in domains)

    @callback
    def add_host(_accounts: Sequence[AcmeAccount]) -> None:
        async_add_entities([HostProvisioning(coordinator)])

    # An agent that can order certificates tells of its account, even before there is one.
    yield coordinator.async_on_new(ACME_ACCOUNT, add_host)
    yield coordinator.async_on_new(DOMAIN, add, wanted=_is_page)


def _is_page(domain: Domain) -> bool:
    return domain.service_type is ServiceType.WEB


def _add_machine(
    coordinator: HomelabCoordinator,
    kind: Kind[Any],
    descriptions: Descriptions,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> CALLBACK_TYPE:
    @callback
    def add(_machine: Sequence[Any]) -> None:
        async_add_entities(MachineSensor(coordinator, description) for description in descriptions)

    return coordinator.async_on_new(kind, add)


class ResourceSensor[T](ResourceEntity[T], SensorEntity):
    """One fact about something, or figure of it."""

    entity_description: ResourceSensorDescription[T]

    def _decide_default(self, thing: object) -> None:
        """Let the description say whether this is on for a new thing."""
        if self.entity_description.default_fn is not None:
            self._attr_entity_registry_enabled_default = self.entity_description.default_fn(thing)

    @override
    def value(self) -> Value:
        return self.of_thing(self.entity_description.value_fn)

    @property
    @override
    def native_value(self) -> Value:
        """The fact as it is now, as much of it as a state may hold."""
        value = self.value()
        if isinstance(value, str) and len(value) > MAX_LENGTH_STATE_STATE:
            return f"{value[: MAX_LENGTH_STATE_STATE - 1]}…"
        return value


class ThingSensor[T](ThingEntity[T], ResourceSensor[T]):
    """One fact about a container, a stack or a swarm service."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: ResourceSensorDescription[T],
        thing: Thing,
    ) -> None:
        super().__init__(coordinator, description, subject_of(thing), description.kind)
        self._decide_default(thing)


class ServiceSensor[T](ServiceEntity[T], ResourceSensor[T]):
    """One fact about something that the agent looks after."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: ResourceSensorDescription[T],
        service: Thing,
    ) -> None:
        super().__init__(coordinator, description, service, description.kind)
        self._decide_default(service)


class PartSensor[T](PartEntity[T], ResourceSensor[T]):
    """One fact about a part of the host."""

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: ResourceSensorDescription[T],
        part: Part,
    ) -> None:
        super().__init__(coordinator, description, part, description.kind)
        self._decide_default(part)


class MachineSensor[T](MachineEntity[T], ResourceSensor[T]):
    """One fact about the machine."""

    def __init__(
        self, coordinator: HomelabCoordinator, description: ResourceSensorDescription[T]
    ) -> None:
        super().__init__(coordinator, description, description.kind)


class HostSensor[T](HostEntity, SensorEntity):
    """One fact about Docker or the agent."""

    entity_description: ResourceSensorDescription[T]

    def __init__(
        self, coordinator: HomelabCoordinator, description: ResourceSensorDescription[T]
    ) -> None:
        self._kind = description.kind
        self._key = AGENT_KEY if description.kind.name == AGENT.name else HOST_KEY
        super().__init__(coordinator, description, (self._kind.name, self._key))

    @property
    @override
    def available(self) -> bool:
        """What is said of Docker is only known while Docker answers."""
        if self._kind.name == AGENT.name:
            return super().available
        return self.coordinator.engine_connected

    @override
    def value(self) -> Value:
        found = self.coordinator.mirror.get(self._kind, self._key)
        return None if found is None else self.entity_description.value_fn(found)

    @property
    @override
    def native_value(self) -> Value:
        """The fact as it is now."""
        return self.value()


class UpdatesAvailable(HostEntity, SensorEntity):
    """How many containers could run a newer image; unknown while nothing was looked for."""

    def __init__(self, coordinator: HomelabCoordinator) -> None:
        super().__init__(coordinator, UPDATES_AVAILABLE, (CONTAINER_UPDATE.name, None))

    @property
    @override
    def available(self) -> bool:
        """Known only while Docker answers."""
        return self.coordinator.engine_connected

    @override
    def value(self) -> int | None:
        updates = self.coordinator.mirror.every(CONTAINER_UPDATE)
        if not updates:
            return None
        return sum(update.state is UpdateState.AVAILABLE for update in updates)

    @property
    @override
    def native_value(self) -> int | None:
        """The number as it is now."""
        return self.value()


class Findings(HostEntity, SensorEntity):
    """How much the agent noticed that somebody should look at, and what."""

    def __init__(self, coordinator: HomelabCoordinator) -> None:
        super().__init__(coordinator, FINDINGS, (FINDING.name, None))

    @override
    def value(self) -> dict[str, int]:
        found = Counter(finding.type.value for finding in self.coordinator.mirror.every(FINDING))
        return dict(sorted(found.items()))

    @property
    @override
    def native_value(self) -> int:
        """The number as it is now."""
        return sum(self.value().values())

    @property
    @override
    def extra_state_attributes(self) -> dict[str, list[str]]:
        """What was noticed."""
        return {"types": list(self.value())}


def _manages(swarm: Swarm) -> bool:
    return swarm.role is SwarmRole.MANAGER
