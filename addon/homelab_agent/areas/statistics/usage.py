"""What a container uses: the difference between two samples of it. Nothing here is rounded."""

from typing import NamedTuple

from homelab_agent.platform.engine.stats import Sample

SHORTEST_NS = 400_000_000
"""Two samples closer together than this say too little about a rate."""

_SECOND_NS = 1_000_000_000


class Usage(NamedTuple):
    """The newest sample, and the rates since the one before; None over a reset of a counter."""

    sample: Sample
    cpu_percent: float | None
    network_receive_bytes_per_s: float | None
    network_transmit_bytes_per_s: float | None
    block_read_bytes_per_s: float | None
    block_write_bytes_per_s: float | None


def usage_between(before: Sample, after: Sample) -> Usage | None:
    """Return what happened between two samples; None where they cannot be compared."""
    elapsed_ns = after.taken_ns - before.taken_ns
    if before.source is not after.source or elapsed_ns < SHORTEST_NS:
        return None
    per_s = _SECOND_NS / elapsed_ns
    return Usage(
        after,
        _rate(before.cpu_ns, after.cpu_ns, 100 / elapsed_ns),
        _rate(before.network_receive_bytes, after.network_receive_bytes, per_s),
        _rate(before.network_transmit_bytes, after.network_transmit_bytes, per_s),
        _rate(before.block_read_bytes, after.block_read_bytes, per_s),
        _rate(before.block_write_bytes, after.block_write_bytes, per_s),
    )


def _rate(before: int | None, after: int | None, factor: float) -> float | None:
    if before is None or after is None or after < before:
        return None
    return (after - before) * factor
