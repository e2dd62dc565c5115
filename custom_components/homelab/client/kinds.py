"""The kinds of resources that this client follows on the stream."""

from dataclasses import dataclass
from typing import Any, Final

from .models import (
    AcmeAccount,
    AgentInfo,
    BlockDevice,
    Certificate,
    CertificateEvent,
    Container,
    ContainerEvent,
    ContainerStats,
    ContainerUpdate,
    DiskForecast,
    DiskHealth,
    DiskUsage,
    DnsProvider,
    Domain,
    DomainEvent,
    DynamicAddress,
    DynamicAddressEvent,
    EngineStats,
    EngineStatus,
    Filesystem,
    Finding,
    HostInfo,
    HostPower,
    HostSensor,
    HostStats,
    Job,
    ListeningPort,
    MaintenanceWindow,
    ManagedCertificate,
    ManagedCertificateEvent,
    Monitor,
    MonitorEvent,
    MonitorReport,
    MonitorResult,
    NetworkConnections,
    NetworkInterface,
    NetworkStatus,
    NetworkTraffic,
    PortEvent,
    ProxyRoute,
    ProxyStatus,
    RecreateStatus,
    Stack,
    Swarm,
    SwarmNode,
    SwarmService,
)

type Resource = (
    AgentInfo
    | AcmeAccount
    | DnsProvider
    | Domain
    | DomainEvent
    | DynamicAddress
    | DynamicAddressEvent
    | ManagedCertificate
    | ManagedCertificateEvent
    | ProxyStatus
    | ProxyRoute
    | BlockDevice
    | Certificate
    | CertificateEvent
    | Container
    | ContainerEvent
    | ContainerStats
    | ContainerUpdate
    | DiskForecast
    | DiskHealth
    | DiskUsage
    | EngineStats
    | EngineStatus
    | Filesystem
    | Finding
    | HostInfo
    | HostPower
    | HostSensor
    | HostStats
    | Job
    | ListeningPort
    | MaintenanceWindow
    | Monitor
    | MonitorEvent
    | MonitorReport
    | MonitorResult
    | NetworkConnections
    | NetworkInterface
    | NetworkStatus
    | NetworkTraffic
    | PortEvent
    | RecreateStatus
    | Stack
    | Swarm
    | SwarmNode
    | SwarmService
)


@dataclass(frozen=True, slots=True)
class Kind[T]:
    """One kind of resource: its name on the wire, and what its data is read as.

    `essential`: without it nothing else can be understood. `on_demand`: the agent takes the
    trouble only while somebody listens. `of_container`: its key is that of a container.
    """

    name: str
    model: type[T]
    essential: bool = False
    on_demand: bool = False
    of_container: bool = False


