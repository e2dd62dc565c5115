"""What is left of a promise, and how fast it goes."""

from homelab_agent.areas.monitors.budget import budget
from homelab_agent.areas.monitors.models import Slo
from homelab_agent.areas.monitors.responses import slot_of
from homelab_agent.areas.monitors.tally import Tally
from homelab_agent.areas.monitors.windows import Window

HOUR_MS = 3_600_000


def tally(up_ms: int = 0, down_ms: int = 0, checks: int = 0, errors: int = 0) -> Tally:
    made = Tally()
    made.up_ms, made.down_ms, made.checks, made.errors = up_ms, down_ms, checks, errors
    return made


def tallies(**known: Tally) -> dict[Window, Tally]:
    return {window: known.get(window.value, tally()) for window in Window}


def test_three_quarters_of_an_hour_down_overdraw_three_nines_of_a_month() -> None:
    month = tally(720 * HOUR_MS - 2_700_000, 2_700_000, checks=43_200, errors=45)

    left = budget(Slo(), 60, tallies(month=month))

    # 99.9 % of 30 days leave 2592 s.
    assert left.uptime_left_s == -108
    assert left.uptime_left_percent == -4.17
    assert left.error_left_percent == 89.58
    assert left.met is False


def test_the_first_failed_check_of_a_new_monitor_does_not_use_up_a_month() -> None:
    month = tally(HOUR_MS, 60_000, checks=61, errors=1)

    left = budget(Slo(), 60, tallies(month=month, hour=tally(HOUR_MS - 60_000, 60_000)))

    assert left.uptime_left_s == 2532
    assert left.error_left_percent is not None
    assert left.error_left_percent > 99
    # A minute in an hour is 1.67 %, and 0.1 % may be down.
    assert left.burn_rate_1h == 16.67
    assert left.burn_rate_6h is None


def test_slow_answers_break_the_promise_too() -> None:
    month = tally(HOUR_MS, 0, checks=100)
    month.responses = {slot_of(100): 94, slot_of(900): 6}
    assert budget(Slo(), 60, tallies(month=month)).met is False
    month.responses = {slot_of(100): 95, slot_of(900): 5}
    assert budget(Slo(), 60, tallies(month=month)).met is True


def test_of_what_was_never_checked_nothing_is_claimed() -> None:
    left = budget(Slo(), 60, tallies())

    assert left.met is None
    assert left.uptime_left_percent is None
