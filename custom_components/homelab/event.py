"""What happens, as events that an automation can use and the logbook shows."""

from collections.abc import Mapping, Sequence
from typing import override

from homeassistant.components.event import EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import (
    Certificate,
    CertificateEvent,
    CertificateEventType,
    Container,
    ContainerEvent,
    ContainerEventType,
    Monitor,
    MonitorEvent,
    MonitorEventType,
    NetworkStatus,
    PortEvent,
    PortEventType,
)
from .client.kinds import (
    CERTIFICATE,
    CERTIFICATE_EVENT,
    CONTAINER,
    CONTAINER_EVENT,
    MONITOR,
    MONITOR_EVENT,
    NETWORK_STATUS,
    PORT_EVENT,
)
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .entity import ContainerEntity, MachineEntity, ServiceEntity
from .event_base import Events
from .event_domain import follow_domains
from .sensor_description import options_of

PARALLEL_UPDATES = 0

# Off until somebody asks: the triggers of this integration need no entity.
EVENT = EventEntityDescription(
    key="event",
    translation_key="container",
    event_types=options_of(ContainerEventType),
    entity_registry_enabled_default=False,
)
MONITOR_EVENTS = EventEntityDescription(
    key="event", translation_key="monitor", event_types=options_of(MonitorEventType)
)
CERTIFICATE_EVENTS = EventEntityDescription(
    key="event",
    translation_key="certificate",
    event_types=options_of(CertificateEventType),
    entity_registry_enabled_default=False,
)
PORT_EVENTS = EventEntityDescription(
    key="port_event", translation_key="port", event_types=options_of(PortEventType)
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: HomelabConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add an entity for each thing as it comes, and one for the ports of the machine."""
    coordinator = entry.runtime_data

    @callback
    def add_containers(containers: Sequence[Container]) -> None:
        async_add_entities(
            ContainerEvents(coordinator, EVENT, container) for container in containers
        )

    @callback
    def add_monitors(monitors: Sequence[Monitor]) -> None:
        async_add_entities(MonitorEvents(coordinator, monitor) for monitor in monitors)

    @callback
    def add_certificates(certificates: Sequence[Certificate]) -> None:
        async_add_entities(CertificateEvents(coordinator, one) for one in certificates)

    @callback
    def add_ports(_network: Sequence[NetworkStatus]) -> None:
        async_add_entities([PortEvents(coordinator)])

    entry.async_on_unload(coordinator.async_on_new(CONTAINER, add_containers))
    entry.async_on_unload(coordinator.async_on_new(MONITOR, add_monitors))
    entry.async_on_unload(coordinator.async_on_new(CERTIFICATE, add_certificates))
    entry.async_on_unload(coordinator.async_on_new(NETWORK_STATUS, add_ports))
    for unload in follow_domains(coordinator, async_add_entities):
        entry.async_on_unload(unload)


class ContainerEvents(Events[ContainerEvent], ContainerEntity):
    """What happens to a container."""

    event_kind = CONTAINER_EVENT

    def __init__(
        self,
        coordinator: HomelabCoordinator,
        description: EventEntityDescription,
        container: Container,
    ) -> None:
        super().__init__(coordinator, description, container)
        self.event_key = container.key

    @override
    def details(self, event: ContainerEvent) -> Mapping[str, object]:
        """Return how it ended."""
        return {"exit_code": event.exit_code}


class MonitorEvents(Events[MonitorEvent], ServiceEntity[Monitor]):
    """A service went down, or is up again."""

    event_kind = MONITOR_EVENT

    def __init__(self, coordinator: HomelabCoordinator, monitor: Monitor) -> None:
        super().__init__(coordinator, MONITOR_EVENTS, monitor, MONITOR)
        self.event_key = monitor.key

    @override
    def details(self, event: MonitorEvent) -> Mapping[str, object]:
        """Return why it is down, and in seconds how long it was."""
        return {"reason": event.reason, "code": event.code, "duration": event.duration_s}


class CertificateEvents(Events[CertificateEvent], ServiceEntity[Certificate]):
    """A certificate expires soon, changed, has a problem or no longer."""

    event_kind = CERTIFICATE_EVENT

    def __init__(self, coordinator: HomelabCoordinator, certificate: Certificate) -> None:
        super().__init__(coordinator, CERTIFICATE_EVENTS, certificate, CERTIFICATE)
        self.event_key = certificate.key

    @override
    def details(self, event: CertificateEvent) -> Mapping[str, object]:
        """Return how long it is good for, and what is wrong with it."""
        return {
            "days_left": event.days_left,
            "verdict": event.verdict,
            "reason": event.reason,
        }


class PortEvents(Events[PortEvent], MachineEntity[NetworkStatus]):
    """A port of the machine began or ceased to listen."""

    event_kind = PORT_EVENT

    def __init__(self, coordinator: HomelabCoordinator) -> None:
        super().__init__(coordinator, PORT_EVENTS, NETWORK_STATUS)

    @override
    def details(self, event: PortEvent) -> Mapping[str, object]:
        """Return which port, who listens there, and who can get to it."""
        container = self.coordinator.container(event.container or "")
        return {
            "port": event.port,
            "transport": event.transport,
            "address": event.address,
            "reach": event.reach,
            "process": event.process,
            "container": container.name if container else event.container,
        }
