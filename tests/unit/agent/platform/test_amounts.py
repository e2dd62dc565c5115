"""Amounts as people read them."""

import pytest

from homelab_agent.platform.amounts import size_text, time_text


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1536, "1.5 kB"),
        (999_999, "1 MB"),
        (23_456_789, "23 MB"),
        (9.99e9, "10 GB"),
        (1.234e12, "1.2 TB"),
        (4e15, "4000 TB"),
    ],
)
def test_a_size_has_two_digits_that_matter(count: float, words: str) -> None:
    assert size_text(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (47, "47 seconds"),
        (90, "1.5 minutes"),
        (3600, "1 hour"),
        (5 * 3600 + 60, "5 hours"),
        (26 * 3600, "1.1 days"),
        (86_400, "1 day"),
        (30 * 86_400, "30 days"),
    ],
)
def test_a_time_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert time_text(seconds) == words
