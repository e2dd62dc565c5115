"""A name that led to a service when its route was made may lead elsewhere since."""

import pytest

from homelab_agent.areas.domains.checks.page import Pages
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import Guard
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.names import Names
from homelab_agent.platform.outbound.tls_contexts import TlsContexts

AGENT = 8099


@pytest.mark.parametrize(
    ("upstream", "told"),
    [
        (f"localhost:{AGENT}", "the agent's own API"),
        (f"https://localhost:{AGENT}", "the agent's own API"),
        ("[fd00:ec2::254]:80", "fd00:ec2::254 by now"),
        ("[fe80::1]:80", None),
        ("localhost:8080", None),
        ("nobody.invalid:80", None),
    ],
)
async def test_an_upstream_is_told_where_it_leads_to_a_door_that_is_guarded(
    upstream: str, told: str | None
) -> None:
    names = Names()
    guard = Guard(names)
    guard.keep("the agent's own API", "127.0.0.1", AGENT, is_open=True)
    outbound = Outbound(names, guard)
    http = OutboundHttp(outbound)
    found = await Pages(outbound, http, TlsContexts()).misled(("192.0.2.10:8080", upstream))
    await http.close()
    assert (found is None) if told is None else (told in str(found))
