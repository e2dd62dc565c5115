"""The network's figures for Prometheus: what is known already. Nothing is read for it."""

from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from homelab_agent.areas.network.models import (
    NETWORK_CONNECTIONS_KIND,
    NETWORK_KEY,
    NETWORK_STATUS_KIND,
    NETWORK_TRAFFIC_KIND,
    NetworkConnections,
    NetworkStatus,
    NetworkTraffic,
)
from homelab_agent.platform.metrics import PREFIX, Metrics
from homelab_agent.platform.resources import Resources

_TRAFFIC = {
    "receive_bytes": "Received by an interface",
    "transmit_bytes": "Sent by an interface",
    "receive_errors": "Received with an error",
    "transmit_errors": "Not sent for an error",
    "receive_drops": "Received and dropped",
    "transmit_drops": "Dropped instead of sent",
}


def export_network(metrics: Metrics, resources: Resources) -> None:
    """Have `metrics` tell the figures as they were published last; what is unknown is left out."""

    def families() -> Iterable[Metric]:
        published = resources.every(NETWORK_TRAFFIC_KIND, NetworkTraffic)
        for field, description in _TRAFFIC.items():
            counter = CounterMetricFamily(
                f"{PREFIX}_network_{field}", description, labels=("interface",)
            )
            for traffic in published:
                counter.add_metric((traffic.key,), getattr(traffic, field))
            yield counter
        yield from _connections(resources)
        yield from _ports(resources)

    metrics.read_families(families)


def _connections(resources: Resources) -> Iterable[Metric]:
    known = resources.get(NETWORK_CONNECTIONS_KIND, NETWORK_KEY)
    family = GaugeMetricFamily(f"{PREFIX}_network_sockets", "Sockets by state", labels=("state",))
    if isinstance(known, NetworkConnections):
        for state, count in known.model_dump().items():
            family.add_metric((state,), count)
    yield family


def _ports(resources: Resources) -> Iterable[Metric]:
    status = resources.get(NETWORK_STATUS_KIND, NETWORK_KEY)
    if isinstance(status, NetworkStatus):
        yield GaugeMetricFamily(
            f"{PREFIX}_network_listening_ports", "Ports listened on", value=status.listening_ports
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_network_exposed_ports",
            "Ports that others can get to",
            value=status.exposed_ports,
        )
