"""What containers use."""

from dataclasses import dataclass

from .base import OpenEnum


class StatsSource(OpenEnum):
    """Where the figures come from: the kernel's own files, or Docker asked for each container."""

    CGROUP_V1 = "cgroup_v1"
    CGROUP_V2 = "cgroup_v2"
    ONE_SHOT = "one_shot"
    DEMO = "demo"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStats:
    """What one running container uses. `key` is the container's; a stopped one has no statistics.

    `cpu_percent`: 100 is one core. `memory_bytes` is the working set: without the cache that the
    kernel gives back first. `memory_limit_bytes` is None without a limit; `memory_percent` is of
    the limit, else of the host's memory. Network figures count all interfaces and are None for a
    container in the host's network. Totals count since the container's start.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStats:
    """All running containers of the host together, and how that is known.

    `source_reason` says why not the cheaper source. `containers`: how many were sampled.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsReport:
    """The newest figures of all running containers, by key."""

    engine: EngineStats
    containers: tuple[ContainerStats, ...]
