import errno
import os
import socket

import pytest

from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import failed
from homelab_agent.platform.outbound.causes import UnreachableCause


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ECONNREFUSED, CheckCode.REFUSED),
        (errno.ECONNRESET, CheckCode.RESET),
        (errno.EPIPE, CheckCode.RESET),
        (errno.EHOSTUNREACH, CheckCode.UNREACHABLE),
        (errno.ENETUNREACH, CheckCode.NO_ROUTE),
        (errno.ETIMEDOUT, CheckCode.TIMED_OUT),
        (errno.EIO, CheckCode.UNREACHABLE),
    ],
)
def test_every_way_to_fail_has_its_word(number: int, code: CheckCode) -> None:
    outcome = failed(OSError(number, os.strerror(number)), "nas:443")
    assert (outcome.known, outcome.ok, outcome.code) == (True, False, code)
    assert (outcome.reason or "").startswith("nas:443 ")


@pytest.mark.parametrize("cause", UnreachableCause)
def test_what_certificates_are_told_with_is_a_word_of_monitors_too(cause: UnreachableCause) -> None:
    assert CheckCode(cause).value == cause.value


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionResetError(), CheckCode.RESET),
        (BrokenPipeError(), CheckCode.RESET),
        (TimeoutError(), CheckCode.TIMED_OUT),
        (OSError("no number"), CheckCode.UNREACHABLE),
    ],
)
def test_what_is_raised_without_a_number_has_its_word(error: OSError, code: CheckCode) -> None:
    assert failed(error, "nas:443").code == code


def test_an_agent_at_its_own_limit_blames_nobody_else() -> None:
    outcome = failed(OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "nas:443")
    assert (outcome.known, outcome.code) == (False, CheckCode.AGENT_BUSY)


def test_a_name_server_that_is_away_is_not_a_name_that_is_not_there() -> None:
    away = failed(socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "nas:443")
    assert away.code == CheckCode.DNS_FAILED
    assert "Does the name server work?" in (away.reason or "")
    unknown = failed(socket.gaierror(socket.EAI_NONAME, "Name unknown"), "nas:443")
    assert unknown.code == CheckCode.UNKNOWN_HOST
