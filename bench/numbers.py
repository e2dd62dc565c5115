"""Percentiles, and the lines that show them."""

from collections.abc import Sequence

NS_IN_MS = 1_000_000


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = max(0, -(-len(ordered) * percent // 100) - 1)
    return ordered[int(rank)]


def summary_ms(label: str, durations_ns: Sequence[float]) -> str:
    """Return one line: count, median, 99th percentile and maximum in milliseconds."""
    columns = " ".join(
        f"{name} {value / NS_IN_MS:8.2f}"
        for name, value in (
            ("p50", percentile(durations_ns, 50)),
            ("p99", percentile(durations_ns, 99)),
            ("max", max(durations_ns)),
        )
    )
    return f"{label:<44} n {len(durations_ns):5}  {columns}  ms"
