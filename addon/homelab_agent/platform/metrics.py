"""Numbers for Prometheus, in a registry of our own."""

from collections.abc import Callable, Iterable
from typing import override

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_1_0_0
PREFIX = "homelab"


class Metrics:
    """Makes the agent's counters, gauges and histograms, and renders all of them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def counter(self, name: str, description: str, *labels: str) -> Counter:
        """Return a new counter; its name ends with `_total` when it is rendered."""
        return Counter(f"{PREFIX}_{name}", description, labels, registry=self._registry)

    def gauge(self, name: str, description: str, *labels: str) -> Gauge:
        """Return a new gauge."""
        return Gauge(f"{PREFIX}_{name}", description, labels, registry=self._registry)

    def read_gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Add a gauge that is read when somebody asks."""
        self.gauge(name, description).set_function(read)

    def read_families(self, read: Callable[[], Iterable[Metric]]) -> None:
        """Add metrics whose labels come and go; they are read when somebody asks."""
        self._registry.register(_Families(read))

    def histogram(
        self, name: str, description: str, *labels: str, buckets: tuple[float, ...]
    ) -> Histogram:
        """Return a new histogram."""
        return Histogram(
            f"{PREFIX}_{name}", description, labels, buckets=buckets, registry=self._registry
        )

    def render(self) -> bytes:
        """Return all of them in the text format of Prometheus."""
        return generate_latest(self._registry)


class _Families(Collector):
    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    @override
    def collect(self) -> Iterable[Metric]:
        return self._read()
