"""What can be asked about what is about to go wrong."""

from homelab_agent.areas.insight.models import (
    DISK_FORECAST_KIND,
    FINDING_KIND,
    DiskForecast,
    Finding,
    FindingSeverity,
    InsightReport,
)
from homelab_agent.platform.resources import Resources

_WORST_FIRST = (FindingSeverity.CRITICAL, FindingSeverity.WARNING, FindingSeverity.NOTICE)


class InsightService:
    """The newest forecasts and findings."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def report(self) -> InsightReport:
        """Return all forecasts by file system, and all findings, the worst and oldest first."""
        forecasts = self._resources.every(DISK_FORECAST_KIND, DiskForecast)
        findings = self._resources.every(FINDING_KIND, Finding)
        return InsightReport(
            forecasts=tuple(sorted(forecasts, key=lambda each: each.key)),
            findings=tuple(sorted(findings, key=_rank)),
        )


def _rank(finding: Finding) -> tuple[int, float, str]:
    return _WORST_FIRST.index(finding.severity), finding.since.timestamp(), finding.key
