"""One monitor while it is watched."""

from dataclasses import dataclass

from homelab_agent.areas.monitors.attempt import longest_s
from homelab_agent.areas.monitors.check_settings import TlsCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.condition import Condition, Remembered
from homelab_agent.areas.monitors.models import (
    Monitor,
    MonitorResult,
    MonitorSettings,
    MonitorSource,
    MonitorState,
    Occurrence,
)
from homelab_agent.areas.monitors.timeline import Moment

_SLACK_S = 5.0
"""How late a check may begin and still belong to the one before it."""


@dataclass(slots=True)
class Watched:
    """A monitor, its service, and where its unbroken run of results has got to.

    `counted` is the last result that counts, None where the next one begins a new run. `seen` is
    the last result at all. `window` is the maintenance window that is open for it. `kept` is what
    of its condition is on its way into the store.
    """

    id: int
    key: str
    source: MonitorSource
    settings: MonitorSettings
    target: str
    condition: Condition
    window: Occurrence | None = None
    outcome: CheckOutcome | None = None
    seen: Moment | None = None
    counted: Moment | None = None
    kept: Remembered | None = None

    @property
    def is_paused(self) -> bool:
        """Whether somebody paused it."""
        return self.condition.now.paused_since is not None

    @property
    def is_gone(self) -> bool:
        """Whether the container whose label made it is gone."""
        return self.condition.now.gone_since is not None

    @property
    def longest_ms(self) -> int:
        """How far two results may lie apart without a gap between them."""
        return round((self.settings.interval_s + longest_s(self.settings) + _SLACK_S) * 1000)

    def shown(self) -> Monitor:
        """Return it as the wire has it."""
        now, settings = self.condition.now, self.settings
        tls = settings.check if isinstance(settings.check, TlsCheckSettings) else None
        state, since = now.state, now.since
        if now.paused_since is not None:
            state, since = MonitorState.PAUSED, now.paused_since
        elif self.window is not None:
            state, since = MonitorState.MAINTENANCE, self.window.starts_at
        return Monitor(
            key=self.key,
            name=settings.name,
            type=settings.check.type,
            target=self.target,
            tier=settings.tier,
            source=self.source,
            interval_s=settings.interval_s,
            container=settings.container,
            state=state,
            since=since,
            reason=now.reason,
            warning=now.warning,
            slo=settings.slo,
            server_name=tls.server_name if tls else None,
            start_tls=tls.start_tls if tls else None,
        )

    def result(self) -> MonitorResult | None:
        """Return the last check as the wire has it; None before the first."""
        outcome, moment = self.outcome, self.seen
        if outcome is None or moment is None:
            return None
        return MonitorResult(
            key=self.key,
            at=moment.at,
            ok=outcome.ok,
            response_ms=outcome.response_ms,
            code=outcome.code,
            reason=outcome.reason,
            status=outcome.status,
            certificate_days_left=outcome.certificate_days_left,
            details=outcome.details,
        )
