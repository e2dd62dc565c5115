"""What of a promise is left: how much may still go wrong in 30 days, and how fast that goes."""

from homelab_agent.areas.monitors.history import Tallies
from homelab_agent.areas.monitors.models import Budget, MonitorReport, Slo
from homelab_agent.areas.monitors.responses import quantile_ms
from homelab_agent.areas.monitors.tally import Tally, span
from homelab_agent.areas.monitors.windows import Window

MONTH_S = 30 * 86400


def report(key: str, slo: Slo, interval_s: float, tallies: Tallies) -> MonitorReport:
    """Return what is known of a monitor over time."""
    return MonitorReport(
        key=key,
        day=span(tallies[Window.DAY]),
        week=span(tallies[Window.WEEK]),
        month=span(tallies[Window.MONTH]),
        year=span(tallies[Window.YEAR]),
        budget=budget(slo, interval_s, tallies),
    )


def budget(slo: Slo, interval_s: float, tallies: Tallies) -> Budget:
    """Return what is left of the promise."""
    month = tallies[Window.MONTH]
    if month.checks == 0:
        return Budget()
    allowed_s = MONTH_S * (100 - slo.uptime_percent) / 100
    left_s = allowed_s - month.down_ms / 1000
    # Of a month that is not over: what all checks of it may get wrong, as with time.
    allowed_errors = max(month.checks, MONTH_S / interval_s) * slo.error_percent / 100
    return Budget(
        uptime_left_percent=round(100 * left_s / allowed_s, 2),
        uptime_left_s=round(left_s, 3),
        error_left_percent=round(100 * (1 - month.errors / allowed_errors), 2),
        burn_rate_1h=_burn_rate(slo, tallies[Window.HOUR]),
        burn_rate_6h=_burn_rate(slo, tallies[Window.SIX_HOURS]),
        met=_is_met(slo, month),
    )


def _burn_rate(slo: Slo, tally: Tally) -> float | None:
    watched_ms = tally.up_ms + tally.down_ms
    if watched_ms == 0:
        return None
    return round(tally.down_ms / watched_ms / ((100 - slo.uptime_percent) / 100), 2)


def _is_met(slo: Slo, month: Tally) -> bool:
    watched_ms = month.up_ms + month.down_ms
    if watched_ms and 100 * month.up_ms < slo.uptime_percent * watched_ms:
        return False
    if 100 * month.errors > slo.error_percent * month.checks:
        return False
    slowest_ms = quantile_ms(month.responses, 0.95)
    return slowest_ms is None or slowest_ms <= slo.response_ms
