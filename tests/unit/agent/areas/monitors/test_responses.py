"""Response times as a histogram: small, and close to what was measured."""

from math import ceil
from random import Random

import pytest

from homelab_agent.areas.monitors.responses import (
    RELATIVE_ERROR,
    add_encoded,
    encode,
    quantile_ms,
    slot_of,
)


def histogram(values: list[float]) -> dict[int, int]:
    found: dict[int, int] = {}
    for value in values:
        found[slot_of(value)] = found.get(slot_of(value), 0) + 1
    return found


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_what_is_told_is_at_most_three_percent_off(share: float) -> None:
    dice = Random(7)  # noqa: S311 - nothing secret is drawn
    values = [dice.lognormvariate(3, 1.5) for _ in range(5000)]

    told = quantile_ms(histogram(values), share)

    true = sorted(values)[ceil(len(values) * share) - 1]
    assert told is not None
    assert abs(told - true) <= RELATIVE_ERROR * true


def test_histograms_add_up_and_can_be_taken_off_again() -> None:
    first, second = histogram([1, 5, 5, 900]), histogram([5, 70, 600_000, 9_000_000])
    both = dict(first)

    add_encoded(both, encode(second))
    assert both == histogram([1, 5, 5, 900, 5, 70, 600_000, 9_000_000])

    add_encoded(both, encode(second), -1)
    assert both == first


def test_a_day_of_one_service_takes_few_bytes() -> None:
    dice = Random(7)  # noqa: S311 - nothing secret is drawn
    day = histogram([dice.lognormvariate(3, 0.4) for _ in range(2880)])

    assert len(encode(day)) < 150


def test_nothing_measured_is_nothing_told() -> None:
    assert quantile_ms({}, 0.5) is None
    assert encode({}) == b""
    assert slot_of(0) == slot_of(-1) == 0
