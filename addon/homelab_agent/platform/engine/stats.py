"""What containers have used so far: one side of an engine. Rates are made of two samples, above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol


class StatsSource(StrEnum):
    """Where the figures come from: the kernel's own files, or Docker asked for each container."""

    CGROUP_V1 = "cgroup_v1"
    CGROUP_V2 = "cgroup_v2"
    ONE_SHOT = "one_shot"
    DEMO = "demo"


class StatsTarget(NamedTuple):
    """One run of a container: what it used counts from `started_at` on."""

    id: str
    started_at: datetime | None


class Sample(NamedTuple):
    """What one container has used up to `taken_ns`; None where that cannot be known.

    Comparable only with samples of the same source and run: `taken_ns` is the source's own clock.
    `memory_bytes` is the working set: without the cache that the kernel gives back first.
    `memory_limit_bytes` is None where none is set. Network figures count every interface but the
    loopback; None for a container that has no network of its own.
    """

    source: StatsSource
    taken_ns: int
    cpu_ns: int | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    network_receive_bytes: int | None = None
    network_transmit_bytes: int | None = None
    block_read_bytes: int | None = None
    block_write_bytes: int | None = None
    processes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One look at many containers. `reason`: why not a cheaper source, or what it cannot tell."""

    source: StatsSource
    reason: str | None
    samples: Mapping[StatsTarget, Sample]


class StatsEngine(Protocol):
    """Samples what containers use. It chooses the cheapest source that works by itself."""

    async def sample(self, targets: Sequence[StatsTarget]) -> Sweep:
        """Look at containers once; those that are gone, or too slow to tell, are left out.

        Raises the errors of `Engine` where the engine as a whole does not answer.
        """

    async def forget(self, targets: Sequence[StatsTarget]) -> None:
        """Let go of what is kept for containers that are not sampled any more."""
