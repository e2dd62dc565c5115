"""What containers use, as the API and the stream show it.

Everything is rounded to what a person can see, so that a resource that did not really change is
not published. What cannot be known is None, never 0.
"""

from homelab_agent.platform.engine.stats import StatsSource
from homelab_agent.platform.model import Model

CONTAINER_STATS_KIND = "container_stats"
ENGINE_STATS_KIND = "engine_stats"
ENGINE_STATS_KEY = "docker"


class ContainerStats(Model):
    """What one running container uses. `key` is the container's; a stopped one has no statistics.

    `cpu_percent`: 100 is one core. `memory_bytes` is the working set: without the cache that the
    kernel gives back first. `memory_limit_bytes` is None without a limit; `memory_percent` is of
    the limit, else of the host's memory. Network figures count all interfaces but the loopback and
    are None for a container in the host's network or in another container's: what is its own there
    nobody counts. Totals count since the container's start.
    """

    key: str
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    memory_percent: float | None = None
    network_receive_bytes: int | None = None
    network_transmit_bytes: int | None = None
    network_receive_bytes_per_s: float | None = None
    network_transmit_bytes_per_s: float | None = None
    block_read_bytes: int | None = None
    block_write_bytes: int | None = None
    block_read_bytes_per_s: float | None = None
    block_write_bytes_per_s: float | None = None
    processes: int | None = None


class EngineStats(Model):
    """All running containers of the host together, and how that is known.

    `source_reason` says why not a cheaper source, or what this one cannot tell. `containers`: how
    many were sampled; 0, and no figures, while nobody listens. Sums leave out what is unknown.
    """

    source: StatsSource
    source_reason: str | None = None
    interval_s: float
    containers: int
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    memory_percent: float | None = None
    network_receive_bytes_per_s: float | None = None
    network_transmit_bytes_per_s: float | None = None
    block_read_bytes_per_s: float | None = None
    block_write_bytes_per_s: float | None = None
    processes: int | None = None


class StatisticsReport(Model):
    """The newest figures of all running containers, by key."""

    engine: EngineStats
    containers: tuple[ContainerStats, ...]
