"""How services are watched, as the API shows and takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .base import EACH_BY_ITSELF
from .monitors import Monitor, MonitorReport, MonitorResult, MonitorTier, Slo

USUAL_SLO: Final = Slo()


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """How a service is watched. `check` holds its `type` and the settings that type has.

    `retries` follow at once; `confirm_down` checks in a row make DOWN.
    """

    name: str
    check: Mapping[str, Any]
    tier: MonitorTier = MonitorTier.OPTIONAL
    interval_s: float = 60
    timeout_s: float = 10
    retries: int = 1
    confirm_down: int = 2
    container: str | None = None
    slo: Slo = USUAL_SLO
    allow_guarded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMonitorBody(MonitorSettings):
    """A new monitor. `key` is made of its name where none is given."""

    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMonitorBody(MonitorSettings):
    """The settings that replace the old ones. A secret given as stars stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorDescription:
    """Everything about one monitor. Secrets in `settings` are shown as stars."""

    monitor: Monitor
    settings: MonitorSettings
    result: MonitorResult | None = None
    report: MonitorReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A monitor that could be made, for a port that a container publishes."""

    container: str
    container_name: str
    settings: MonitorSettings
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalList:
    """What is not watched yet."""

    proposals: tuple[Proposal, ...] = field(metadata=EACH_BY_ITSELF)
