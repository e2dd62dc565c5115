"""Names have one form, and what can be no name is told with its place and the remedy."""

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab_agent.platform.dns_names import is_within, shown_name, uniform_name
from homelab_agent.platform.errors import Invalid

_SCRIPTS = "abcXYZ019-_äöüßéñçøåαβγабв例子\uff57\uff37"
_LABELS = st.text(st.sampled_from(_SCRIPTS), min_size=1, max_size=70)
_DOTS = st.sampled_from([".", "\u3002", "\uff0e"])
_NAMES = st.builds(
    lambda labels, dot, final: dot.join(labels) + final,
    st.lists(_LABELS, min_size=1, max_size=8),
    _DOTS,
    st.sampled_from(["", "."]),
)


@pytest.mark.parametrize(
    ("given_name", "uniform"),
    [
        ("Photos.Example.ORG.", "photos.example.org"),
        ("  nas.lan ", "nas.lan"),
        ("Büro.Example.org", "xn--bro-hoa.example.org"),
        ("xn--bro-hoa.example.org", "xn--bro-hoa.example.org"),
        ("\uff37\uff37\uff37\u3002example\u3002org", "www.example.org"),
        ("straße.example", "xn--strae-oqa.example"),
        ("_acme-challenge.example.org", "_acme-challenge.example.org"),
        ("*.example.org", "*.example.org"),
        (f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 61}", None),
    ],
)
def test_a_name_is_found_again_however_a_person_writes_it(
    given_name: str, uniform: str | None
) -> None:
    wanted = given_name if uniform is None else uniform
    assert uniform_name(given_name, field="name", wildcard=True) == wanted


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("", "empty"),
        (".", "empty"),
        ("a..example.org", "empty part"),
        (".example.org", "empty part"),
        (f"{'a' * 64}.org", "too long for one part"),
        (f"{'ü' * 60}.org", "too long for one part"),
        (".".join(["a" * 49] * 6), "299 characters"),
        ("nas drive.org", "no part of a name"),
        ("-nas.org", "no part of a name"),
        ("nas-.org", "no part of a name"),
        ("nas/1.org", "no part of a name"),
        ("xn--zzzzzzzz.org", "cannot be written"),
        ("☃.org", "cannot be written"),
        ("a.*.org", "first part"),
        ("a*.org", "first part"),
        ("*", "alone"),
    ],
)
def test_what_is_no_name_is_told_with_its_place_and_a_remedy(wrong: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        uniform_name(wrong, field="records.3.name", wildcard=True)
    assert caught.value.field == "records.3.name"
    assert caught.value.hint


def test_a_host_has_no_underscore_and_no_wildcard_unless_it_may() -> None:
    with pytest.raises(Invalid, match="underscore"):
        uniform_name("my_nas.example.org", field="name", underscore=False)
    with pytest.raises(Invalid, match="wildcard"):
        uniform_name("*.example.org", field="name")


@given(_NAMES)
def test_a_uniform_name_stays_as_it_is_and_dns_reads_it_as_the_same(text: str) -> None:
    try:
        name = uniform_name(text, field="name")
    except Invalid:
        return
    assert uniform_name(name, field="name") == name
    assert uniform_name(shown_name(name), field="name") == name
    assert dns.name.from_text(name).to_text(omit_final_dot=True) == name
    assert len(name) <= 253


def test_people_read_their_own_letters() -> None:
    assert shown_name("xn--bro-hoa.example.org") == "büro.example.org"
    assert shown_name("xn--not-one-at-all-.org") == "xn--not-one-at-all-.org"


def test_a_name_is_within_its_own_zone_and_not_in_one_that_ends_alike() -> None:
    assert is_within("example.org", "example.org")
    assert is_within("a.b.example.org", "example.org")
    assert not is_within("myexample.org", "example.org")
    assert not is_within("org", "example.org")
