"""What is kept of the past, and for how long."""

from homelab_agent.platform.history.series import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    Plan,
    Tier,
    lowest,
    middle,
)

AVAILABLE = "available"
"""What is left on a file system, bytes, by mount point."""

SIZE = "size"
"""Of a file system, bytes: another size is another file system."""

MEMORY = "memory"
"""The working set of a container, bytes, by its key: the low of each hour."""

TEMPERATURE = "temperature"
"""Degrees, by sensor."""

RECEIVED, SENT = "received", "sent"
"""Bytes per second of an interface, the mean between two looks."""

_HOURLY = Plan(tiers=(Tier(HOUR_S, 28 * DAY_S),), choose=middle, forget_after_s=14 * DAY_S)

PLANS = {
    AVAILABLE: Plan(
        tiers=(
            Tier(10 * MINUTE_S, 2 * DAY_S),
            Tier(HOUR_S, 60 * DAY_S),
            Tier(DAY_S, 400 * DAY_S),
        ),
        # The fullest moment: it is what gets full first.
        choose=lowest,
        forget_after_s=60 * DAY_S,
    ),
    SIZE: Plan(tiers=(Tier(DAY_S, 2 * DAY_S),), choose=middle, forget_after_s=60 * DAY_S),
    # What an application gives back at times it did not lose.
    MEMORY: Plan(tiers=(Tier(HOUR_S, 30 * DAY_S),), choose=lowest, forget_after_s=3 * DAY_S),
    TEMPERATURE: _HOURLY,
    RECEIVED: _HOURLY,
    SENT: _HOURLY,
}
