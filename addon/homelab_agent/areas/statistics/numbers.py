"""The containers' figures for Prometheus: what is known already. Nothing is sampled for it."""

from collections.abc import Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND, ContainerStats
from homelab_agent.platform.metrics import PREFIX, Metrics
from homelab_agent.platform.resources import Resources

_SHOWN = {
    "cpu_percent": "Processor time in use; 100 is one core",
    "memory_bytes": "Working set",
    "network_receive_bytes": "Received since the container's start",
    "network_transmit_bytes": "Sent since the container's start",
    "block_read_bytes": "Read since the container's start",
    "block_write_bytes": "Written since the container's start",
    "processes": "Processes",
}


def export_figures(metrics: Metrics, resources: Resources) -> None:
    """Have `metrics` tell the figures as they were published last; what is unknown is left out."""

    def families() -> Iterable[Metric]:
        published = resources.every(CONTAINER_STATS_KIND, ContainerStats)
        for field, description in _SHOWN.items():
            family = GaugeMetricFamily(
                f"{PREFIX}_container_{field}", description, labels=("container",)
            )
            for stats in published:
                value = getattr(stats, field)
                if value is not None:
                    family.add_metric((stats.key,), value)
            yield family

    metrics.read_families(families)
