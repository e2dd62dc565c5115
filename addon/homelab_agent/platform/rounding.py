"""Figures as a person is shown them."""

import math

_DIGITS = 3


def rounded(value: float, step: float) -> float:
    """Return the value with three significant digits, and as a multiple of `step`."""
    digits = math.floor(math.log10(value)) + 1 if value > 0 else 0
    coarse = max(step, 10.0 ** (digits - _DIGITS))
    return round(round(value / coarse) * coarse, 1)
