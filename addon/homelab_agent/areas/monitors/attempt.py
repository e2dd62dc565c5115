"""One check with its retries, behind a deadline that holds whatever the check itself does."""

import asyncio

from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.registry import Checks
from homelab_agent.areas.monitors.models import MonitorSettings
from homelab_agent.platform.logging import get_logger

BEHIND_S = 1.0
"""How much later than the check's own deadline ours is."""

_log = get_logger(__name__)


def longest_s(settings: MonitorSettings) -> float:
    """Return how long a check can take with all its retries."""
    return (settings.retries + 1) * (settings.timeout_s + BEHIND_S)


async def attempt(checks: Checks, settings: MonitorSettings) -> CheckOutcome:
    """Return what the service answered; retries follow a failure at once."""
    outcome = await _once(checks, settings)
    for _ in range(settings.retries):
        if outcome.ok or not outcome.known:
            break
        outcome = await _once(checks, settings)
    return outcome


async def _once(checks: Checks, settings: MonitorSettings) -> CheckOutcome:
    try:
        async with asyncio.timeout(settings.timeout_s + BEHIND_S):
            return await checks.run(
                settings.check, settings.timeout_s, allow_guarded=settings.allow_guarded
            )
    except TimeoutError:
        reason = f"No answer within {settings.timeout_s:g} s"
        return CheckOutcome(ok=False, code="timed_out", reason=reason)
    except Exception:  # noqa: BLE001  # a mistake in one kind of check must not end all others
        _log.exception("check_broke_down", type=settings.check.type)
        return CheckOutcome(
            ok=False, known=False, code="internal", reason="The check itself broke down"
        )
