"""The network's figures for Prometheus."""

from homelab_agent.areas.network.models import (
    NETWORK_CONNECTIONS_KIND,
    NETWORK_KEY,
    NETWORK_TRAFFIC_KIND,
    NetworkConnections,
    NetworkTraffic,
)
from homelab_agent.areas.network.numbers import export_network
from homelab_agent.platform.metrics import Metrics
from homelab_agent.platform.resources import Resources
from tests.clock import HandClock


def test_prometheus_sees_what_is_known_and_nothing_that_is_not(
    resources: Resources, clock: HandClock
) -> None:
    metrics = Metrics()
    export_network(metrics, resources)
    assert "homelab_network_receive_bytes_total{" not in metrics.render().decode()
    traffic = NetworkTraffic(
        key="eth0",
        since=clock.now,
        receive_bytes=12,
        transmit_bytes=34,
        receive_errors=0,
        transmit_errors=0,
        receive_drops=5,
        transmit_drops=0,
    )
    counts = NetworkConnections(
        established=3, listening=2, time_wait=1, close_wait=0, other=0, udp=4
    )
    resources.publish(NETWORK_TRAFFIC_KIND, "eth0", traffic)
    resources.publish(NETWORK_CONNECTIONS_KIND, NETWORK_KEY, counts)
    text = metrics.render().decode()
    assert 'homelab_network_receive_bytes_total{interface="eth0"} 12.0' in text
    assert 'homelab_network_receive_drops_total{interface="eth0"} 5.0' in text
    assert 'homelab_network_sockets{state="established"} 3.0' in text
