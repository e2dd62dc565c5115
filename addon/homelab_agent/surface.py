"""Everything the agent shows to the outside: the routes of each area and the kinds of resources."""

from homelab_agent.areas.activity.routes import ActivityRoutes
from homelab_agent.areas.agent.models import AGENT_KIND, AgentInfo
from homelab_agent.areas.agent.routes import AgentRoutes
from homelab_agent.areas.certificates.models import (
    CERTIFICATE_EVENT_KIND,
    CERTIFICATE_KIND,
    Certificate,
    CertificateEvent,
)
from homelab_agent.areas.certificates.routes import CertificateRoutes
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
from homelab_agent.areas.ddns.models import (
    DYNAMIC_ADDRESS_EVENT_KIND,
    DYNAMIC_ADDRESS_KIND,
    DynamicAddress,
    DynamicAddressEvent,
)
from homelab_agent.areas.ddns.routes import DynamicAddressRoutes
from homelab_agent.areas.dns.models import DNS_PROVIDER_KIND, DnsProvider
from homelab_agent.areas.dns.routes import DnsRoutes
from homelab_agent.areas.domains.models import (
    DOMAIN_EVENT_KIND,
    DOMAIN_KIND,
    Domain,
    DomainEvent,
)
from homelab_agent.areas.domains.routes import DomainRoutes
from homelab_agent.areas.host.models import (
    BLOCK_DEVICE_KIND,
    DISK_HEALTH_KIND,
    FILESYSTEM_KIND,
    HOST_INFO_KIND,
    HOST_POWER_KIND,
    HOST_SENSOR_KIND,
    HOST_STATS_KIND,
    BlockDevice,
    DiskHealth,
    Filesystem,
    HostInfo,
    HostPower,
    HostSensor,
    HostStats,
)
from homelab_agent.areas.host.routes import HostRoutes
from homelab_agent.areas.insight.models import (
    DISK_FORECAST_KIND,
    FINDING_KIND,
    DiskForecast,
    Finding,
)
from homelab_agent.areas.insight.routes import InsightRoutes
from homelab_agent.areas.jobs.routes import JobRoutes
from homelab_agent.areas.monitors.models import (
    MAINTENANCE_KIND,
    MONITOR_EVENT_KIND,
    MONITOR_KIND,
    MONITOR_REPORT_KIND,
    MONITOR_RESULT_KIND,
    MaintenanceWindow,
    Monitor,
    MonitorEvent,
    MonitorReport,
    MonitorResult,
)
from homelab_agent.areas.monitors.routes import MaintenanceRoutes, MonitorRoutes
from homelab_agent.areas.network.models import (
    LISTENING_PORT_KIND,
    NETWORK_CONNECTIONS_KIND,
    NETWORK_INTERFACE_KIND,
    NETWORK_STATUS_KIND,
    NETWORK_TRAFFIC_KIND,
    PORT_EVENT_KIND,
    ListeningPort,
    NetworkConnections,
    NetworkInterface,
    NetworkStatus,
    NetworkTraffic,
    PortEvent,
)
from homelab_agent.areas.network.routes import NetworkRoutes
from homelab_agent.areas.objects.models import DISK_USAGE_KIND, DiskUsage
from homelab_agent.areas.objects.routes import ObjectRoutes
from homelab_agent.areas.provisioning.routes import ProvisioningRoutes
from homelab_agent.areas.proxy.models import PROXY_KIND, PROXY_ROUTE_KIND, ProxyRoute, ProxyStatus
from homelab_agent.areas.proxy.routes import ProxyRoutes
from homelab_agent.areas.recreate.models import RECREATE_KIND, RecreateStatus
from homelab_agent.areas.recreate.routes import RecreateRoutes
from homelab_agent.areas.renewal.models import (
    ACME_ACCOUNT_KIND,
    MANAGED_CERTIFICATE_EVENT_KIND,
    MANAGED_CERTIFICATE_KIND,
    AcmeAccount,
    ManagedCertificate,
    ManagedCertificateEvent,
)
from homelab_agent.areas.renewal.routes import RenewalRoutes
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
    CertificateRoutes,
    ContainerRoutes,
    DnsRoutes,
    DomainRoutes,
    DynamicAddressRoutes,
    EngineRoutes,
    HostRoutes,
    InsightRoutes,
    JobRoutes,
    MaintenanceRoutes,
    MonitorRoutes,
    NetworkRoutes,
    ObjectRoutes,
    ProvisioningRoutes,
    ProxyRoutes,
    RecreateRoutes,
    RenewalRoutes,
    StackRoutes,
    StatisticsRoutes,
    SwarmRoutes,
    UpdateRoutes,
)

RESOURCE_KINDS: dict[str, type[Model]] = {
    ACME_ACCOUNT_KIND: AcmeAccount,
    BLOCK_DEVICE_KIND: BlockDevice,
    CERTIFICATE_EVENT_KIND: CertificateEvent,
    CERTIFICATE_KIND: Certificate,
    DISK_FORECAST_KIND: DiskForecast,
    DISK_HEALTH_KIND: DiskHealth,
    DNS_PROVIDER_KIND: DnsProvider,
    DOMAIN_EVENT_KIND: DomainEvent,
    DOMAIN_KIND: Domain,
    DYNAMIC_ADDRESS_EVENT_KIND: DynamicAddressEvent,
    DYNAMIC_ADDRESS_KIND: DynamicAddress,
    FILESYSTEM_KIND: Filesystem,
    FINDING_KIND: Finding,
    HOST_INFO_KIND: HostInfo,
    HOST_POWER_KIND: HostPower,
    HOST_SENSOR_KIND: HostSensor,
    HOST_STATS_KIND: HostStats,
    LISTENING_PORT_KIND: ListeningPort,
    MAINTENANCE_KIND: MaintenanceWindow,
    MANAGED_CERTIFICATE_EVENT_KIND: ManagedCertificateEvent,
    MANAGED_CERTIFICATE_KIND: ManagedCertificate,
    MONITOR_EVENT_KIND: MonitorEvent,
    MONITOR_KIND: Monitor,
    MONITOR_REPORT_KIND: MonitorReport,
    MONITOR_RESULT_KIND: MonitorResult,
    NETWORK_CONNECTIONS_KIND: NetworkConnections,
    NETWORK_INTERFACE_KIND: NetworkInterface,
    NETWORK_STATUS_KIND: NetworkStatus,
    NETWORK_TRAFFIC_KIND: NetworkTraffic,
    PORT_EVENT_KIND: PortEvent,
    PROXY_KIND: ProxyStatus,
    PROXY_ROUTE_KIND: ProxyRoute,
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
