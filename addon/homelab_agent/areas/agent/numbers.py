"""The agent's numbers for Prometheus."""

from collections.abc import Callable
from functools import partial
from math import nan

from homelab_agent.areas.containers.models import (
    ENGINE_KEY,
    ENGINE_KIND,
    ContainerCounts,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.platform.metrics import Metrics
from homelab_agent.platform.resources import Resources


def export_numbers(
    metrics: Metrics,
    resources: Resources,
    *,
    streams: Callable[[], int],
    jobs: Callable[[], int],
) -> None:
    """Have `metrics` tell what the agent sees. What cannot be known is not a number."""

    def status() -> EngineStatus | None:
        known = resources.get(ENGINE_KIND, ENGINE_KEY)
        return known if isinstance(known, EngineStatus) else None

    def connected() -> float:
        known = status()
        return float(known is not None and known.connection is EngineConnection.CONNECTED)

    def counted(field: str) -> float:
        known = status()
        if known is None or known.counts is None:
            return nan
        return float(known.counts.model_dump()[field])

    metrics.read_gauge("streams_open", "Clients on the stream", streams)
    metrics.read_gauge("jobs_running", "Jobs that have not ended", jobs)
    metrics.read_gauge("changes", "Changes of resources so far", lambda: resources.seq)
    metrics.read_gauge("engine_connected", "Whether the engine can be reached", connected)
    containers = metrics.gauge("containers", "Containers by state", "state")
    for field in ContainerCounts.model_fields:
        containers.labels(field).set_function(partial(counted, field))
