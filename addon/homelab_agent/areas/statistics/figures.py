"""Figures as a person is shown them.

Rounded to what can be seen: three significant digits, never finer than the steps below. So a
container that is idle publishes nothing. Sums are made before anything is rounded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from homelab_agent.areas.statistics.models import ContainerStats, EngineStats
from homelab_agent.areas.statistics.usage import Usage
from homelab_agent.platform.engine.stats import StatsSource
from homelab_agent.platform.rounding import rounded

_PERCENT_STEP = 0.1
_MEMORY_STEP_BYTES = 100_000
_RATE_STEP_BYTES_PER_S = 100
_TOTAL_STEP_BYTES = 100_000

_MOST_CPU = 1.1
"""How far above all cores of the host a figure may be by the clocks' own fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the figures are measured against; None where the engine does not tell."""

    cpu_count: int | None = None
    memory_bytes: int | None = None


def container_stats(key: str, usage: Usage, host: Host) -> ContainerStats:
    """Return the figures of one container."""
    sample = usage.sample
    limit = sample.memory_limit_bytes
    if limit is not None and host.memory_bytes is not None and limit >= host.memory_bytes:
        limit = None
    return ContainerStats(
        key=key,
        cpu_percent=_cpu(usage.cpu_percent, host),
        memory_bytes=_memory(sample.memory_bytes),
        memory_limit_bytes=limit,
        memory_percent=_share(sample.memory_bytes, limit or host.memory_bytes),
        network_receive_bytes=_total(sample.network_receive_bytes),
        network_transmit_bytes=_total(sample.network_transmit_bytes),
        network_receive_bytes_per_s=_rate(usage.network_receive_bytes_per_s),
        network_transmit_bytes_per_s=_rate(usage.network_transmit_bytes_per_s),
        block_read_bytes=_total(sample.block_read_bytes),
        block_write_bytes=_total(sample.block_write_bytes),
        block_read_bytes_per_s=_rate(usage.block_read_bytes_per_s),
        block_write_bytes_per_s=_rate(usage.block_write_bytes_per_s),
        processes=sample.processes,
    )


def engine_stats(
    source: StatsSource,
    reason: str | None,
    interval_s: float,
    usages: Sequence[Usage] = (),
    host: Host | None = None,
) -> EngineStats:
    """Return all containers together: the sums of what is known, None where nothing is."""
    host = host or Host()
    memory = _sum(usage.sample.memory_bytes for usage in usages)
    return EngineStats(
        source=source,
        source_reason=reason,
        interval_s=interval_s,
        containers=len(usages),
        cpu_percent=_cpu(_sum(usage.cpu_percent for usage in usages), host),
        memory_bytes=_memory(memory),
        memory_percent=_share(memory, host.memory_bytes),
        network_receive_bytes_per_s=_rate(_sum(u.network_receive_bytes_per_s for u in usages)),
        network_transmit_bytes_per_s=_rate(_sum(u.network_transmit_bytes_per_s for u in usages)),
        block_read_bytes_per_s=_rate(_sum(u.block_read_bytes_per_s for u in usages)),
        block_write_bytes_per_s=_rate(_sum(u.block_write_bytes_per_s for u in usages)),
        processes=_sum(usage.sample.processes for usage in usages),
    )


def _cpu(percent: float | None, host: Host) -> float | None:
    if percent is None:
        return None
    if host.cpu_count and percent > host.cpu_count * 100 * _MOST_CPU:
        # Docker's clock was set meanwhile: the time between the samples is not what it says.
        return None
    return rounded(percent, _PERCENT_STEP)


def _memory(value: int | None) -> int | None:
    return None if value is None else int(rounded(value, _MEMORY_STEP_BYTES))


def _share(part: int | None, whole: int | None) -> float | None:
    if part is None or not whole:
        return None
    return rounded(part / whole * 100, _PERCENT_STEP)


def _rate(bytes_per_s: float | None) -> float | None:
    return None if bytes_per_s is None else rounded(bytes_per_s, _RATE_STEP_BYTES_PER_S)


def _total(value: int | None) -> int | None:
    return None if value is None else value // _TOTAL_STEP_BYTES * _TOTAL_STEP_BYTES


def _sum[Number: (int, float)](values: Iterable[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
