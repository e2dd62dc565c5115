"""Why a connection did not work: what a person reads must be about the network, not a library."""

import errno
import os

import pytest
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey

from homelab_agent.platform.outbound.reasons import why_not

KEY = ConnectionKey("nas", 443, True, True, None, None, None, None)


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)), "Connection refused"),
        (ConnectionResetError(), "the connection was ended"),
        (TimeoutError(), "it did not answer in time"),
        (OSError("no way there"), "no way there"),
    ],
)
def test_the_reason_is_the_systems_own(cause: OSError, said: str) -> None:
    assert why_not(cause) == said
    assert why_not(ClientConnectorError(KEY, cause)) == said
