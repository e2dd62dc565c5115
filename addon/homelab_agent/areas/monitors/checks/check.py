"""What a check is: one question to a service, and what came of it."""

from dataclasses import dataclass
from typing import Protocol

from homelab_agent.areas.monitors.check_settings import CheckType
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.platform.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What one check found. `code` says in a word what was wrong, `reason` in a sentence.

    `warning` is what is wrong although it is up. `known` False: it could not be checked at all, as
    when Docker is away for a container's health; that counts neither as up nor as down.
    """

    ok: bool
    response_ms: float | None = None
    code: str | None = None
    reason: str | None = None
    warning: str | None = None
    status: int | None = None
    certificate_days_left: int | None = None
    details: tuple[MonitorDetail, ...] = ()
    known: bool = True


class Check[Settings: Model](Protocol):
    """One kind of check; `Settings` is its class of `check_settings`."""

    @property
    def type(self) -> CheckType:
        """Which kind it is."""
        ...

    async def run(
        self, settings: Settings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """Ask once, and answer within `timeout_s`; raises nothing but CancelledError.

        Whoever calls has a deadline of its own a second behind that. `allow_guarded`: also
        addresses that are refused otherwise, like cloud metadata.
        """
        ...

    def target(self, settings: Settings) -> str:
        """Return what is asked, as a person would write it; without secrets."""
        ...
