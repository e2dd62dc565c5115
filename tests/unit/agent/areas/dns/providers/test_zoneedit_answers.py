"""What ZoneEdit says is understood in both its families of wording."""

from time import process_time

import pytest

from homelab_agent.areas.dns.providers.zoneedit_answers import Meaning, read_answer, verdict


@pytest.mark.parametrize(
    ("answer", "meaning", "wait_s"),
    [
        (
            '<SUCCESS CODE="200" TEXT="vt.example.com updated to 192.0.2.1" ZONE="example.com">',
            Meaning.CHANGED,
            None,
        ),
        ('<SUCCESS CODE="200" TEXT="Update succeeded.">', Meaning.CHANGED, None),
        ("<SUCCESS CODE='200' TEXT='a TXT with rdata b deleted'>", Meaning.CHANGED, None),
        ('<SUCCESS CODE="201" TEXT="No records need updating.">', Meaning.UNCHANGED, None),
        ('<ERROR CODE="700" TEXT="no update required for a.b">', Meaning.UNCHANGED, None),
        ('<ERROR CODE="700" TEXT="Authentication failed">', Meaning.CREDENTIALS, None),
        ('<ERROR CODE="700" TEXT="the moon is full">', Meaning.UNKNOWN, None),
        ('<ERROR CODE="701" TEXT="Zone is not set up in this account.">', Meaning.REFUSED, None),
        ('<ERROR CODE="702" TEXT="Update failed.">', Meaning.FAILED, None),
        (
            '<ERROR CODE="702" PARAM="600" TEXT="Minimum 600 seconds between requests" ZONE="a">',
            Meaning.WAIT,
            600.0,
        ),
        ('<ERROR CODE="702" TEXT="Minimum 10 seconds between requests">', Meaning.WAIT, 10.0),
        ('<ERROR CODE="703" TEXT="zone or host missing">', Meaning.REFUSED, None),
        ('<ERROR CODE="704" TEXT="zone must be dotted">', Meaning.REFUSED, None),
        ('<ERROR CODE="705" TEXT="zone is empty">', Meaning.REFUSED, None),
        (
            '<ERROR CODE="707" TEXT="Duplicate updates for the same host/ip, adjust client">',
            Meaning.UNCHANGED,
            None,
        ),
        (
            '<ERROR CODE="707" TEXT="Too frequent updates for the same host, adjust settings">',
            Meaning.WAIT,
            600.0,
        ),
        ('<ERROR CODE="708" TEXT="Failed Login: me" ZONE="x">', Meaning.CREDENTIALS, None),
        ('<ERROR CODE="708" TEXT="Login Failed: me">', Meaning.CREDENTIALS, None),
        ('<ERROR CODE="709" TEXT="invalid hostname: a.b.">', Meaning.REFUSED, None),
        ("NOERROR", Meaning.CHANGED, None),
        ("OK\n", Meaning.CHANGED, None),
        ("NOACCESS", Meaning.CREDENTIALS, None),
        ('<ERROR CODE="NO_AUTH" TEXT="The authentication failed.">', Meaning.CREDENTIALS, None),
        ("NOSERVICE", Meaning.REFUSED, None),
        ("ILLEGAL INPUT", Meaning.REFUSED, None),
        ("TOOSOON", Meaning.WAIT, 600.0),
        ("TOO_FREQ", Meaning.WAIT, 600.0),
    ],
)
def test_each_known_answer_means_what_its_users_found_it_to_mean(
    answer: str, meaning: Meaning, wait_s: float | None
) -> None:
    line = verdict(read_answer(answer))
    assert (line.meaning, line.wait_s) == (meaning, wait_s)


def test_a_line_of_success_after_the_hosts_own_hides_no_error() -> None:
    answer = (
        '<ERROR CODE="709" TEXT="invalid hostname: b.example.com" ZONE="example.com">\n'
        '<SUCCESS CODE="200" TEXT="Update succeeded." ZONE="example.com">'
    )
    assert verdict(read_answer(answer)).meaning is Meaning.REFUSED


@pytest.mark.parametrize(
    "page",
    ["", "<html><body>OK, back soon</body></html>", "it works", "502 Bad Gateway"],
)
def test_a_page_of_something_else_is_no_answer(page: str) -> None:
    assert not read_answer(page)


def test_an_answer_that_is_made_to_be_slow_to_read_is_read_at_once() -> None:
    began = process_time()
    assert read_answer('<ERROR CODE="702" TEXT=\'' + "x" * 100_000)
    assert process_time() - began < 5


@pytest.mark.parametrize("seconds", ["9" * 26, "9" * 1000])
def test_nobody_is_made_to_wait_for_years(seconds: str) -> None:
    (line,) = read_answer(f'<ERROR CODE="702" TEXT="Minimum {seconds} seconds between requests">')
    assert line.wait_s == 86_400
