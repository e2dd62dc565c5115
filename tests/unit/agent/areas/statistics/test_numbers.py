from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND, ContainerStats
from homelab_agent.areas.statistics.numbers import export_figures
from homelab_agent.platform.metrics import Metrics
from homelab_agent.platform.resources import Resources


def test_prometheus_gets_what_is_known_and_nothing_for_what_is_not(resources: Resources) -> None:
    metrics = Metrics()
    export_figures(metrics, resources)
    assert b"container=" not in metrics.render()

    stats = ContainerStats(key="cloud:db:1", cpu_percent=12.5, memory_bytes=30_000_000)
    resources.publish(CONTAINER_STATS_KIND, stats.key, stats)
    told = metrics.render().decode()

    assert 'homelab_container_cpu_percent{container="cloud:db:1"} 12.5' in told
    assert 'homelab_container_memory_bytes{container="cloud:db:1"} 3e+07' in told
    assert "homelab_container_network_receive_bytes{" not in told

    resources.remove(CONTAINER_STATS_KIND, stats.key)
    assert b"container=" not in metrics.render()
