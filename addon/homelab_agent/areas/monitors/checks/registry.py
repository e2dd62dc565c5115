"""All kinds of checks, by their type."""

from collections.abc import Iterable
from typing import Any

from homelab_agent.areas.monitors.check_settings import CheckSettings, CheckType
from homelab_agent.areas.monitors.checks.check import Check, CheckOutcome


class Checks:
    """Hands settings to the check that they are of."""

    # Any: a check takes its own settings alone, and the type in those settings chooses it.
    def __init__(self, checks: Iterable[Check[Any]]) -> None:
        self._checks: dict[CheckType, Check[Any]] = {check.type: check for check in checks}

    def has(self, check_type: CheckType) -> bool:
        """Return whether there is a check of this type."""
        return check_type in self._checks

    async def run(
        self, settings: CheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """Ask once; see `Check.run`."""
        return await self._checks[settings.type].run(
            settings, timeout_s, allow_guarded=allow_guarded
        )

    def target(self, settings: CheckSettings) -> str:
        """Return what is asked, as a person would write it."""
        return self._checks[settings.type].target(settings)
