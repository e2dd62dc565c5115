"""The sensors of monitors and certificates."""

from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import UnitOfTime

from .client import Certificate, CertificateSource, Monitor, MonitorState, MonitorTier, Verdict
from .client.kinds import CERTIFICATE, MONITOR, MONITOR_REPORT, MONITOR_RESULT
from .sensor_description import (
    ResourceSensorDescription,
    choice,
    days_left,
    expiry,
    fact,
    percent,
)


def _is_critical(monitor: Monitor) -> bool:
    return monitor.tier is MonitorTier.CRITICAL


MONITOR_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    choice("monitor_state", MONITOR, lambda monitor: monitor.state, MonitorState),
    # What people graph. A check is rarer than a sample of a container, so it is on for all.
    # With a decimal, as a ping in the house takes less than a millisecond.
    ResourceSensorDescription(
        key="response_time",
        translation_key="response_time",
        kind=MONITOR_RESULT,
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=1,
        value_fn=lambda result: result.response_ms,
    ),
    ResourceSensorDescription(
        key="response_time_p95",
        translation_key="response_time_p95",
        kind=MONITOR_REPORT,
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=lambda report: report.day.response_p95_ms,
    ),
    percent("uptime_day", MONITOR_REPORT, lambda report: report.day.uptime_percent, precision=2),
    percent("uptime_week", MONITOR_REPORT, lambda report: report.week.uptime_percent, precision=2),
    percent(
        "uptime_month",
        MONITOR_REPORT,
        lambda report: report.month.uptime_percent,
        precision=2,
        enabled=True,
    ),
    percent("error_rate", MONITOR_REPORT, lambda report: report.day.error_percent, precision=2),
    percent(
        "budget_left",
        MONITOR_REPORT,
        lambda report: report.budget.uptime_left_percent,
        default_fn=_is_critical,
    ),
    ResourceSensorDescription(
        key="burn_rate",
        translation_key="burn_rate",
        kind=MONITOR_REPORT,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=lambda report: report.budget.burn_rate_1h,
    ),
)


def _is_of_another(certificate: Certificate) -> bool:
    """Return whether it is not one that the agent keeps: that has these sensors itself."""
    return certificate.source is not CertificateSource.MANAGED


CERTIFICATE_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    expiry(
        "expires_at",
        CERTIFICATE,
        lambda found: found.details and found.details.expires_at,
        applies_fn=_is_of_another,
    ),
    days_left("days_left", CERTIFICATE, lambda found: found.days_left, applies_fn=_is_of_another),
    choice("verdict", CERTIFICATE, lambda found: found.verdict, Verdict),
    fact("issuer", CERTIFICATE, lambda found: found.details and found.details.issuer),
)