AGENT: Final = Kind("agent", AgentInfo, essential=True)
ENGINE: Final = Kind("engine", EngineStatus, essential=True)
CONTAINER: Final = Kind("container", Container, of_container=True)
CONTAINER_EVENT: Final = Kind("container_event", ContainerEvent, of_container=True)
CONTAINER_STATS: Final = Kind("container_stats", ContainerStats, on_demand=True, of_container=True)
CONTAINER_UPDATE: Final = Kind("container_update", ContainerUpdate, of_container=True)
CONTAINER_RECREATE: Final = Kind("container_recreate", RecreateStatus, of_container=True)
DISK_USAGE: Final = Kind("disk_usage", DiskUsage)
ENGINE_STATS: Final = Kind("engine_stats", EngineStats, on_demand=True)
JOB: Final = Kind("job", Job)
STACK: Final = Kind("stack", Stack)
SWARM: Final = Kind("swarm", Swarm)
SWARM_NODE: Final = Kind("swarm_node", SwarmNode)
SWARM_SERVICE: Final = Kind("swarm_service", SwarmService)
BLOCK_DEVICE: Final = Kind("block_device", BlockDevice, on_demand=True)
CERTIFICATE: Final = Kind("certificate", Certificate)
CERTIFICATE_EVENT: Final = Kind("certificate_event", CertificateEvent)
DISK_FORECAST: Final = Kind("disk_forecast", DiskForecast)
DISK_HEALTH: Final = Kind("disk_health", DiskHealth)
FILESYSTEM: Final = Kind("filesystem", Filesystem)
FINDING: Final = Kind("finding", Finding)
HOST_INFO: Final = Kind("host_info", HostInfo)
HOST_POWER: Final = Kind("host_power", HostPower)
HOST_SENSOR: Final = Kind("host_sensor", HostSensor, on_demand=True)
HOST_STATS: Final = Kind("host_stats", HostStats, on_demand=True)
LISTENING_PORT: Final = Kind("listening_port", ListeningPort)
MAINTENANCE: Final = Kind("maintenance_window", MaintenanceWindow)
MONITOR: Final = Kind("monitor", Monitor)
MONITOR_EVENT: Final = Kind("monitor_event", MonitorEvent)
MONITOR_REPORT: Final = Kind("monitor_report", MonitorReport)
MONITOR_RESULT: Final = Kind("monitor_result", MonitorResult, on_demand=True)
NETWORK_CONNECTIONS: Final = Kind("network_connections", NetworkConnections, on_demand=True)
NETWORK_INTERFACE: Final = Kind("network_interface", NetworkInterface)
NETWORK_STATUS: Final = Kind("network_status", NetworkStatus)
NETWORK_TRAFFIC: Final = Kind("network_traffic", NetworkTraffic, on_demand=True)
PORT_EVENT: Final = Kind("port_event", PortEvent)
ACME_ACCOUNT: Final = Kind("acme_account", AcmeAccount)
DNS_PROVIDER: Final = Kind("dns_provider", DnsProvider)
DOMAIN: Final = Kind("domain", Domain)
DOMAIN_EVENT: Final = Kind("domain_event", DomainEvent)
DYNAMIC_ADDRESS: Final = Kind("dynamic_address", DynamicAddress)
DYNAMIC_ADDRESS_EVENT: Final = Kind("dynamic_address_event", DynamicAddressEvent)
MANAGED_CERTIFICATE: Final = Kind("managed_certificate", ManagedCertificate)
MANAGED_CERTIFICATE_EVENT: Final = Kind("managed_certificate_event", ManagedCertificateEvent)
PROXY: Final = Kind("proxy", ProxyStatus)
PROXY_ROUTE: Final = Kind("proxy_route", ProxyRoute)

AGENT_KEY: Final = "agent"
HOST_KEY: Final = "docker"
"""The key of what there is once per engine: itself, its statistics, disk usage, swarm."""

MACHINE_KEY: Final = "host"
"""The key of what there is once per machine: what it is and does, its power, its network."""

KINDS: Final[tuple[Kind[Any], ...]] = (
    AGENT,
    ENGINE,
    CONTAINER,
    CONTAINER_EVENT,
    CONTAINER_STATS,
    CONTAINER_UPDATE,
    CONTAINER_RECREATE,
    DISK_USAGE,
    ENGINE_STATS,
    JOB,
    STACK,
    SWARM,
    SWARM_NODE,
    SWARM_SERVICE,
    BLOCK_DEVICE,
    CERTIFICATE,
    CERTIFICATE_EVENT,
    DISK_FORECAST,
    DISK_HEALTH,
    FILESYSTEM,
    FINDING,
    HOST_INFO,
    HOST_POWER,
    HOST_SENSOR,
    HOST_STATS,
    LISTENING_PORT,
    MAINTENANCE,
    MONITOR,
    MONITOR_EVENT,
    MONITOR_REPORT,
    MONITOR_RESULT,
    NETWORK_CONNECTIONS,
    NETWORK_INTERFACE,
    NETWORK_STATUS,
    NETWORK_TRAFFIC,
    PORT_EVENT,
    ACME_ACCOUNT,
    DNS_PROVIDER,
    DOMAIN,
    DOMAIN_EVENT,
    DYNAMIC_ADDRESS,
    DYNAMIC_ADDRESS_EVENT,
    MANAGED_CERTIFICATE,
    MANAGED_CERTIFICATE_EVENT,
    PROXY,
    PROXY_ROUTE,
)
ON_DEMAND: Final = frozenset(kind.name for kind in KINDS if kind.on_demand)
