"""Memory leaks: the lows of each hour rise on and on, since the container's last start."""

from collections.abc import Sequence

from homelab_agent.areas.containers.models import CONTAINER_KIND, Container
from homelab_agent.areas.insight.models import Fact, FindingSeverity, FindingType
from homelab_agent.areas.insight.noticed import Noticed
from homelab_agent.areas.insight.trend import highest_of_blocks, largest_fall, theil_sen
from homelab_agent.areas.statistics.models import ContainerStats
from homelab_agent.platform.amounts import size_text, time_text
from homelab_agent.platform.history.series import DAY_S, HOUR_S, Point

WINDOWS_S = (14 * DAY_S, 5 * DAY_S, 30 * HOUR_S)
"""The longest first. More than a day at least: what a day's or a night's work takes is given back
by then."""

_COVERED = 0.95
_LEAST_POINTS = 20
_MOST_BLOCKS = 48
_MATERIAL_BYTES = 64 * 1024**2
_MATERIAL_OF_LIMIT, _MATERIAL_OF_HOST = 0.1, 0.01
_FALLS = 0.1
"""Of the growth: a leak gives nothing back."""

_PARTS = 3
_GOES_ON = 0.5
"""Of the mean growth: what fills up, as a cache does, grows less and less."""

_SOON_S = 2 * DAY_S


def leak(
    container: Container, stats: ContainerStats, lows: Sequence[Point], host_bytes: int | None
) -> Noticed | None:
    """Return that a container seems to leak; `lows` of each hour, since it was started."""
    material = _material(stats, host_bytes)
    for window_s in WINDOWS_S:
        found = [low for low in lows if low.at_s >= lows[-1].at_s - window_s]
        if _is_covered(found, window_s) and _leaks(found, material):
            return _noticed(container, stats, found, host_bytes)
    return None


def _material(stats: ContainerStats, host_bytes: int | None) -> float:
    if stats.memory_limit_bytes:
        return max(_MATERIAL_BYTES, stats.memory_limit_bytes * _MATERIAL_OF_LIMIT)
    return max(_MATERIAL_BYTES, (host_bytes or 0) * _MATERIAL_OF_HOST)


def _is_covered(lows: Sequence[Point], window_s: float) -> bool:
    # Each low stands for its hour.
    return (
        len(lows) >= _LEAST_POINTS and lows[-1].at_s - lows[0].at_s + HOUR_S >= window_s * _COVERED
    )


def _leaks(lows: Sequence[Point], material: float) -> bool:
    growth = lows[-1].value - lows[0].value
    if growth < material or largest_fall(lows) > _FALLS * growth:
        return False
    mean = growth / (lows[-1].at_s - lows[0].at_s)
    size = len(lows) // _PARTS
    parts = (lows[index * size : (index + 1) * size + 1] for index in range(_PARTS))
    rates = [(part[-1].value - part[0].value) / (part[-1].at_s - part[0].at_s) for part in parts]
    last = lows[-size:]
    rates.append((last[-1].value - last[0].value) / (last[-1].at_s - last[0].at_s))
    return all(rate >= _GOES_ON * mean for rate in rates)


def _noticed(
    container: Container, stats: ContainerStats, lows: Sequence[Point], host_bytes: int | None
) -> Noticed:
    now_s, first = lows[-1].at_s, lows[0]
    block_s = max(HOUR_S, (now_s - first.at_s) / _MOST_BLOCKS)
    per_s = theil_sen(highest_of_blocks(lows, block_s, now_s)).slope
    seen_s, grown = now_s - first.at_s, lows[-1].value - first.value
    limit = stats.memory_limit_bytes or host_bytes
    facts = [
        Fact(name="growth per hour", value=round(per_s * HOUR_S), unit="B"),
        Fact(name="observed for", value=round(seen_s / HOUR_S, 1), unit="h"),
        Fact(name="memory then", value=first.value, unit="B"),
        Fact(name="memory now", value=lows[-1].value, unit="B"),
    ]
    severity = FindingSeverity.NOTICE
    if limit:
        left_s = max(0.0, (limit - lows[-1].value) / per_s)
        of_what = "limit" if stats.memory_limit_bytes else "host's memory"
        share = round(lows[-1].value / limit * 100, 1)
        facts.append(Fact(name=f"share of the {of_what}", value=share, unit="%"))
        facts.append(Fact(name=f"{of_what} reached in", value=round(left_s / HOUR_S), unit="h"))
        if left_s <= _SOON_S:
            severity = FindingSeverity.WARNING
    what = (
        f"{container.name} may leak memory: {size_text(grown)} more in {time_text(seen_s)}, "
        "and nothing is given back."
    )
    return Noticed(
        type=FindingType.MEMORY_LEAK,
        severity=severity,
        subject_kind=CONTAINER_KIND,
        subject=container.key,
        message=what,
        evidence=tuple(facts),
    )
