"""Temperatures above what the sensor stands, or far above what is usual at this time of day."""

from homelab_agent.areas.host.models import HOST_SENSOR_KIND, HostSensor
from homelab_agent.areas.insight.models import Fact, FindingSeverity, FindingType
from homelab_agent.areas.insight.noticed import Noticed
from homelab_agent.areas.insight.rules.usual import Usual

_SENSIBLE_LIMIT_C = (40.0, 130.0)
"""Some chips tell limits that mean nothing."""

_EASE_C = 3.0
_LEAST_ABOVE_C = 12.0
_DEVIATIONS = 6.0


def too_hot(
    sensor: HostSensor, value_c: float, usual: Usual | None, before: FindingSeverity | None
) -> Noticed | None:
    """Return that a sensor is too hot at `value_c`, what it showed in most of the last looks."""
    ease_c = _EASE_C if before else 0.0
    high, critical = _sensible(sensor.high), _sensible(sensor.critical)
    limits = [limit for limit in (high, critical) if limit is not None]
    if limits and value_c >= min(limits) - ease_c:
        severity = FindingSeverity.WARNING
        if critical is not None and value_c >= critical - ease_c:
            severity = FindingSeverity.CRITICAL
        limit_c = critical if severity is FindingSeverity.CRITICAL else high
        why = Fact(name="limit", value=limit_c or min(limits), unit="°C")
        what = f"{sensor.name} is at {value_c:.0f} °C, its limit is {why.value:.0f} °C."
        return _noticed(sensor, value_c, severity, what, (why,))
    if usual is None:
        return None
    above_c = max(_LEAST_ABOVE_C, _DEVIATIONS * usual.deviation)
    if value_c < max(usual.level + above_c, usual.highest) - ease_c:
        return None
    what = (
        f"{sensor.name} is at {value_c:.0f} °C; {usual.level:.0f} °C are usual at this time of day."
    )
    facts = (
        Fact(name="usual", value=round(usual.level, 1), unit="°C"),
        Fact(name="highest before", value=round(usual.highest, 1), unit="°C"),
        Fact(name="days compared", value=float(usual.days)),
    )
    return _noticed(sensor, value_c, FindingSeverity.NOTICE, what, facts)


def _sensible(limit_c: float | None) -> float | None:
    least_c, most_c = _SENSIBLE_LIMIT_C
    return limit_c if limit_c is not None and least_c <= limit_c <= most_c else None


def _noticed(
    sensor: HostSensor,
    value_c: float,
    severity: FindingSeverity,
    message: str,
    facts: tuple[Fact, ...],
) -> Noticed:
    return Noticed(
        type=FindingType.TEMPERATURE_UNUSUAL,
        severity=severity,
        subject_kind=HOST_SENSOR_KIND,
        subject=sensor.key,
        message=message,
        evidence=(Fact(name="temperature", value=round(value_c, 1), unit="°C"), *facts),
    )
