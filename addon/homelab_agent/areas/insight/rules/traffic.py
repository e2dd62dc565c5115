"""Traffic far above what an interface ever had, for an hour and more."""

from homelab_agent.areas.insight.models import Fact, FindingSeverity, FindingType
from homelab_agent.areas.insight.noticed import Noticed
from homelab_agent.areas.insight.rules.usual import Usual
from homelab_agent.areas.network.models import NETWORK_TRAFFIC_KIND
from homelab_agent.platform.amounts import size_text

LEAST_DAYS = 7
"""A week: what comes once a week, as a backup does, is usual then."""

_LEAST_BYTES_PER_S = 1_000_000
_DEVIATIONS = 8.0
_ABOVE_HIGHEST = 1.5


def too_much(
    interface: str, direction: str, bytes_per_s: float, usual: Usual | None
) -> Noticed | None:
    """Return that an interface `direction` ("receives", "sends") far more than ever before."""
    if usual is None or usual.days < LEAST_DAYS:
        return None
    limit = max(
        _LEAST_BYTES_PER_S,
        usual.level + _DEVIATIONS * usual.deviation,
        usual.highest * _ABOVE_HIGHEST,
    )
    if bytes_per_s < limit:
        return None
    what = (
        f"{interface} {direction} {size_text(bytes_per_s)} per second for an hour; "
        f"{size_text(usual.level)} are usual at this time of day."
    )
    return Noticed(
        type=FindingType.TRAFFIC_UNUSUAL,
        severity=FindingSeverity.NOTICE,
        subject_kind=NETWORK_TRAFFIC_KIND,
        subject=interface,
        message=what,
        evidence=(
            Fact(name=f"{direction} at least", value=round(bytes_per_s), unit="B/s"),
            Fact(name="usual", value=round(usual.level), unit="B/s"),
            Fact(name="highest hour before", value=round(usual.highest), unit="B/s"),
            Fact(name="days compared", value=float(usual.days)),
        ),
    )
