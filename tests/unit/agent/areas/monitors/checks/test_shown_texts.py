import pytest

from homelab_agent.areas.monitors.checks.shown_texts import Texts

SECRET = 'correct"horse'


@pytest.mark.parametrize(
    "said", [SECRET, f"x {SECRET} x", 'x correct\\"horse x', "Bearer " + SECRET, "x" * 95 + SECRET]
)
def test_a_secret_that_comes_back_is_not_shown_not_even_a_part_of_it(said: str) -> None:
    shown = Texts([f"Bearer {SECRET}"]).shown(said)
    assert "corr" not in shown
    assert "horse" not in shown


def test_what_is_shown_is_short_and_on_one_line() -> None:
    shown = Texts().shown("a\r\n\x1b[31mb\x00" + "c" * 10_000)
    assert shown.startswith("a   [31mb c")
    assert len(shown) < 110
